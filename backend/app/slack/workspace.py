"""The workspace we serve: who we are in it, and what it wants. Read on every event, so it is kept in memory."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from app.core.errors import AppError
from app.i18n.language import Language
from app.people.directory import PeopleDirectory
from app.people.workspace import Workspace

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 60.0
START_SECONDS = 5.0


@dataclass(frozen=True)
class Installation:
    """We in our workspace. ``None`` is what is not known (yet): checks that need it are left out, never failed."""

    team_id: str | None = None
    app_id: str | None = None
    bot_user_id: str | None = None
    bot_id: str | None = None
    name: str | None = None
    language: Language | None = None
    thread_replies: str = "never"
    is_removed: bool = False


WhoWeAre = Callable[[], Awaitable[Installation]]


class WorkspaceDirectory:
    """Knows the installation behind our token. Neither Slack nor the database need be there at the start: it keeps asking."""

    def __init__(
        self, who_we_are: WhoWeAre, people: PeopleDirectory, *, app_id: str | None = None, team_id: str | None = None
    ) -> None:
        self._who_we_are = who_we_are
        self._people = people
        self._app_id = app_id
        self._team_id = team_id
        self._is_introduced = False
        self._task: asyncio.Task[None] | None = None
        self.current = Installation(team_id=team_id, app_id=app_id)

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(START_SECONDS):
                await self.refresh()
        except TimeoutError:
            logger.warning("workspace_unknown_at_start")
        self._task = asyncio.create_task(self._keep_fresh(), name="workspace")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def mark_removed(self) -> None:
        """Somebody took the app out of the workspace or revoked its token: health answers say so until the next start."""
        self.current = replace(self.current, is_removed=True)

    async def refresh(self) -> None:
        """Learns what is missing and reads the wishes anew. Failures are logged, and what was known stays."""
        try:
            if not self._is_introduced:
                await self._introduce()
            if self.current.team_id is not None:
                wishes = await self._people.workspace(self.current.team_id)
                self.current = replace(self.current, language=wishes.language, thread_replies=wishes.thread_replies)
        except AppError as error:
            logger.warning("workspace_not_refreshed", extra={"error_type": type(error).__name__})

    async def _introduce(self) -> None:
        found = await self._who_we_are()
        if self._team_id and found.team_id != self._team_id:
            logger.error("token_of_other_workspace", extra={"team_id": found.team_id})
            return
        self.current = replace(
            self.current, team_id=found.team_id, bot_user_id=found.bot_user_id, bot_id=found.bot_id, name=found.name,
            app_id=self._app_id or found.app_id,
        )  # fmt: skip
        if found.team_id:
            await self._keep_name(found.team_id)
        self._is_introduced = True

    async def _keep_name(self, team_id: str) -> None:
        kept = await self._people.workspace(team_id)
        renamed = replace(kept, name=self.current.name, bot_user_id=self.current.bot_user_id)
        if renamed != kept or kept == Workspace(team_id):
            await self._people.save_workspace(renamed)

    async def _keep_fresh(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_SECONDS if self._is_introduced else START_SECONDS)
            await self.refresh()

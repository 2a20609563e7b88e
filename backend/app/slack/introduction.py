"""What we ask Slack about ourselves and about the people who speak to us."""

import logging
from typing import Any

from app.core.errors import SlackError, SlackRefused
from app.people.lookup import LookedUpPerson
from app.people.person import Standing
from app.slack.client import SlackClient
from app.slack.workspace import Installation

logger = logging.getLogger(__name__)


class WhoWeAre:
    """Our installation, as the token tells it."""

    def __init__(self, client: SlackClient) -> None:
        self._client = client

    async def __call__(self) -> Installation:
        answer = await self._client.call("auth.test")
        bot_id = answer.get("bot_id")
        return Installation(
            team_id=answer["team_id"], app_id=answer.get("app_id") or await self._app_of(bot_id),
            bot_user_id=answer.get("user_id"), bot_id=bot_id, name=answer.get("team"),
        )  # fmt: skip

    async def _app_of(self, bot_id: str | None) -> str | None:
        """The app's id is a second lock beside the signature; without the scope to ask for it the first one has to do."""
        if not bot_id:
            return None
        try:
            answer = await self._client.call("bots.info", json={"bot": bot_id})
        except SlackError as error:
            logger.info("app_id_unknown", extra={"code": error.code})
            return None
        app_id = answer.get("bot", {}).get("app_id")
        return app_id if isinstance(app_id, str) else None


class LookUpPerson:
    """``users.info`` as the people directory wants it."""

    def __init__(self, client: SlackClient) -> None:
        self._client = client

    async def __call__(self, team_id: str, user_id: str) -> LookedUpPerson | None:
        try:
            answer = await self._client.call("users.info", json={"user": user_id, "include_locale": True}, team_id=team_id)
        except SlackRefused as error:
            if error.code in {"user_not_found", "user_not_visible"}:
                return None
            raise
        return looked_up(answer["user"], team_id)


def looked_up(user: dict[str, Any], team_id: str) -> LookedUpPerson:
    """Only a full, living member of this workspace is no stranger; whatever Slack does not say counts against it."""
    profile = user.get("profile") or {}
    teams = {user.get("team_id"), *(user.get("enterprise_user") or {}).get("teams", ())}
    is_guest = any(user.get(mark, False) for mark in ("is_restricted", "is_ultra_restricted", "is_stranger", "deleted", "is_bot"))
    return LookedUpPerson(
        display_name=str(profile.get("display_name") or user.get("real_name") or user.get("name") or ""),
        locale=user.get("locale"), time_zone=user.get("tz"), standing=_standing(user),
        is_external=is_guest or team_id not in teams,
    )  # fmt: skip


def _standing(user: dict[str, Any]) -> Standing:
    if user.get("is_owner") or user.get("is_primary_owner"):
        return Standing.OWNER
    return Standing.ADMIN if user.get("is_admin") else Standing.MEMBER

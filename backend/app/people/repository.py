"""The SQL of people and workspaces."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from app.core.encryption import Cipher
from app.i18n.language import Language, language_of_locale
from app.people.lookup import LookedUpPerson
from app.people.person import SESSIONS_OF_A_BEGINNER, Dose, Person, Persona, Standing, Visibility, usual_dose
from app.people.workspace import Workspace
from app.storage.database import Record, Session

DEFAULT_TIME_ZONE = "Asia/Tokyo"

Choice = TypeVar("Choice", bound=StrEnum)

# Counted only as far as the beginners' rule looks.
_COLUMNS = """
people.team_id, people.user_id, locale, people.language, time_zone, role, is_external, looked_up_at, preferences, (
    select count(*) from (
        select from dialogue_sessions s where s.team_id = people.team_id and s.user_id = people.user_id
        limit :few
    ) as had
) as sessions
""".replace(":few", str(SESSIONS_OF_A_BEGINNER))

_PERSON = "select :columns from people where team_id = $1 and user_id = $2".replace(":columns", _COLUMNS)

# A manager is named in this product, not in Slack: a look-up does not take that away.
_SAVE_LOOKED_UP = """
insert into people (team_id, user_id, display_name, locale, time_zone, role, is_external, looked_up_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (team_id, user_id) do update set
    display_name = excluded.display_name, locale = excluded.locale, time_zone = excluded.time_zone,
    role = case when people.role = 'manager' and excluded.role = 'member' then people.role else excluded.role end,
    is_external = excluded.is_external, looked_up_at = excluded.looked_up_at
returning :columns
""".replace(":columns", _COLUMNS)

_CHOOSE_LANGUAGE = """
insert into people (team_id, user_id, language) values ($1, $2, $3)
on conflict (team_id, user_id) do update set language = excluded.language
"""

_LEADERS = """
select user_id from people where team_id = $1 and role in ('manager', 'owner', 'admin') and not is_external
order by user_id limit $2
"""

_NAME = "select display_name from people where team_id = $1 and user_id = $2"

_PREFERENCES = "select preferences from people where team_id = $1 and user_id = $2"

_CHANGE_PREFERENCES = """
insert into people (team_id, user_id, preferences) values ($1, $2, jsonb_strip_nulls($3))
on conflict (team_id, user_id) do update set preferences = jsonb_strip_nulls(people.preferences || $3)
returning preferences
"""

_FORGET = "delete from people where team_id = $1 and user_id = $2"

_WORKSPACE = "select team_id, name, language, bot_user_id, thread_replies from workspaces where team_id = $1"

_SAVE_WORKSPACE = """
insert into workspaces (team_id, name, language, bot_user_id, thread_replies) values ($1, $2, $3, $4, $5)
on conflict (team_id) do update set
    name = excluded.name, language = excluded.language, bot_user_id = excluded.bot_user_id,
    thread_replies = excluded.thread_replies
"""


class PeopleRepository:
    """People and their choices, through one session."""

    def __init__(self, session: Session, cipher: Cipher) -> None:
        self._session = session
        self._cipher = cipher

    async def person(self, team_id: str, user_id: str) -> tuple[Person, datetime | None] | None:
        """The person and when Slack was last asked about them (``None``: never)."""
        row = await self._session.fetch_row(_PERSON, team_id, user_id)
        return (_person(row), row["looked_up_at"]) if row else None

    async def save_looked_up(self, team_id: str, user_id: str, found: LookedUpPerson, looked_up_at: datetime) -> Person:
        """Stores what Slack says; keeps what the person chose."""
        name = self._cipher.encrypt(found.display_name, place=_name_place(team_id, user_id))
        row = await self._session.fetch_row(
            _SAVE_LOOKED_UP,
            team_id,
            user_id,
            name,
            found.locale,
            found.time_zone,
            found.standing,
            found.is_external,
            looked_up_at,
        )
        assert row is not None
        return _person(row)

    async def choose_language(self, team_id: str, user_id: str, language: Language | None) -> None:
        """``None`` goes back to the locale."""
        await self._session.execute(_CHOOSE_LANGUAGE, team_id, user_id, language)

    async def leaders(self, team_id: str, *, limit: int = 20) -> list[str]:
        """Those known to be managers, owners or administrators."""
        return [row["user_id"] for row in await self._session.fetch(_LEADERS, team_id, limit)]

    async def display_name(self, team_id: str, user_id: str) -> str | None:
        name = await self._session.fetch_value(_NAME, team_id, user_id)
        return self._cipher.decrypt(name, place=_name_place(team_id, user_id)) if name else None

    async def preferences(self, team_id: str, user_id: str) -> dict[str, Any]:
        return await self._session.fetch_value(_PREFERENCES, team_id, user_id) or {}

    async def change_preferences(self, team_id: str, user_id: str, changes: dict[str, Any]) -> dict[str, Any]:
        """The preferences after the change; a value of ``None`` removes one."""
        changed: dict[str, Any] = await self._session.fetch_value(_CHANGE_PREFERENCES, team_id, user_id, changes)
        return changed

    async def forget(self, team_id: str, user_id: str) -> None:
        await self._session.execute(_FORGET, team_id, user_id)

    async def workspace(self, team_id: str) -> Workspace | None:
        row = await self._session.fetch_row(_WORKSPACE, team_id)
        return _workspace(row) if row else None

    async def save_workspace(self, workspace: Workspace) -> None:
        await self._session.execute(
            _SAVE_WORKSPACE,
            workspace.team_id,
            workspace.name,
            workspace.language,
            workspace.bot_user_id,
            workspace.thread_replies,
        )


def _person(row: Record) -> Person:
    chosen: Mapping[str, Any] = row["preferences"]
    dose = _choice(Dose, chosen.get("dose"))
    return Person(
        team_id=row["team_id"],
        user_id=row["user_id"],
        language=Language(row["language"]) if row["language"] else language_of_locale(row["locale"]),
        time_zone=row["time_zone"] or DEFAULT_TIME_ZONE,
        standing=Standing(row["role"]),
        is_external=row["is_external"],
        language_is_chosen=row["language"] is not None,
        dose=dose or usual_dose(row["sessions"]),
        dose_is_chosen=dose is not None,
        persona=_choice(Persona, chosen.get("persona")) or Persona.SUPPORTIVE,
        reminders_on=chosen.get("reminders") != "off",
        visibility=_choice(Visibility, chosen.get("visibility")) or Visibility.PRIVATE,
    )


def _choice(kind: type[Choice], value: Any) -> Choice | None:
    """What a later version of this program has stored and this one does not know counts as not chosen."""
    return next((known for known in kind if known.value == value), None)


def _workspace(row: Record) -> Workspace:
    return Workspace(
        team_id=row["team_id"],
        name=row["name"],
        language=Language(row["language"]) if row["language"] else None,
        bot_user_id=row["bot_user_id"],
        thread_replies=row["thread_replies"],
    )


def _name_place(team_id: str, user_id: str) -> str:
    return f"{team_id}|people|{user_id}"

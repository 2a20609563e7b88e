"""Who we are and who speaks to us: whatever Slack does not say counts against it."""

from types import SimpleNamespace
from typing import Any

import pytest

from app.core.errors import SlackRefused, SlackUnavailable
from app.i18n.language import Language
from app.people.person import Standing
from app.people.workspace import Workspace
from app.slack.introduction import LookUpPerson, WhoWeAre, looked_up
from app.slack.respond import respond
from app.slack.workspace import Installation, WorkspaceDirectory


def user(**more: Any) -> dict[str, Any]:
    return {"id": "U1", "team_id": "T1", "name": "sato", "locale": "ja-JP", "tz": "Asia/Tokyo", **more}


@pytest.mark.parametrize(
    "more, is_external",
    [
        ({}, False),
        ({"is_restricted": True}, True),
        ({"is_ultra_restricted": True}, True),
        ({"is_stranger": True}, True),
        ({"deleted": True}, True),
        ({"is_bot": True}, True),
        ({"team_id": "T2"}, True),
        ({"team_id": None}, True),
        ({"team_id": "E1", "enterprise_user": {"teams": ["T1", "T3"]}}, False),
    ],
)
def test_only_a_living_member_of_this_workspace_is_no_stranger(more: dict[str, Any], *, is_external: bool) -> None:
    assert looked_up(user(**more), "T1").is_external is is_external


def test_language_time_zone_and_standing_come_along() -> None:
    found = looked_up(user(is_owner=True, profile={"display_name": "佐藤"}), "T1")
    assert (found.display_name, found.locale, found.time_zone, found.standing) == ("佐藤", "ja-JP", "Asia/Tokyo", Standing.OWNER)
    assert looked_up(user(is_admin=True), "T1").standing is Standing.ADMIN


class Slack:
    """Answers calls from a table; exceptions in it are raised."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {name.replace("_", "."): answer for name, answer in answers.items()}

    async def call(self, method: str, **_options: Any) -> Any:
        answer = self.answers[method]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_a_person_slack_does_not_know_is_nobody_and_a_failure_is_no_answer() -> None:
    unknown = LookUpPerson(Slack(users_info=SlackRefused(code="user_not_found")))  # type: ignore[arg-type]
    away = LookUpPerson(Slack(users_info=SlackUnavailable()))  # type: ignore[arg-type]
    assert await unknown("T1", "U1") is None
    with pytest.raises(SlackUnavailable):
        await away("T1", "U1")


async def test_the_apps_id_is_asked_for_where_the_token_allows_it() -> None:
    known = {"team_id": "T1", "user_id": "UBOT", "bot_id": "B1", "team": "デモ商事"}
    allowed = WhoWeAre(Slack(auth_test=known, bots_info={"bot": {"app_id": "A1"}}))  # type: ignore[arg-type]
    forbidden = WhoWeAre(Slack(auth_test=known, bots_info=SlackRefused(code="missing_scope")))  # type: ignore[arg-type]
    assert await allowed() == Installation("T1", "A1", "UBOT", "B1", "デモ商事")
    assert (await forbidden()).app_id is None


class People:
    """Keeps workspaces in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[str, Workspace] = {}

    async def workspace(self, team_id: str) -> Workspace:
        return self.kept.get(team_id, Workspace(team_id))

    async def save_workspace(self, workspace: Workspace) -> None:
        self.kept[workspace.team_id] = workspace


async def test_without_slack_the_start_goes_on_and_who_we_are_is_learnt_later() -> None:
    answers: list[Any] = [SlackUnavailable(), Installation("T1", "A1", "UBOT", "B1", "デモ商事")]

    async def who_we_are() -> Installation:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    people = People()
    people.kept["T1"] = Workspace("T1", language=Language.ENGLISH, thread_replies="auto")
    async with WorkspaceDirectory(who_we_are, people) as directory:  # type: ignore[arg-type]
        assert directory.current == Installation()
        await directory.refresh()
        assert directory.current.team_id == "T1" and directory.current.thread_replies == "auto"
        assert people.kept["T1"].name == "デモ商事" and people.kept["T1"].language is Language.ENGLISH


async def test_a_token_of_another_workspace_than_the_configured_one_teaches_nothing() -> None:
    async def who_we_are() -> Installation:
        return Installation("T2", "A2", "UBOT2", "B2")

    directory = WorkspaceDirectory(who_we_are, People(), team_id="T1", app_id="A1")  # type: ignore[arg-type]
    await directory.refresh()
    assert directory.current == Installation("T1", "A1")


@pytest.mark.parametrize(
    "url",
    ["http://169.254.169.254/latest", "https://evil.example/x", "http://hooks.slack.com/x", "https://hooks.slack.com.evil.example/x",
     "https://user@evil.example/x", "https://hooks.slack.com:8443/x", "file:///etc/passwd", ""],
)  # fmt: skip
async def test_an_answer_is_sent_to_slack_and_nowhere_else(url: str) -> None:
    web = SimpleNamespace(base_url="https://slack.com/api/", session=None, ssl=None, proxy=None)
    with pytest.raises(SlackRefused):
        await respond(web, url, text="秘密")  # type: ignore[arg-type]

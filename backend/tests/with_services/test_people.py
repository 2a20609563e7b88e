"""Who somebody is, with PostgreSQL and Valkey; Slack's side is a function that counts its calls."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from app.cache.cache import Cache
from app.cache.connection import RedisConnection, RedisOptions
from app.core.encryption import Cipher
from app.core.errors import SlackUnavailable
from app.i18n.language import Language
from app.people.directory import PeopleDirectory
from app.people.lookup import LookedUpPerson
from app.people.person import Dose, Person, Persona, Standing, Visibility
from app.people.repository import PeopleRepository
from app.people.workspace import Workspace
from app.storage.database import Database
from tests.with_services.redis_faults import SteppingClock

CIPHER = Cipher({"k": b"k" * 32})
SATO = LookedUpPerson("佐藤 花子", "ja-JP", "Asia/Tokyo", Standing.MEMBER, is_external=False)
DAY = 86_400


class SlackPeople:
    """Slack's users.info as the directory sees it."""

    def __init__(self) -> None:
        self.answer: LookedUpPerson | Exception | None = SATO
        self.calls = 0

    async def __call__(self, team_id: str, user_id: str) -> LookedUpPerson | None:
        self.calls += 1
        await asyncio.sleep(0)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Setting:
    """Directories of several processes over the same stores."""

    def __init__(self, database: Database, cache: Cache) -> None:
        self.database, self.cache = database, cache
        self.slack, self.clock = SlackPeople(), SteppingClock()
        self.opened: list[PeopleDirectory] = []

    def directory(self) -> PeopleDirectory:
        directory = PeopleDirectory(self.database, CIPHER, self.cache, self.slack, clock=self.clock)
        self.opened.append(directory)
        return directory


@pytest.fixture
async def setting(database: Database, redis_url: str) -> AsyncIterator[Setting]:
    connection = RedisConnection.open(RedisOptions(redis_url))
    made = Setting(database, Cache(connection))
    yield made
    for directory in made.opened:
        await directory.close()
    await connection.close()


async def test_a_new_person_is_looked_up_once_and_then_known_to_all_processes(setting: Setting) -> None:
    directory = setting.directory()
    found = await asyncio.gather(*(directory.find("T1", "U1") for _ in range(5)))
    assert set(found) == {Person("T1", "U1", Language.JAPANESE, "Asia/Tokyo")}
    assert await setting.directory().find("T1", "U1") == found[0]
    await setting.cache.delete("sales-agent:T1:person:U1")
    assert await setting.directory().find("T1", "U1") == found[0], "PostgreSQL knows"
    assert setting.slack.calls == 1


async def test_the_same_user_id_in_another_workspace_is_another_person(setting: Setting) -> None:
    directory = setting.directory()
    await directory.find("T1", "U1")
    setting.slack.answer = LookedUpPerson("Guest", "en-US", None, Standing.MEMBER, is_external=True)
    assert (await directory.find("T2", "U1")).is_external
    assert not (await directory.find("T1", "U1")).is_external


async def test_after_a_day_the_answer_is_at_once_and_the_news_follow(setting: Setting) -> None:
    directory = setting.directory()
    await directory.find("T1", "U1")
    setting.clock.step(DAY + 1)
    setting.slack.answer = LookedUpPerson("佐藤", "en-GB", "Europe/London", Standing.ADMIN, is_external=True)
    assert (await directory.find("T1", "U1")).language is Language.JAPANESE
    await directory.close()
    assert await directory.find("T1", "U1") == Person(
        "T1", "U1", Language.ENGLISH, "Europe/London", Standing.ADMIN, is_external=True
    )
    assert setting.slack.calls == 2


async def test_slack_away_hurts_neither_the_known_nor_lets_in_the_unknown(setting: Setting) -> None:
    directory = setting.directory()
    await directory.find("T1", "U1")
    setting.slack.answer = SlackUnavailable()
    setting.clock.step(2 * DAY)
    assert not (await directory.find("T1", "U1")).is_external
    await directory.close()
    with pytest.raises(SlackUnavailable):
        await directory.find("T1", "U2")
    setting.clock.step(8 * DAY)
    with pytest.raises(SlackUnavailable):
        await directory.find("T1", "U1")


async def test_somebody_slack_does_not_know_counts_as_external(setting: Setting) -> None:
    setting.slack.answer = None
    assert (await setting.directory().find("T1", "U1")).is_external


async def test_an_interrupted_message_does_not_end_the_look_up_for_the_others(setting: Setting) -> None:
    directory = setting.directory()
    first, second = (asyncio.create_task(directory.find("T1", "U1")) for _ in range(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).user_id == "U1"
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_chosen_language_wins_over_the_locale_until_taken_back(setting: Setting) -> None:
    directory = setting.directory()
    await directory.find("T1", "U1")
    await directory.choose_language("T1", "U1", Language.CHINESE)
    assert (await directory.find("T1", "U1")).language is Language.CHINESE
    assert (await setting.directory().find("T1", "U1")).language is Language.CHINESE
    await directory.choose_language("T1", "U1", None)
    assert (await directory.find("T1", "U1")).language is Language.JAPANESE


async def test_another_process_follows_within_a_minute(setting: Setting) -> None:
    here, there = setting.directory(), setting.directory()
    await there.find("T1", "U1")
    await here.choose_language("T1", "U1", Language.CHINESE)
    assert (await there.find("T1", "U1")).language is Language.JAPANESE
    setting.clock.step(61)
    assert (await there.find("T1", "U1")).language is Language.CHINESE


async def test_a_cached_value_of_another_version_is_not_believed(setting: Setting) -> None:
    await setting.directory().find("T1", "U1")
    await setting.cache.set("sales-agent:T1:person:U1", b'{"surprise": 1}', 60)
    await setting.cache.set("sales-agent:T1:workspace", b"[]", 60)
    assert (await setting.directory().find("T1", "U1")).user_id == "U1"
    assert await setting.directory().workspace("T1") == Workspace("T1")


async def test_workspace_settings_are_kept(setting: Setting) -> None:
    directory = setting.directory()
    assert await directory.workspace("T1") == Workspace("T1")
    changed = Workspace("T1", "営業部", Language.ENGLISH, "UBOT", "ask")
    await directory.save_workspace(changed)
    assert await directory.workspace("T1") == changed
    assert await setting.directory().workspace("T1") == changed
    assert await setting.directory().workspace("T1") == changed, "from the cache"
    assert await directory.workspace("T2") == Workspace("T2")


async def test_names_are_encrypted_and_a_manager_stays_one(database: Database) -> None:
    clock = SteppingClock()
    async with database.transaction() as session:
        repository = PeopleRepository(session, CIPHER)
        await repository.save_looked_up("T1", "U1", SATO, clock.now())
        await session.execute("update people set role = 'manager'")
        assert (await repository.save_looked_up("T1", "U1", SATO, clock.now())).standing is Standing.MANAGER
        assert await repository.display_name("T1", "U1") == "佐藤 花子"
        assert await repository.display_name("T1", "U2") is None
        stored = await session.fetch_value("select display_name from people")
        assert "佐藤".encode() not in stored


async def test_preferences_change_one_by_one(database: Database) -> None:
    async with database.transaction() as session:
        repository = PeopleRepository(session, CIPHER)
        assert await repository.preferences("T1", "U1") == {}
        await repository.change_preferences("T1", "U1", {"dose": 1, "persona": "先輩"})
        assert await repository.change_preferences("T1", "U1", {"dose": None, "reminders": False}) == {
            "persona": "先輩",
            "reminders": False,
        }
        assert await repository.preferences("T2", "U1") == {}
        await repository.forget("T1", "U1")
        assert await repository.preferences("T1", "U1") == {}


async def test_choices_hold_at_once_survive_slacks_news_and_can_be_taken_back(setting: Setting) -> None:
    directory = setting.directory()
    before = await directory.find("T1", "U1")
    await directory.choose_dose("T1", "U1", Dose.FULL)
    await directory.choose_persona("T1", "U1", Persona.ANALYTICAL)
    await directory.choose_visibility("T1", "U1", Visibility.TEAM_NUMBERS)
    await directory.switch_reminders("T1", "U1", is_on=False)
    chosen = replace(
        before, dose=Dose.FULL, dose_is_chosen=True, persona=Persona.ANALYTICAL, visibility=Visibility.TEAM_NUMBERS,
        reminders_on=False,
    )  # fmt: skip
    assert await directory.find("T1", "U1") == chosen
    assert await setting.directory().find("T1", "U1") == chosen, "also out of the cache"
    setting.clock.step(8 * DAY)
    assert await directory.find("T1", "U1") == chosen, "looked up anew"
    await directory.choose_dose("T1", "U1", None)
    await directory.switch_reminders("T1", "U1", is_on=True)
    assert await directory.find("T1", "U1") == replace(chosen, dose=Dose.ONE, dose_is_chosen=False, reminders_on=True)
    assert (await directory.find("T1", "U2")).persona is Persona.SUPPORTIVE


async def test_beginners_get_one_point_at_a_time_until_their_third_session(setting: Setting) -> None:
    directory = setting.directory()
    doses = []
    for number in range(5):
        await directory.drop_cached("T1", "U1")
        doses.append((await directory.find("T1", "U1")).dose)
        async with setting.database.transaction() as session:
            await session.execute(
                """
                insert into dialogue_sessions (team_id, user_id, conversation, channel_id, is_direct)
                values ('T1', 'U1', $1, 'D', true)
                """,
                f"T1:D:{number}",
            )  # fmt: skip
    assert doses == [Dose.ONE, Dose.ONE, Dose.ONE, Dose.FEW, Dose.FEW]


async def test_a_choice_of_a_later_version_counts_as_none(setting: Setting) -> None:
    directory = setting.directory()
    await directory.find("T1", "U1")
    async with setting.database.transaction() as session:
        await session.execute("""update people set preferences = '{"dose": "flood", "persona": "pirate", "visibility": "all"}'""")
    await directory.drop_cached("T1", "U1")
    person = await directory.find("T1", "U1")
    assert (person.dose_is_chosen, person.persona, person.visibility) == (False, Persona.SUPPORTIVE, Visibility.PRIVATE)

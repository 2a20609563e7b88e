"""What answers rest on, with a model that cites carelessly: everything it was given, and as much that it was not.

The question takes the product's own way: search, choice of the passages, prompt, the model over HTTP, the check of its citations,
and the record. What was given to the model is read off the request that reached it, by the passages' ``source``, so every entry
has to name its slug there.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from app.assistant.answer_question import AnswerQuestion, Knowledge
from app.assistant.question import Question
from app.cache.cache import Cache
from app.cache.connection import RedisConnection, RedisOptions
from app.core.config import Settings
from app.core.encryption import Cipher
from app.dialogue.conversation import Conversation
from app.dialogue.recent_turns import RecentTurns
from app.i18n.language import Language
from app.inbox.envelope import Envelope
from app.inbox.inbox import Inbox
from app.llm.service import LLMService, open_llm
from app.people.person import Person
from app.storage.database import Database
from tests.doubles.model_server import ModelServer, Script, says

Json = dict[str, Any]

ASKED_AT = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
PIECE = 3  # characters at a time, so that markers arrive in halves
_PASSAGE = re.compile(r'<knowledge id="(\d+)"[^>]* source="([^"]*)"')
_MARKER = re.compile(r"[\[［【]([\d\s,、，;・]+)[\]］】]")
_CLAIM = re.compile(r"「([^」]*)」による[ \u00a0]?\[(\d+)\]")


@dataclass(frozen=True)
class Grounding:
    """What one answer rests on, in slugs. ``cited`` are its sources in their order; ``text`` is what the person read.

    ``is_by_rules``: the rules answered in the model's place, so there is no telling from outside what they were given.
    """

    given: tuple[str, ...]
    cited: tuple[str, ...]
    text: str
    is_by_rules: bool = False

    @property
    def wrong_citations(self) -> int:
        """Sources that were not given, markers that name no source, and markers that name another than the model meant."""
        numbers = [int(number) for marker in _MARKER.findall(self.text) for number in re.findall(r"\d+", marker)]
        return (
            sum(slug not in self.given for slug in self.cited)
            + sum(not 1 <= number <= len(self.cited) for number in numbers)
            + sum(self.cited[int(number) - 1 :][:1] != (slug,) for slug, number in _CLAIM.findall(self.text))
        )

    @property
    def lost_citations(self) -> int:
        """The model cites all it was given: whatever is missing was taken from it wrongly."""
        return sum(slug not in self.cited for slug in self.given)


def given_to(body: Json) -> tuple[str, ...]:
    """The passages' slugs in a request, in the order of their numbers."""
    given = {int(number): source for number, source in _PASSAGE.findall(body["messages"][-1]["content"])}
    return tuple(given[number] for number in sorted(given))


def careless(body: Json) -> Script:
    """Cites the passages, the last one first, then numbers that nobody gave, in the ways models write them."""
    given = given_to(body)
    beyond = len(given) + 1
    said = "".join(f"「{slug}」による[{number}]。" for number, slug in reversed(list(enumerate(given, start=1))))
    said += (
        f"ほかにもあります[{beyond}]、[0]、【{beyond + 1}】、 ［{beyond + 2}, 99］。どれも同じです [1, {beyond + 3}] [{beyond}]。"
    )
    return says(*(said[at : at + PIECE] for at in range(0, len(said), PIECE)))


class Coach:
    """One workspace's coach, built from the product's parts."""

    def __init__(self, team_id: str, *, database: Database, inbox: Inbox, use_case: AnswerQuestion, model: ModelServer) -> None:
        self._team_id = team_id
        self._database = database
        self._inbox = inbox
        self._use_case = use_case
        self._model = model
        self._asked = 0

    async def ask(self, text: str, *, language: Language) -> Grounding:
        """A conversation of its own: what was asked before plays no part."""
        self._asked += 1
        where = Conversation(self._team_id, "D1", f"{self._asked}.1", is_direct=True)
        question = Question(
            speaker=Person(self._team_id, "U1"), conversation=where, text=text, asked_at=ASKED_AT, language=language,
            claim=await self._claim(where),
        )  # fmt: skip
        shown = _Shown()
        self._model.forget()
        answer = await self._use_case(question, shown)
        given = given_to(self._model.requests[-1].body) if self._model.requests else ()
        return Grounding(given, tuple(passage.source for passage in answer.sources), shown.text, answer.is_by_rules)

    async def _claim(self, where: Conversation) -> Any:
        event = f"Ev{self._asked}"
        await self._inbox.store_once(
            Envelope(where.team_id, event, "message", where.key, where.channel_id, where.thread_ts, "U1", b"{}")
        )
        async with self._database.reading() as session:
            inbox_id = await session.fetch_value(
                "select id from inbox where team_id = $1 and event_id = $2", where.team_id, event
            )
        claimed = await self._inbox.claim(inbox_id)
        assert claimed is not None
        return claimed.claim


@asynccontextmanager
async def coach(database: Database, redis_url: str, knowledge: Knowledge, *, team_id: str) -> AsyncIterator[Coach]:
    """With the careless model, and the workspace's knowledge as it stands now."""
    cipher = Cipher({"k": bytes(32)})
    redis = RedisConnection.open(RedisOptions(redis_url))
    async with ModelServer(careless) as model, Inbox(database, cipher) as inbox:
        llm = _llm(model)
        use_case = AnswerQuestion(
            database=database, cipher=cipher, recent_turns=RecentTurns(database, cipher, Cache(redis)), knowledge=knowledge,
            llm=llm, drafts=inbox,
        )  # fmt: skip
        yield Coach(team_id, database=database, inbox=inbox, use_case=use_case, model=model)
        await llm.close()
    await redis.close()


def _llm(model: ModelServer) -> LLMService:
    """A vendor's usual model, with a window that is no obstacle."""
    return open_llm(
        Settings(
            _env_file=None,
            llm_provider="openai",
            openai_api_key=SecretStr(model.key or ""),
            openai_base_url=model.openai_url,
            llm_model=None,
            llm_fallbacks=(),
            llm_profiles="",
        )
    )


class _Shown:
    """What the person sees."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def start_over(self) -> None:
        self.text = ""

"""Builds everything once per process, hands it over by constructor, and closes it in reverse order.

Read :func:`open_services` from top to bottom to see what the product consists of.
"""

import contextlib
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from starlette.routing import Route

from app.assistant.answer_question import AnswerQuestion
from app.assistant.change_plan import ChangePlan
from app.assistant.close_sessions import CloseSessions
from app.assistant.decide_proposal import DecideProposal
from app.assistant.deliver_notices import DeliverNotices
from app.assistant.export_person import ExportPerson
from app.assistant.forget_person import ForgetPerson
from app.assistant.give_feedback import GiveFeedback
from app.assistant.guide_talk import GuideTalk
from app.assistant.import_knowledge import ImportKnowledge
from app.assistant.judge_knowledge import JudgeKnowledge
from app.assistant.knowledge_gaps import KnowledgeGaps
from app.assistant.manage_knowledge import ManageKnowledge
from app.assistant.memories import Memories
from app.assistant.note_outcome import NoteOutcome
from app.assistant.past_talks import PastTalks
from app.assistant.propose_knowledge import ProposeKnowledge
from app.assistant.provenance import ExplainAnswers
from app.assistant.read_proposals import ReadProposals
from app.assistant.request_knowledge import RequestKnowledge
from app.assistant.review_stale import ReviewStale
from app.assistant.send_reminders import SendReminders
from app.assistant.show_entry import ShowEntry
from app.assistant.show_growth import ShowGrowth
from app.assistant.show_history import ShowHistory
from app.assistant.show_home import ShowHome
from app.cache.cache import Cache
from app.cache.connection import RedisConnection, redis_options
from app.cache.limits import Limits
from app.coaching.growth.chart import ChartPainter
from app.coaching.growth.taxonomy import read_taxonomy
from app.coaching.memory.recollection import Recollection
from app.core.clock import Clock, SystemClock
from app.core.config import Settings
from app.core.encryption import Cipher, key_from_secret, parse_keys
from app.core.errors import ConfigurationError, SlackUnavailable
from app.core.probe import Asking, Finding, Probe, disk_probe, memory_probe
from app.dialogue.recent_turns import RecentTurns
from app.embeddings.providers import open_embedder
from app.http.console.gate import ConsoleGate
from app.http.console.knowledge import Console
from app.http.routes import admin_gate
from app.i18n.language import Language
from app.inbox.inbox import Inbox
from app.inbox.stopping import StopSignals
from app.knowledge.embedding_queue import EmbeddingQueue
from app.knowledge.library import Library
from app.knowledge.search import KnowledgeSearch
from app.knowledge.synonyms.thesaurus import SynonymsFile
from app.knowledge.tokens import Tokenizer
from app.llm.service import LLMService, open_llm
from app.people.directory import PeopleDirectory
from app.slack.blocks.help import About
from app.slack.bolt_app import BoltDoor
from app.slack.client import SlackClient
from app.slack.dispatcher import SlackDispatcher
from app.slack.edge import EdgeRules, SlackEdge
from app.slack.home_shelf import HomeShelf
from app.slack.ingress import Ingress
from app.slack.interaction import InteractionDoor
from app.slack.introduction import LookUpPerson, WhoWeAre
from app.slack.janitor import Janitor
from app.slack.knowledge_notices import SlackNotices
from app.slack.limits import SharedBudget
from app.slack.markdown import LinkPolicy
from app.slack.receiver import EventReceiver
from app.slack.reminders import SlackReminders
from app.slack.reply import ReplyDesk
from app.slack.routes import SlackRoutes
from app.slack.socket_mode import SocketMode
from app.slack.workspace import WorkspaceDirectory
from app.storage.database import Database
from app.storage.listener import Listener
from app.storage.migrations import newest_revision


@dataclass(frozen=True)
class Services:
    """What the edges above this layer use."""

    settings: Settings
    database: Database
    listener: Listener
    limits: Limits
    inbox: Inbox
    llm: LLMService
    library: Library
    embedding_queue: EmbeddingQueue | None
    dispatcher: SlackDispatcher
    janitor: Janitor
    send_reminders: SendReminders
    close_sessions: CloseSessions
    deliver_notices: DeliverNotices
    knowledge_gaps: KnowledgeGaps
    review_stale: ReviewStale
    slack_routes: list[Route]
    console: Console
    socket_mode: SocketMode | None
    probes: list[Probe]
    clock: Clock


@asynccontextmanager
async def open_services(settings: Settings, *, clock: Clock | None = None) -> AsyncIterator[Services]:
    """Everything, open. ``ConfigurationError``: an operator must mend something; ``StorageUnavailable``: no PostgreSQL."""
    clock = clock or SystemClock()
    async with AsyncExitStack() as opened:
        # Capabilities
        cipher = open_cipher(settings)
        database = await Database.open(
            _required(settings.database_url, "DATABASE_URL"),
            max_connections=settings.database_pool_size + settings.database_max_overflow,
        )
        opened.push_async_callback(database.close)
        listener = await opened.enter_async_context(Listener(database.url))
        redis = RedisConnection.open(redis_options(settings), clock=clock)
        opened.push_async_callback(redis.close)
        cache = Cache(redis)
        limits = Limits(redis, processes=settings.workers, clock=clock)
        llm = open_llm(settings, clock=clock)
        opened.push_async_callback(llm.close)
        embedder = open_embedder(settings)
        if embedder is not None:
            opened.push_async_callback(embedder.close)
        bot_token = _required(settings.slack_bot_token, "SLACK_BOT_TOKEN")
        client = SlackClient.open(
            bot_token,
            base_url=settings.slack_api_url,
            timeout_seconds=settings.slack_request_timeout,
        )
        opened.push_async_callback(client.close)

        # Subjects
        inbox = await opened.enter_async_context(Inbox(database, cipher))
        stops = await opened.enter_async_context(StopSignals(database, listener))
        people = PeopleDirectory(database, cipher, cache, LookUpPerson(client), clock=clock)
        opened.push_async_callback(people.close)
        tokenizer = Tokenizer()
        library = Library(database, tokenizer, clock)
        synonyms = SynonymsFile(settings.synonyms_file, tokenizer, clock)
        await synonyms.load()
        knowledge = KnowledgeSearch(database, tokenizer, embedder=embedder, cache=cache, synonyms=synonyms)
        opened.push_async_callback(knowledge.close)
        recent_turns = RecentTurns(database, cipher, cache, cache_hours=settings.cache_ttl_hours)

        recollection = Recollection(database, cipher, cache, cache_hours=settings.cache_ttl_hours)

        # Use cases
        answer_question = AnswerQuestion(
            database=database,
            cipher=cipher,
            recent_turns=recent_turns,
            knowledge=knowledge,
            llm=llm,
            drafts=inbox,
            recollection=recollection,
            vectors=embedder,
            clock=clock,
        )

        taxonomy = read_taxonomy(settings.skills_file)
        talks = PastTalks(database, cipher, clock, recent_turns)
        show_growth = ShowGrowth(database=database, clock=clock, taxonomy=taxonomy)

        memories = Memories(database=database, cipher=cipher, recollection=recollection, clock=clock, embedder=embedder)
        close_sessions = CloseSessions(
            database=database, cipher=cipher, llm=llm, recollection=recollection, recent_turns=recent_turns, clock=clock,
            embedder=embedder,
        )  # fmt: skip

        propose_knowledge = ProposeKnowledge(database=database, cipher=cipher, clock=clock)
        decide_proposal = DecideProposal(database=database, cipher=cipher, library=library, clock=clock)
        read_proposals = ReadProposals(database=database, cipher=cipher, knowledge=knowledge, tokenizer=tokenizer)
        review_stale = ReviewStale(
            database=database, cipher=cipher, library=library, clock=clock, months=settings.knowledge_review_months
        )
        import_knowledge = ImportKnowledge(database=database, library=library, propose=propose_knowledge, clock=clock)

        # The Slack edge
        workspaces = await opened.enter_async_context(
            WorkspaceDirectory(WhoWeAre(client), people, app_id=settings.slack_app_id, team_id=settings.slack_team_id)
        )
        links = frozenset(settings.allowed_link_hosts)
        budget = SharedBudget(
            streams_per_minute=settings.slack_stream_starts_per_minute, edits_per_minute=settings.slack_edits_per_minute
        )
        edge = SlackEdge(
            rules=EdgeRules(
                about=About(settings.app_name, settings.app_version, is_offline=llm.is_offline),
                links=LinkPolicy(links),
                fallback_language=Language(settings.default_language),
                max_input_length=settings.max_input_length,
                questions_per_minute=settings.questions_per_minute,
                questions_per_minute_workspace=settings.questions_per_minute_workspace,
            ),
            client=client,
            desk=ReplyDesk(client, inbox, stops, limits, link_hosts=links, clock=clock, budget=budget),
            inbox=inbox,
            stops=stops,
            answer_question=answer_question,
            guide_talk=GuideTalk(
                database=database,
                cipher=cipher,
                recent_turns=recent_turns,
                knowledge=knowledge,
                llm=llm,
                drafts=inbox,
                clock=clock,
            ),
            knowledge=knowledge,
            people=people,
            talks=talks,
            forget_person=ForgetPerson(database=database, cipher=cipher, cache=cache, people=people),
            export_person=ExportPerson(database=database, cipher=cipher, clock=clock),
            memories=memories,
            explain_answers=ExplainAnswers(database=database, cipher=cipher, inbox=inbox),
            give_feedback=GiveFeedback(database, cipher, clock),
            judge_knowledge=JudgeKnowledge(database),
            propose_knowledge=propose_knowledge,
            read_proposals=read_proposals,
            decide_proposal=decide_proposal,
            request_knowledge=RequestKnowledge(database=database, cipher=cipher, tokenizer=tokenizer, clock=clock),
            review_stale=review_stale,
            show_entry=ShowEntry(database=database, cipher=cipher, library=library),
            import_knowledge=import_knowledge,
            change_plan=ChangePlan(database=database, cipher=cipher, clock=clock, taxonomy=taxonomy),
            show_home=ShowHome(database=database, cipher=cipher, clock=clock, talks=talks, growth=show_growth, memories=memories),
            home_shelf=HomeShelf(cache, cipher),
            show_growth=show_growth,
            show_history=ShowHistory(
                database=database, cipher=cipher, clock=clock, talks=talks, growth=show_growth, memories=memories
            ),
            note_outcome=NoteOutcome(database=database, taxonomy=taxonomy),
            chart_painter=ChartPainter(settings.data_directory / "matplotlib"),
            limits=limits,
            workspaces=workspaces,
            clock=clock,
        )
        bolt = BoltDoor(edge, bot_token=bot_token)
        receiver = EventReceiver(inbox=inbox, workspaces=workspaces, longest_key=settings.session_id_max_length)
        door = InteractionDoor(bolt=bolt, limits=limits, fallback_language=edge.rules.fallback_language)
        yield Services(
            settings=settings,
            database=database,
            listener=listener,
            limits=limits,
            inbox=inbox,
            llm=llm,
            library=library,
            console=Console(
                manage=ManageKnowledge(database=database, library=library, clock=clock),
                import_files=import_knowledge,
                team_of=lambda: _our_team(workspaces),
                gate=ConsoleGate(admin_gate(settings), clock),
                clock=clock,
                default_language=Language(settings.default_language),
            ),
            embedding_queue=EmbeddingQueue(database, embedder) if embedder else None,
            dispatcher=SlackDispatcher(bolt, edge),
            close_sessions=close_sessions,
            deliver_notices=DeliverNotices(
                database=database,
                cipher=cipher,
                people=people,
                proposals=read_proposals,
                messenger=SlackNotices(client, workspaces, fallback_language=edge.rules.fallback_language),
                clock=clock,
            ),
            knowledge_gaps=KnowledgeGaps(database=database, cipher=cipher, knowledge=knowledge, tokenizer=tokenizer, clock=clock),
            review_stale=review_stale,
            janitor=Janitor(client, inbox),
            send_reminders=SendReminders(
                database=database,
                cipher=cipher,
                people=people,
                clock=clock,
                messenger=SlackReminders(client, workspaces, fallback_language=edge.rules.fallback_language),
            ),
            slack_routes=_slack_routes(settings, clock, receiver, door, workspaces),
            socket_mode=_socket_mode(settings, client, receiver, door, workspaces),
            probes=_probes(settings, database=database, redis=redis, llm=llm, workspaces=workspaces, inbox=inbox),
            clock=clock,
        )


def open_cipher(settings: Settings) -> Cipher:
    """Keys from ENCRYPTION_KEYS; else one derived from SECRET_KEY; else, on a laptop, from a secret kept beside the data."""
    if settings.encryption_keys:
        return Cipher(parse_keys(settings.encryption_keys.get_secret_value()))
    secret = settings.secret_key.get_secret_value() if settings.secret_key else _own_secret(settings.data_directory)
    return Cipher({"secret": key_from_secret(secret)})


def _own_secret(folder: Path) -> str:
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    file = folder / "secret.key"
    with contextlib.suppress(FileExistsError), os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as new:
        new.write(secrets.token_hex(32))
    return file.read_text()


def _required(value: SecretStr | None, name: str) -> str:
    text = value.get_secret_value() if value else ""
    if not text:
        raise ConfigurationError(f"{name} is not set: set it, or start with `sales-agent demo`")
    return text


def _our_team(workspaces: WorkspaceDirectory) -> str:
    """``SlackUnavailable`` as long as Slack has not told which workspace this is."""
    team_id = workspaces.current.team_id
    if team_id is None:
        raise SlackUnavailable("the workspace is not known yet: see `sales-agent check --slack`, or set SLACK_TEAM_ID")
    return team_id


def _slack_routes(
    settings: Settings, clock: Clock, receiver: EventReceiver, door: InteractionDoor, workspaces: WorkspaceDirectory
) -> list[Route]:
    """Empty in Socket Mode, where nothing arrives over HTTP."""
    if settings.socket_mode:
        return []
    known = (settings.slack_signing_secret, settings.slack_signing_secret_previous)
    ingress = Ingress(signing_secrets=[secret.get_secret_value() for secret in known if secret], clock=clock)
    return SlackRoutes(ingress=ingress, receiver=receiver, door=door, workspaces=workspaces).routes()


def _socket_mode(
    settings: Settings, client: SlackClient, receiver: EventReceiver, door: InteractionDoor, workspaces: WorkspaceDirectory
) -> SocketMode | None:
    if not settings.socket_mode:
        return None
    token = _required(settings.slack_app_token, "SLACK_APP_TOKEN")
    return SocketMode(app_token=token, web=client.web, receiver=receiver, door=door, workspaces=workspaces)


def _probes(
    settings: Settings,
    *,
    database: Database,
    redis: RedisConnection,
    llm: LLMService,
    workspaces: WorkspaceDirectory,
    inbox: Inbox,
) -> list[Probe]:
    expected = newest_revision()  # read from disk once, not at every probe of readiness

    async def ask_database() -> Finding:
        async with database.reading() as session:
            revision = await session.fetch_value("select version_num from alembic_version")
        detail = {"connections": database.pool_size, "in_use": database.pool_in_use, "revision": revision, "expected": expected}
        return Finding(revision == expected, detail)

    async def ask_redis() -> Finding:
        return Finding(await redis.ping())

    async def ask_slack() -> Finding:
        us = workspaces.current
        return Finding(us.bot_user_id is not None and not us.is_removed, {"team_id": us.team_id, "app_id": us.app_id})

    async def ask_llm() -> Finding:
        return Finding(True, {"is_offline": llm.is_offline, "model": llm.model_name})

    async def ask_queue() -> Finding:
        queue = await inbox.queue()
        return Finding(queue.moves, {"undone": queue.undone, "oldest_seconds": queue.oldest_seconds, "workers": queue.workers})

    return [
        Asking("database", ask_database, is_required=True),
        Asking("redis", ask_redis),
        Asking("slack", ask_slack),
        Asking("llm", ask_llm),
        Asking("queue", ask_queue),
        disk_probe(settings.data_directory),
        memory_probe(),
    ]

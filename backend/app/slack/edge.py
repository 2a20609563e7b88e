"""What listeners and commands may use: built once by ``composition`` and handed to every one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.assistant.change_plan import ChangePlan
from app.assistant.decide_proposal import DecideProposal
from app.assistant.export_person import ExportPerson
from app.assistant.forget_person import ForgetPerson
from app.assistant.give_feedback import GiveFeedback
from app.assistant.guide_talk import GuideTalk
from app.assistant.import_knowledge import ImportKnowledge
from app.assistant.judge_knowledge import JudgeKnowledge
from app.assistant.memories import Memories
from app.assistant.note_outcome import NoteOutcome
from app.assistant.past_talks import PastTalks
from app.assistant.propose_knowledge import ProposeKnowledge
from app.assistant.provenance import ExplainAnswers
from app.assistant.question import Answer, AnswerSink, Question
from app.assistant.read_proposals import ReadProposals
from app.assistant.request_knowledge import RequestKnowledge
from app.assistant.review_stale import ReviewStale
from app.assistant.show_entry import ShowEntry
from app.assistant.show_growth import ShowGrowth
from app.assistant.show_history import ShowHistory
from app.assistant.show_home import ShowHome
from app.cache.limits import Limits
from app.coaching.growth.chart import ChartPainter
from app.core.clock import Clock
from app.i18n.language import Language
from app.inbox.inbox import Inbox
from app.inbox.stopping import StopSignals
from app.knowledge.filters import SearchFilter
from app.knowledge.passage import Passage
from app.knowledge.snippet import Piece
from app.people.directory import PeopleDirectory
from app.people.person import Actor
from app.slack.blocks.help import About
from app.slack.client import SlackClient
from app.slack.home_shelf import HomeShelf
from app.slack.markdown import LinkPolicy
from app.slack.reply import ReplyDesk
from app.slack.workspace import WorkspaceDirectory


class AnswersQuestions(Protocol):
    """The use case behind every question."""

    async def __call__(self, question: Question, sink: AnswerSink) -> Answer: ...

    async def keep_stopped(self, question: Question, text: str) -> None: ...


class SearchesKnowledge(Protocol):
    """The company's knowledge, as far as the actor may see it."""

    async def search(
        self, text: str, *, actor: Actor, limit: int = 5, language: Language | None = None, wanted: SearchFilter | None = None
    ) -> list[Passage]: ...

    async def snippets(self, question: str, passages: Sequence[Passage], *, length: int) -> list[tuple[Piece, ...]]: ...


@dataclass(frozen=True)
class EdgeRules:
    """The settings this edge goes by."""

    about: About
    links: LinkPolicy
    fallback_language: Language = Language.JAPANESE
    max_input_length: int = 10_000
    questions_per_minute: int = 20
    questions_per_minute_workspace: int = 300
    replies_per_thread_and_minute: int = 10


@dataclass(frozen=True)
class SlackEdge:
    """Everything a listener needs, by name."""

    rules: EdgeRules
    client: SlackClient
    desk: ReplyDesk
    inbox: Inbox
    stops: StopSignals
    answer_question: AnswersQuestions
    guide_talk: GuideTalk
    knowledge: SearchesKnowledge
    people: PeopleDirectory
    talks: PastTalks
    forget_person: ForgetPerson
    export_person: ExportPerson
    memories: Memories
    explain_answers: ExplainAnswers
    give_feedback: GiveFeedback
    judge_knowledge: JudgeKnowledge
    propose_knowledge: ProposeKnowledge
    read_proposals: ReadProposals
    decide_proposal: DecideProposal
    request_knowledge: RequestKnowledge
    review_stale: ReviewStale
    show_entry: ShowEntry
    import_knowledge: ImportKnowledge
    change_plan: ChangePlan
    show_home: ShowHome
    home_shelf: HomeShelf
    show_growth: ShowGrowth
    show_history: ShowHistory
    note_outcome: NoteOutcome
    chart_painter: ChartPainter
    limits: Limits
    workspaces: WorkspaceDirectory
    clock: Clock

"""A plan from a model: asked for in a strict form, checked, mended once, and never shown when it is broken."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from app.coaching.ask_for_json import LanguageModel, ask_for_json
from app.coaching.fence import fenced, shortened
from app.coaching.plan.due_dates import accepted_due_date, today_of
from app.coaching.plan.plan import PLAN_SCHEMA, ActionPlan, parse_plan
from app.coaching.plan.repository import PlanItem
from app.coaching.prompt_file import prompt_file
from app.coaching.talk.state import Point, Talk
from app.coaching.wording import find_faults
from app.core.errors import ModelReplyInvalid
from app.core.metrics import count_error
from app.i18n.detection import language_of
from app.i18n.language import Language
from app.knowledge.passage import Passage
from app.llm.interface import ModelCall, ModelRequest, PromptMessage, Role

logger = logging.getLogger(__name__)

LATEST_DAYS = 90
LONGEST_STATEMENT = 1000
LONGEST_PASSAGE = 1200


@dataclass(frozen=True)
class PlanMaterial:
    """What a plan is made of. ``earlier``: items of the person's earlier plans, so that nothing is planned twice."""

    talk: Talk
    language: Language
    now: datetime
    time_zone: str
    passages: Sequence[Passage] = ()
    earlier: Sequence[PlanItem] = ()
    most_actions: int = 5


async def plan_by_model(
    llm: LanguageModel, material: PlanMaterial, *, team_id: str, user_id: str, calls: list[ModelCall], seconds: float
) -> tuple[ActionPlan, str] | None:
    """A valid plan and the model's name; ``None`` when there is none after one attempt to have it mended.

    ``seconds``: for both together.
    """
    fault = draft = ""
    for _ in range(2):
        request = _request(material, fault=fault, draft=draft, team_id=team_id, user_id=user_id)
        try:
            reply = await ask_for_json(llm, request, seconds=seconds / 2, calls=calls)
            if reply is None:
                return None
            draft = reply.text
            return checked_plan(draft, material), reply.model
        except ModelReplyInvalid as error:
            count_error(error)
            logger.warning("plan_invalid", extra={"was_mended": bool(fault)})
            fault = str(error)
    return None


def checked_plan(text: str, material: PlanMaterial) -> ActionPlan:
    """The plan of a model's JSON, its dates on working days; ``ModelReplyInvalid`` says what is wrong with it."""
    earliest, latest = _dates(material)
    known = frozenset(passage.entry_id for passage in material.passages)
    plan = parse_plan(json.loads(text), known_entries=known, earliest=earliest, latest=latest)
    if len(plan.actions) > material.most_actions:
        raise ModelReplyInvalid(f"the plan may have {material.most_actions} actions at most")
    texts = "\n".join((plan.summary, *(f"{one.title}\n{one.description}\n{one.success_metric}" for one in plan.actions)))
    if faults := find_faults(texts, material.language):
        raise ModelReplyInvalid(f"the wording breaks the rules: {', '.join(faults)}")
    if language_of(texts) not in {None, material.language}:
        raise ModelReplyInvalid(f"the plan must be written in the language {material.language.value}")
    actions = tuple(
        replace(one, due_on=accepted_due_date(one.due_on, material.now, time_zone=material.time_zone)) for one in plan.actions
    )
    return replace(plan, actions=actions)


def _dates(material: PlanMaterial) -> tuple[date, date]:
    today = today_of(material.now, material.time_zone)
    return today + timedelta(days=1), today + timedelta(days=LATEST_DAYS)


def _request(material: PlanMaterial, *, fault: str, draft: str, team_id: str, user_id: str) -> ModelRequest:
    instructions, version = prompt_file("talk/plan", material.language)
    text = "\n\n".join((*_quoted(material), *_to_mend(fault, draft)))
    return ModelRequest(
        purpose="plan", instructions=instructions, messages=(PromptMessage(Role.SPEAKER, text, is_expendable=False),),
        team_id=team_id, user_id=user_id, prompt_version=version, max_tokens=3000, schema=PLAN_SCHEMA,
    )  # fmt: skip


def _quoted(material: PlanMaterial) -> list[str]:
    earliest, latest = _dates(material)
    frame = fenced(
        "frame", "", earliest=earliest.isoformat(), latest=latest.isoformat(), most_actions=str(material.most_actions),
        language=material.language.value,
    )  # fmt: skip
    told = ((point, material.talk.statement_of(point)) for point in Point)
    statements = [fenced("told", shortened(known.text, LONGEST_STATEMENT), point=point) for point, known in told if known]
    earlier = [fenced("earlier_action", item.action.title, status=item.status) for item in material.earlier]
    passages = [
        fenced("knowledge", shortened(one.text, LONGEST_PASSAGE), entry=str(one.entry_id), title=one.title)
        for one in material.passages
    ]
    return [frame, *statements, *earlier, *passages]


def _to_mend(fault: str, draft: str) -> list[str]:
    if not fault:
        return []
    return [fenced("earlier_attempt", shortened(draft, 6000)), fenced("fault", fault)] if draft else [fenced("fault", fault)]

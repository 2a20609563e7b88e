"""A plan, whoever makes it."""

from dataclasses import dataclass

from app.coaching.ask_for_json import LanguageModel
from app.coaching.plan.by_model import PlanMaterial, plan_by_model
from app.coaching.plan.by_rules import plan_by_rules
from app.coaching.plan.plan import ActionPlan
from app.llm.interface import ModelCall

BY_RULES = "rules"


@dataclass(frozen=True)
class MadePlan:
    """``made_by``: the model's name, or ``rules``. ``is_instead``: there is a model, and it gave no plan that can be used."""

    plan: ActionPlan
    made_by: str
    is_instead: bool = False


async def make_plan(
    llm: LanguageModel, material: PlanMaterial, *, team_id: str, user_id: str, calls: list[ModelCall], seconds: float
) -> MadePlan:
    """The model's plan when it is valid, else the rules'. ``calls`` grows by what was paid for."""
    if not llm.is_offline:
        made = await plan_by_model(llm, material, team_id=team_id, user_id=user_id, calls=calls, seconds=seconds)
        if made is not None:
            return MadePlan(*made)
    plan = plan_by_rules(
        material.talk, material.language, now=material.now, time_zone=material.time_zone, knowledge=material.passages,
        planned_before={item.action.title for item in material.earlier}, most=material.most_actions,
    )  # fmt: skip
    return MadePlan(plan, BY_RULES, is_instead=not llm.is_offline)

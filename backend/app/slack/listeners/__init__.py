import re
from collections.abc import Awaitable, Callable

from app.slack.blocks.ask import ASK_ACTION, ASK_VIEW
from app.slack.blocks.feedback import FEEDBACK_ACTION, REASON_VIEW
from app.slack.blocks.forget import FORGET_VIEW, OPEN_FORGET_ACTION
from app.slack.blocks.history import EXPORT_ACTION, OUTCOME_ACTION
from app.slack.blocks.home import DOSE_ACTION, HELP_ACTION, LANGUAGE_ACTION, PERSONA_ACTION, VISIBILITY_ACTION
from app.slack.blocks.import_report import UNDO_ACTIONS
from app.slack.blocks.knowledge import (
    ANSWER_ACTION,
    MORE_ACTION,
    ROLL_BACK_ACTION,
    SEARCH_VIEW,
    SHARE_ACTION,
    SHOW_AGAIN_ACTION,
    VERDICT_ACTION,
)
from app.slack.blocks.memory import CORRECTION_VIEW, EDIT_ACTION, ERASE_ACTION, OPEN_ACTION, PAGE_ACTION
from app.slack.blocks.plan import DONE_ACTION, MENU_ACTION, UNDO_ACTION
from app.slack.blocks.plan_forms import DROP_VIEW, EDIT_VIEW, POSTPONE_VIEW
from app.slack.blocks.prompts import PROMPT_ACTION
from app.slack.blocks.proposals import (
    APPROVE_ACTION,
    EDIT_ENTRY_ACTION,
    ENTRY_VIEW,
    PROPOSALS_OPEN_ACTION,
    PROPOSE_ACTION,
    REFUSAL_VIEW,
    REFUSE_ACTION,
    RETIRE_ACTION,
    STILL_RIGHT_ACTION,
    WRITE_ACTION,
)
from app.slack.blocks.proposals import (
    EDIT_ACTION as EDIT_PROPOSAL_ACTION,
)
from app.slack.blocks.reminder import SNOOZE_ACTION, STOP_ITEM_ACTION, SWITCH_ACTION
from app.slack.blocks.request import REQUEST_ACTION
from app.slack.blocks.talk import WISH_ACTION
from app.slack.blocks.trouble import ANSWER_ANYWAY_ACTION, RETRY_ACTION
from app.slack.blocks.why import WHY_ACTION
from app.slack.commands import COMMANDS
from app.slack.errands import CHART, EXPORT, FORGET
from app.slack.listeners import (
    clicks,
    entry_form,
    files,
    history,
    knowledge,
    make_knowledge,
    memory,
    plan_items,
    proposals,
    settings,
    talk,
)
from app.slack.listeners.home import welcome
from app.slack.listeners.lifecycle import notice_removal, stop_answering
from app.slack.listeners.message import answer_message
from app.slack.listeners.slash import listener_for, unknown_command

Listener = Callable[..., Awaitable[None]]
Name = str | re.Pattern[str]

EVENTS: tuple[tuple[str, Listener], ...] = (
    ("app_mention", answer_message),
    ("message", answer_message),
    ("app_home_opened", welcome),
    ("agent_session_stopped", stop_answering),
    ("tokens_revoked", notice_removal),
    ("app_uninstalled", notice_removal),
)

SLASH_COMMANDS: tuple[tuple[Name, Listener], ...] = (
    *((command.name, listener_for(command)) for command in COMMANDS),
    (re.compile(r"/.*"), unknown_command),
)

ACTIONS: tuple[tuple[Name, Listener], ...] = (
    (FEEDBACK_ACTION, clicks.take_verdict),
    (RETRY_ACTION, clicks.retry_question),
    (ANSWER_ANYWAY_ACTION, clicks.retry_question),
    (WISH_ACTION, talk.take_wish),
    (ASK_ACTION, clicks.open_question_form),
    (re.compile(PROMPT_ACTION.format(number=r"\d")), clicks.open_question_form),
    (HELP_ACTION, clicks.open_help),
    (LANGUAGE_ACTION, clicks.choose_language),
    (SHARE_ACTION, knowledge.share_knowledge),
    (VERDICT_ACTION, knowledge.judge_knowledge),
    (MORE_ACTION, knowledge.do_more),
    (SHOW_AGAIN_ACTION, knowledge.show_again),
    (ANSWER_ACTION, knowledge.answer_search),
    (REQUEST_ACTION, knowledge.request_knowledge),
    (ROLL_BACK_ACTION, knowledge.roll_back),
    (PROPOSALS_OPEN_ACTION, proposals.open_proposals),
    (PROPOSE_ACTION, proposals.open_empty_form),
    (APPROVE_ACTION, proposals.approve),
    (EDIT_PROPOSAL_ACTION, proposals.open_edit),
    (REFUSE_ACTION, proposals.open_refusal),
    (WRITE_ACTION, proposals.write_answer),
    (STILL_RIGHT_ACTION, proposals.confirm_entry),
    (EDIT_ENTRY_ACTION, proposals.edit_entry),
    (RETIRE_ACTION, proposals.retire_entry),
    (DOSE_ACTION, settings.choose_dose),
    (PERSONA_ACTION, settings.choose_persona),
    (VISIBILITY_ACTION, settings.choose_visibility),
    (SWITCH_ACTION, settings.switch_reminders),
    (DONE_ACTION, plan_items.tick),
    (UNDO_ACTION, plan_items.undo),
    (MENU_ACTION, plan_items.open_form),
    (SNOOZE_ACTION, plan_items.snooze),
    (STOP_ITEM_ACTION, plan_items.stop_reminding),
    (EXPORT_ACTION, history.export_my_data),
    (OPEN_FORGET_ACTION, history.ask_before_forgetting),
    (re.compile(OUTCOME_ACTION.format(outcome=r"\w+")), history.take_outcome),
    (CHART, history.send_chart),
    (EXPORT, history.send_export),
    (FORGET, history.forget_everything),
    (OPEN_ACTION, memory.open_memories),
    (re.compile(EDIT_ACTION.format(id=r"\d+")), memory.open_correction),
    (re.compile(ERASE_ACTION.format(id=r"\d+")), memory.erase_memory),
    (re.compile(PAGE_ACTION.format(direction=r"\w+")), memory.turn_page),
    (WHY_ACTION, memory.explain_answer),
    (UNDO_ACTIONS, files.undo_import),
    (re.compile(r".*"), clicks.ignore),
)

SHORTCUTS: tuple[tuple[Name, Listener], ...] = (
    (make_knowledge.MAKE_SHORTCUT, make_knowledge.begin_entry),
    (re.compile(r".*"), clicks.ignore),
)

VIEWS: tuple[tuple[Name, Listener], ...] = (
    (REASON_VIEW, clicks.take_reason),
    (ASK_VIEW, clicks.take_question),
    (SEARCH_VIEW, knowledge.search_in_window),
    (ENTRY_VIEW, entry_form.take_entry),
    (REFUSAL_VIEW, proposals.refuse),
    (POSTPONE_VIEW, plan_items.take_new_day),
    (EDIT_VIEW, plan_items.take_rewrite),
    (DROP_VIEW, plan_items.take_drop),
    (FORGET_VIEW, history.take_word),
    (CORRECTION_VIEW, memory.take_correction),
    (re.compile(r".*"), clicks.ignore),
)

import re
from collections.abc import Awaitable, Callable

from app.slack.blocks.ask import ASK_ACTION, ASK_VIEW
from app.slack.blocks.feedback import FEEDBACK_ACTION, REASON_VIEW
from app.slack.blocks.forget import FORGET_VIEW, OPEN_FORGET_ACTION
from app.slack.blocks.history import EXPORT_ACTION, OUTCOME_ACTION
from app.slack.blocks.home import HELP_ACTION, LANGUAGE_ACTION
from app.slack.blocks.knowledge import SEARCH_VIEW, SHARE_ACTION, VERDICT_ACTION
from app.slack.blocks.prompts import PROMPT_ACTION
from app.slack.blocks.trouble import ANSWER_ANYWAY_ACTION, RETRY_ACTION
from app.slack.commands import COMMANDS
from app.slack.errands import CHART, EXPORT, FORGET
from app.slack.listeners import clicks, history
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
    (ASK_ACTION, clicks.open_question_form),
    (re.compile(PROMPT_ACTION.format(number=r"\d")), clicks.open_question_form),
    (HELP_ACTION, clicks.open_help),
    (LANGUAGE_ACTION, clicks.choose_language),
    (SHARE_ACTION, clicks.share_knowledge),
    (VERDICT_ACTION, clicks.judge_knowledge),
    (EXPORT_ACTION, history.export_my_data),
    (OPEN_FORGET_ACTION, history.ask_before_forgetting),
    (re.compile(OUTCOME_ACTION.format(outcome=r"\w+")), history.take_outcome),
    (CHART, history.send_chart),
    (EXPORT, history.send_export),
    (FORGET, history.forget_everything),
    (re.compile(r".*"), clicks.ignore),
)

VIEWS: tuple[tuple[Name, Listener], ...] = (
    (REASON_VIEW, clicks.take_reason),
    (ASK_VIEW, clicks.take_question),
    (SEARCH_VIEW, clicks.search_in_window),
    (FORGET_VIEW, history.take_word),
    (re.compile(r".*"), clicks.ignore),
)

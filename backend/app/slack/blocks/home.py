"""The Home tab: what the coach does for this person, what was talked about, and their settings."""

from app.i18n.language import Language
from app.i18n.messages import message
from app.slack.blocks.ask import ASK_ACTION
from app.slack.blocks.help import About, status_line
from app.slack.blocks.history import History, talk_lines
from app.slack.blocks.parts import Block, actions, button, context, divider, header, plain, section

LANGUAGE_ACTION = "choose_language"
HELP_ACTION = "open_help"
AUTOMATIC = "auto"


def home_view(*, language: Language, chosen: Language | None, history: History, about: About) -> Block:
    """``chosen`` is what the person picked here; ``None`` follows Slack."""
    return {"type": "home", "callback_id": "home", "blocks": [
        header(message("home.title", language)),
        section(message("home.greeting", language)),
        section(f"*{message('home.can_do_title', language)}*\n{message('home.can_do', language)}"),
        actions(
            button(message("home.ask", language), action_id=ASK_ACTION, style="primary"),
            button(message("home.help", language), action_id=HELP_ACTION),
        ),
        divider(),
        section(f"*{message('home.recent_title', language)}*\n{_recent(history, language)}"),
        divider(),
        section(message("home.language_label", language), accessory=_language_select(language, chosen)),
        context(message("home.privacy", language)),
        context(status_line(about, language)),
    ]}  # fmt: skip


def help_modal(blocks: list[Block], language: Language) -> Block:
    """Help as a window, since the Home tab has no place for a private message."""
    return {"type": "modal", "callback_id": "help", "title": plain(message("home.title", language), 24),
            "close": plain(message("commands.ai_knowledge.modal_close", language), 24), "blocks": blocks}  # fmt: skip


def _recent(history: History, language: Language) -> str:
    return talk_lines(history.talks[:5], language) if history.talks else message("home.recent_none", language)


def _language_select(language: Language, chosen: Language | None) -> Block:
    options = {name: _option(name, language) for name in (AUTOMATIC, *Language)}
    return {
        "type": "static_select", "action_id": LANGUAGE_ACTION, "options": list(options.values()),
        "initial_option": options[chosen or AUTOMATIC],
    }  # fmt: skip


def _option(name: str, language: Language) -> Block:
    return {"text": plain(message(f"home.language_{name}", language), 75), "value": str(name)}

"""Before everything about a person is erased: what goes, what stays, and a word to type."""

from app.i18n.language import Language
from app.i18n.messages import catalog, message
from app.people.personal_data import PERSONAL_DATA, Fate
from app.slack.blocks.parts import Block, actions, button, context, modal, plain, section, text_input

OPEN_FORGET_ACTION = "forget_me_open"
FORGET_VIEW = "forget_me"
WORD_BLOCK = "word"


def forget_offer(language: Language, *, style: str | None = "danger") -> list[Block]:
    """Where no window can open by itself: a question and the button that opens it."""
    open_it = button(message("growth.forget.open", language), action_id=OPEN_FORGET_ACTION, style=style)
    return [section(message("growth.forget.ask", language)), actions(open_it)]


def forget_modal(language: Language) -> Block:
    goes = [data.name for data in PERSONAL_DATA if data.fate is not Fate.ANONYMISE]
    stays = [data.name for data in PERSONAL_DATA if data.fate is Fate.ANONYMISE]
    word = message("growth.forget.word", language)
    return modal(
        callback_id=FORGET_VIEW, title=message("growth.forget.title", language),
        submit=message("growth.forget.submit", language), close=message("growth.forget.cancel", language),
        blocks=[
            section(f"{message('growth.forget.intro', language)}\n{_list(goes, language)}"),
            section(f"{message('growth.forget.stays', language)}\n{_list(stays, language)}"),
            context(message("growth.forget.slack", language)),
            context(message("growth.forget.first_export", language)),
            text_input(
                block_id=WORD_BLOCK, label=message("growth.forget.label", language, word=word), placeholder=word,
                max_length=40, lines=False,
            ),
        ],
    )  # fmt: skip


def forgetting_modal(language: Language) -> Block:
    """The window after the word was typed."""
    return {
        "type": "modal", "callback_id": "forgetting", "title": plain(message("growth.forget.title", language), 24),
        "close": plain(message("growth.forget.close", language), 24),
        "blocks": [section(message("growth.forget.started", language))],
    }  # fmt: skip


def name_of_data(name: str, language: Language) -> str:
    """A class of personal data as people read it. A class without a name of its own must not keep anybody from erasing it."""
    key = f"growth.data.{name.replace(' ', '_')}"
    return message(key if key in catalog(language) else "growth.data.other", language)


def _list(names: list[str], language: Language) -> str:
    return message("growth.skills.separator", language).join(dict.fromkeys(name_of_data(name, language) for name in names))

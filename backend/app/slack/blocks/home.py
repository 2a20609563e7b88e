"""The Home tab: what this week is about, what is to do, how the person has come along, what is remembered, and their settings."""

from collections.abc import Iterable

from app.assistant.show_home import Focus, HomePage
from app.coaching.talk.topics import topics
from app.i18n.language import Language
from app.i18n.messages import message
from app.people.person import Dose, Person, Persona, Standing, Visibility
from app.slack.blocks.ask import ASK_ACTION
from app.slack.blocks.growth import growth_blocks
from app.slack.blocks.help import About, status_line
from app.slack.blocks.history import talk_lines
from app.slack.blocks.parts import Block, actions, button, clipped, context, divider, foreign, header, plain, section
from app.slack.blocks.plan import plan_item_blocks
from app.slack.blocks.prompts import PROMPT_ACTION
from app.slack.blocks.proposals import PROPOSALS_OPEN_ACTION
from app.slack.blocks.reminder import ON, SWITCH_ACTION, stop_all_button, visibility_line
from app.slack.history import talks_of

LANGUAGE_ACTION = "choose_language"
DOSE_ACTION = "choose_dose"
PERSONA_ACTION = "choose_persona"
VISIBILITY_ACTION = "choose_visibility"
HELP_ACTION = "open_help"
MEMORY_ACTION = "memory_open"
AUTOMATIC = "auto"
# Suggested prompts have the numbers from 1 on.
_PRACTICE, _PLAN = PROMPT_ACTION.format(number=8), PROMPT_ACTION.format(number=9)
_TITLE = 200
_MEMORY = 300


def home_view(page: HomePage, *, language: Language, about: About) -> Block:
    """At most 67 blocks, however much there is to show."""
    return {"type": "home", "callback_id": "home", "blocks": [
        header(message("home.title", language)),
        section(message("home.greeting", language)),
        _start_buttons(language),
        _knowledge_button(page.person, language),
        *_part("focus", language, [section(_focus_text(page, language))]),
        *_part("plan", language, _plan_blocks(page, language)),
        *_part("growth", language, growth_blocks(page.growth, language)),
        *_part("memory", language, _memory_blocks(page, language)),
        *_part("recent", language, [section(_recent(page, language)), context(_figures(page, language))]),
        *_part("settings", language, _settings(page.person, language)),
        context(message("home.privacy", language)),
        context(status_line(about, language)),
    ]}  # fmt: skip


def refusal_view(language: Language) -> Block:
    """For people from outside: the coach does not work for them."""
    return {"type": "home", "callback_id": "home", "blocks": [
        header(message("home.title", language)), section(message("agent.external", language)),
    ]}  # fmt: skip


def blank_view(language: Language) -> Block:
    """For somebody of whom nothing is known any more."""
    return {"type": "home", "callback_id": "home", "blocks": [
        header(message("home.title", language)), section(message("home.greeting", language)), _start_buttons(language),
    ]}  # fmt: skip


def help_modal(blocks: list[Block], language: Language) -> Block:
    """Help as a window, since the Home tab has no place for a private message."""
    return {"type": "modal", "callback_id": "help", "title": plain(message("home.title", language), 24),
            "close": plain(message("commands.ai_knowledge.modal_close", language), 24), "blocks": blocks}  # fmt: skip


def _part(name: str, language: Language, blocks: Iterable[Block]) -> list[Block]:
    return [divider(), header(message(f"home.{name}_title", language)), *blocks]


def _start_buttons(language: Language) -> Block:
    return actions(
        button(message("home.ask", language), action_id=ASK_ACTION, style="primary"),
        button(message("home.start_plan", language), action_id=_PLAN, value=message("home.start_plan_text", language)),
        button(
            message("home.start_practice", language), action_id=_PRACTICE, value=message("home.start_practice_text", language)
        ),
        button(message("home.help", language), action_id=HELP_ACTION),
    )


def _knowledge_button(person: Person, language: Language) -> Block:
    """For those who decide, what waits for them; for everybody else, the form of a proposal."""
    text = "proposals.propose_button" if person.standing is Standing.MEMBER else "proposals.open_button"
    return actions(button(message(text, language), action_id=PROPOSALS_OPEN_ACTION))


def _focus_text(page: HomePage, language: Language) -> str:
    focus = page.focus
    lines = [line for line in (_next_step(focus, language), _skill(focus, language), _topic(focus, language)) if line]
    if not lines:
        return message("home.focus_none", language)
    counts = message("home.focus_counts", language, due=focus.due_this_week, overdue=focus.overdue)
    return "\n".join([*lines, counts] if page.open_count else lines)


def _next_step(focus: Focus, language: Language) -> str:
    if focus.next_item is None:
        return ""
    return message("home.focus_item", language, title=foreign(focus.next_item.action.title, _TITLE))


def _skill(focus: Focus, language: Language) -> str:
    if focus.skill is None:
        return ""
    name, behaviour = focus.skill.name(language), focus.skill.behaviour(language)
    return message("home.focus_skill", language, name=foreign(name, 100), behaviour=foreign(behaviour, 400))


def _topic(focus: Focus, language: Language) -> str:
    topic = topics(language).get(focus.topic or "")
    return message("home.focus_topic", language, topic=foreign(topic.title, 100)) if topic else ""


def _plan_blocks(page: HomePage, language: Language) -> list[Block]:
    if not page.items:
        return [section(message("home.plan_none", language))]
    visibility = visibility_line(page.person.visibility, language)
    blocks = [_marked(block, visibility) for block in plan_item_blocks(page.items, language, page.today, has_details=False)]
    if page.open_count > len(page.items):
        blocks.append(context(message("home.plan_more", language, count=page.open_count - len(page.items))))
    return blocks


def _marked(block: Block, visibility: str) -> Block:
    """公開範囲 stands with every item."""
    if block["type"] != "section":
        return block
    return {**block, "text": {**block["text"], "text": f"{block['text']['text']}\n{visibility}"}}


def _memory_blocks(page: HomePage, language: Language) -> list[Block]:
    if not page.memories:
        return [section(message("home.memory_none", language)), _memory_button(language)]
    lines = [
        message(
            "home.memory_line", language, kind=message(f"growth.kind.{memory.kind}", language),
            text=foreign(" ".join(memory.text.split()), _MEMORY),
        )
        for memory in page.memories
    ]  # fmt: skip
    private = visibility_line(Visibility.PRIVATE, language)
    return [section(clipped("\n".join(lines), 2900)), context(private), _memory_button(language)]


def _memory_button(language: Language) -> Block:
    return actions(button(message("home.memory_open", language), action_id=MEMORY_ACTION))


def _recent(page: HomePage, language: Language) -> str:
    talks = talks_of(page.talks, page.person.time_zone)
    return talk_lines(talks, language) if talks else message("home.recent_none", language)


def _figures(page: HomePage, language: Language) -> str:
    tally = page.tally
    rate = message("home.figures_none", language)
    if tally.completion_rate is not None:
        rate = message("home.figures_rate", language, percent=round(100 * tally.completion_rate))
    return message(
        "home.figures", language, talks=page.talk_count, done=tally.done, open=tally.open, overdue=tally.overdue, rate=rate
    )


def _settings(person: Person, language: Language) -> list[Block]:
    return [
        section(message("home.language_label", language), accessory=_language_select(person, language)),
        section(message("home.dose_label", language), accessory=_dose_select(person, language)),
        section(message("home.persona_label", language), accessory=_select(
            PERSONA_ACTION, "persona", Persona, person.persona, language
        )),
        section(message("home.visibility_label", language), accessory=_select(
            VISIBILITY_ACTION, "visibility", Visibility, person.visibility, language
        )),
        section(
            message("home.reminders_on" if person.reminders_on else "home.reminders_off", language),
            accessory=stop_all_button(language) if person.reminders_on else _resume_button(language),
        ),
    ]  # fmt: skip


def _language_select(person: Person, language: Language) -> Block:
    chosen = person.language if person.language_is_chosen else AUTOMATIC
    return _select(LANGUAGE_ACTION, "language", (AUTOMATIC, *Language), chosen or AUTOMATIC, language)


def _dose_select(person: Person, language: Language) -> Block:
    return _select(DOSE_ACTION, "dose", (AUTOMATIC, *Dose), person.dose if person.dose_is_chosen else AUTOMATIC, language)


def _resume_button(language: Language) -> Block:
    return button(message("home.reminders_resume", language), action_id=SWITCH_ACTION, value=ON, style="primary")


def _select(action_id: str, name: str, values: Iterable[str], chosen: str, language: Language) -> Block:
    options = {
        str(value): {"text": plain(message(f"home.{name}_{value}", language), 75), "value": str(value)} for value in values
    }
    return {"type": "static_select", "action_id": action_id, "options": list(options.values()), "initial_option": options[chosen]}

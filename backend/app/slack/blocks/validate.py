"""Slack's rules for blocks and views, as far as they can be checked without Slack. Used by the tests of every builder.

``slack_sdk``'s own models overlook a good part of them (lengths of fields and options, doubled ids, empty rows of buttons,
what may stand on which surface) and silently drop blocks they do not know.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_BLOCKS_ON = {"message": 50, "modal": 100, "home": 100}
_MESSAGES_ONLY = {"markdown", "context_actions", "task_card", "plan", "table"}
_KNOWN = {"section", "header", "context", "actions", "divider", "input", "image", "rich_text", *_MESSAGES_ONLY}
_MARKDOWN_TOTAL = 12_000

Block = Mapping[str, Any]


def problems_of(blocks: Sequence[Block], surface: str = "message") -> list[str]:
    """What Slack would refuse, in words; empty when nothing is wrong."""
    problems = []
    if not 1 <= len(blocks) <= _BLOCKS_ON[surface]:
        problems.append(f"{len(blocks)} blocks on a {surface}")
    for index, block in enumerate(blocks):
        problems += [f"block {index} ({block.get('type')}): {problem}" for problem in _problems_of_block(block, surface)]
    problems += _doubled("block_id", [block["block_id"] for block in blocks if "block_id" in block])
    markdown = sum(len(block["text"]) for block in blocks if block.get("type") == "markdown")
    if markdown > _MARKDOWN_TOTAL:
        problems.append(f"{markdown} characters of markdown together")
    if sum(block.get("type") == "table" for block in blocks) > 1:
        problems.append("more than one table")
    return problems


def problems_of_view(view: Block) -> list[str]:
    """The same for a modal or a Home tab, with the parts around the blocks."""
    surface = view.get("type", "")
    if surface not in {"modal", "home"}:
        return [f"view of type {surface!r}"]
    problems = problems_of(view.get("blocks", ()), surface)
    if surface == "modal":
        for part in ("title", "submit", "close"):
            if part == "title" or part in view:
                problems += _text(view.get(part), part, 24, plain_only=True)
        if "submit" not in view and any(block.get("type") == "input" for block in view["blocks"]):
            problems.append("inputs without submit")
    elif "submit" in view or "title" in view:
        problems.append("a home view has neither title nor submit")
    problems += _at_most(view.get("private_metadata", ""), "private_metadata", 3000)
    return problems + _at_most(view.get("callback_id", ""), "callback_id", 255)


def _problems_of_block(block: Block, surface: str) -> list[str]:
    kind = block.get("type")
    if kind not in _KNOWN:
        return ["unknown type"]
    problems = _at_most(block.get("block_id", ""), "block_id", 255)
    if kind in _MESSAGES_ONLY and surface != "message":
        problems.append(f"not allowed on a {surface}")
    match kind:
        case "section":
            problems += _section(block)
        case "header":
            problems += _text(block.get("text"), "text", 150, plain_only=True)
        case "context":
            problems += _counted(block.get("elements", ()), 10)
            for element in block.get("elements", ()):
                problems += _text(element, "element", 3000) if element.get("type") != "image" else []
        case "actions":
            problems += _counted(block.get("elements", ()), 25)
        case "context_actions":
            problems += _counted(block.get("elements", ()), 5)
        case "markdown":
            problems += _at_most(block.get("text", ""), "text", _MARKDOWN_TOTAL, at_least=1)
        case "input":
            problems += _text(block.get("label"), "label", 2000, plain_only=True)
            problems += _text(block["hint"], "hint", 2000, plain_only=True) if "hint" in block else []
    for element in _elements([block]):
        problems += _element(element)
    # Slack wants them unique within a block; the items of a list share theirs and differ in their values.
    return problems + _doubled("action_id", [element["action_id"] for element in _elements([block]) if "action_id" in element])


def _section(block: Block) -> list[str]:
    problems = []
    fields = block.get("fields", ())
    if "text" in block:
        problems += _text(block["text"], "text", 3000)
    elif not fields:
        problems.append("neither text nor fields")
    if len(fields) > 10:
        problems.append(f"{len(fields)} fields")
    for field in fields:
        problems += _text(field, "field", 2000)
    return problems


def _element(element: Block) -> list[str]:
    kind = element.get("type")
    problems = [] if element.get("action_id") or kind in {"image", "mrkdwn", "plain_text"} else [f"{kind} without action_id"]
    problems += _at_most(element.get("action_id", ""), "action_id", 255)
    match kind:
        case "button":
            problems += _text(element.get("text"), "button text", 75, plain_only=True)
            problems += _at_most(element.get("value", ""), "value", 2000)
            problems += _at_most(element.get("url", ""), "url", 3000)
            if element.get("style") not in {None, "primary", "danger"}:
                problems.append("button style")
        case "static_select" | "multi_static_select" | "radio_buttons" | "checkboxes" | "overflow":
            limit = {"overflow": 5, "radio_buttons": 10, "checkboxes": 10}.get(kind, 100)
            options = element.get("options", ())
            problems += _counted(options, limit)
            for option in options:
                problems += _text(option.get("text"), "option", 75) + _at_most(option.get("value", ""), "option value", 150)
            if "initial_option" in element and element["initial_option"] not in options:
                problems.append("initial_option is none of the options")
        case "plain_text_input":
            if not 1 <= element.get("max_length", 3000) <= 3000:
                problems.append("max_length")
            problems += _at_most(element.get("initial_value", ""), "initial_value", element.get("max_length", 3000))
        case "feedback_buttons":
            for name in ("positive_button", "negative_button"):
                choice = element.get(name, {})
                problems += _text(choice.get("text"), name, 75, plain_only=True) + _at_most(
                    choice.get("value", ""), "value", 2000, at_least=1
                )
                problems += _at_most(choice.get("accessibility_label", ""), "accessibility_label", 75)
    if "placeholder" in element:
        problems += _text(element["placeholder"], "placeholder", 150, plain_only=True)
    return problems


def _elements(blocks: Sequence[Block]) -> Iterator[Block]:
    """Everything a person can click, choose or fill in."""
    for block in blocks:
        if block.get("type") in {"actions", "context_actions"}:
            yield from block.get("elements", ())
        if "accessory" in block:
            yield block["accessory"]
        if block.get("type") == "input" and "element" in block:
            yield block["element"]


def _text(value: Any, name: str, limit: int, *, plain_only: bool = False) -> list[str]:
    if not isinstance(value, Mapping):
        return [f"{name} is missing"]
    allowed = {"plain_text"} if plain_only else {"plain_text", "mrkdwn"}
    problems = [] if value.get("type") in allowed else [f"{name} is {value.get('type')}"]
    return problems + _at_most(value.get("text", ""), name, limit, at_least=1)


def _at_most(text: str, name: str, limit: int, *, at_least: int = 0) -> list[str]:
    return [] if at_least <= len(text) <= limit else [f"{name} has {len(text)} characters"]


def _counted(items: Sequence[Any], limit: int) -> list[str]:
    return [] if 1 <= len(items) <= limit else [f"{len(items)} elements"]


def _doubled(name: str, values: Sequence[str]) -> list[str]:
    return [f"{name} {value} stands {count} times" for value, count in Counter(values).items() if count > 1]

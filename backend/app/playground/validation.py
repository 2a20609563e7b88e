"""What Slack refuses in texts, blocks and views. Limits are Slack's documented ones; where a measured one differs, it says so."""

import json
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

TEXT_LIMIT = 40_000
UPDATE_TEXT_LIMIT = 4_000
MARKDOWN_LIMIT = 12_000
MESSAGE_MARKDOWN_LIMIT = 13_200  # documented is 12,000 over the message; real workspaces were seen to refuse at about 13,200
MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
VIEW_BYTES = 250_000
STREAM_CHUNK_TYPES = {"markdown_text", "task_update", "plan_update", "blocks"}

COMMON_BLOCKS = {"section", "header", "divider", "context", "actions", "image", "input", "rich_text", "video", "table"}
BLOCKS_ON = {
    "message": COMMON_BLOCKS
    | {
        "markdown",
        "context_actions",
        "task_card",
        "plan",
        "data_table",
        "data_visualization",
        "card",
        "carousel",
        "container",
        "file",
    },
    "modal": COMMON_BLOCKS | {"alert"},
    "home": COMMON_BLOCKS,
}
SELECTS = {"static_select", "external_select", "users_select", "conversations_select", "channels_select"}
MULTI_SELECTS = {"multi_" + name for name in SELECTS}
CHOICES = {"radio_buttons", "checkboxes"}
PICKERS = {"datepicker", "timepicker", "datetimepicker"}
ACTION_ELEMENTS = {"button", "overflow", "workflow_button"} | SELECTS | MULTI_SELECTS | CHOICES | PICKERS
INPUT_ELEMENTS = (
    {"plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input", "file_input"}
    | SELECTS | MULTI_SELECTS | CHOICES | PICKERS
)  # fmt: skip
ACCESSORIES = ACTION_ELEMENTS | {"image"}


class Refused(Exception):
    """Slack's answer ``{"ok": false, "error": …}``; ``details`` go into ``response_metadata.messages``."""

    def __init__(self, error: str, *details: str, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.details = details
        self.more = more

    def as_answer(self) -> Json:
        answer: Json = {"ok": False, "error": self.error, **self.more}
        if self.details:
            answer["response_metadata"] = {"messages": [f"[ERROR] {detail}" for detail in self.details]}
        return answer


def check_message_blocks(blocks: Any) -> list[Json]:
    """The blocks as a list; ``Refused`` says what is wrong with them."""
    checked = _block_list(blocks)
    if len(checked) > MESSAGE_BLOCKS:
        raise Refused("invalid_blocks", f"no more than {MESSAGE_BLOCKS} items allowed [json-pointer:/blocks]")
    _check_blocks(checked, "message")
    check_markdown_total(checked)
    if sum(block["type"] == "table" for block in checked) > 1:
        raise Refused("invalid_attachments", "only_one_table_allowed")
    return checked


def check_markdown_total(blocks: list[Json], more: int = 0) -> None:
    total = more + sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    if total > MESSAGE_MARKDOWN_LIMIT:
        raise Refused("msg_blocks_too_long")


def check_view(view: Any, surface: str) -> Json:
    """A view for ``modal`` or ``home``."""
    if not isinstance(view, dict):
        raise Refused("invalid_arguments", "view must be an object [json-pointer:/view]")
    if view.get("type") != surface:
        raise Refused("invalid_arguments", f'view type must be "{surface}" [json-pointer:/view/type]')
    blocks = _block_list(view.get("blocks"))
    if len(blocks) > VIEW_BLOCKS:
        raise Refused("invalid_arguments", f"no more than {VIEW_BLOCKS} items allowed [json-pointer:/view/blocks]")
    if len(json.dumps(view, ensure_ascii=False).encode()) > VIEW_BYTES:
        raise Refused("view_too_large")
    _limit(view.get("private_metadata", ""), 3_000, "/view/private_metadata", "invalid_arguments")
    _limit(view.get("callback_id", ""), 255, "/view/callback_id", "invalid_arguments")
    if surface == "modal":
        _check_modal_frame(view, blocks)
    elif {"submit", "close", "title"} & view.keys():
        raise Refused("invalid_arguments", "must not be set on a home view [json-pointer:/view]")
    _check_blocks(blocks, surface)
    return view


def check_metadata(metadata: Any) -> Json:
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_type"), str):
        raise Refused("invalid_metadata_format")
    if not isinstance(metadata.get("event_payload"), dict):
        raise Refused("invalid_metadata_schema")
    return metadata


def check_chunks(chunks: Any) -> list[Json]:
    if not isinstance(chunks, list) or any(not isinstance(c, dict) or c.get("type") not in STREAM_CHUNK_TYPES for c in chunks):
        raise Refused("invalid_chunks")
    for chunk in chunks:
        if chunk["type"] == "markdown_text" and not isinstance(chunk.get("text"), str):
            raise Refused("invalid_chunks")
        if chunk["type"] == "task_update" and not (chunk.get("id") and chunk.get("title")):
            raise Refused("invalid_chunks")
    return chunks


def _check_modal_frame(view: Json, blocks: list[Json]) -> None:
    _plain(view.get("title"), 24, "/view/title", "invalid_arguments")
    for name in ("submit", "close"):
        if view.get(name) is not None:
            _plain(view[name], 24, f"/view/{name}", "invalid_arguments")
    if any(block.get("type") == "input" for block in blocks) and view.get("submit") is None:
        raise Refused("invalid_arguments", "missing required field: submit [json-pointer:/view]")


def _block_list(blocks: Any) -> list[Json]:
    if isinstance(blocks, str):
        try:
            blocks = json.loads(blocks)
        except ValueError:
            raise Refused("invalid_blocks_format") from None
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise Refused("invalid_blocks_format")
    return blocks


def _check_blocks(blocks: list[Json], surface: str) -> None:
    block_ids: set[str] = set()
    for index, block in enumerate(blocks):
        where = f"/blocks/{index}"
        if block.get("type") not in BLOCKS_ON[surface]:
            raise _wrong(f"unsupported type: {block.get('type')}", where)
        block_id = block.get("block_id")
        if block_id is not None:
            _limit(block_id, 255, f"{where}/block_id")
            if block_id in block_ids:
                raise _wrong(f"block_id already exists: {block_id}", where)
            block_ids.add(block_id)
        check = _CHECKS.get(block["type"])
        if check is not None:
            check(block, where)
        _check_unique_actions(block, where)


def _check_unique_actions(block: Json, where: str) -> None:
    seen: set[str] = set()
    for element in elements_of(block):
        action_id = element.get("action_id")
        if action_id is None:
            continue
        _limit(action_id, 255, f"{where}/action_id")
        if action_id in seen:
            raise _wrong(f"action_id already exists: {action_id}", where)
        seen.add(action_id)


def elements_of(block: Json) -> Iterator[Json]:
    """The interactive elements of a block, wherever its type keeps them."""
    if block.get("type") in {"actions", "context_actions"}:
        yield from block.get("elements") or ()
    for place in ("accessory", "element"):
        if isinstance(block.get(place), dict):
            yield block[place]


def _section(block: Json, where: str) -> None:
    fields = block.get("fields")
    if block.get("text") is None and not fields:
        raise _wrong("must define either `text` or `fields`", where)
    if block.get("text") is not None:
        _text(block["text"], 3_000, f"{where}/text")
    if fields is not None:
        _count(fields, 1, 10, f"{where}/fields")
        for index, one in enumerate(fields):
            _text(one, 2_000, f"{where}/fields/{index}")
    if block.get("accessory") is not None:
        _element(block["accessory"], ACCESSORIES, f"{where}/accessory")


def _header(block: Json, where: str) -> None:
    _plain(block.get("text"), 150, f"{where}/text")


def _context(block: Json, where: str) -> None:
    elements = block.get("elements")
    _count(elements, 1, 10, f"{where}/elements")
    for index, element in enumerate(elements or ()):
        at = f"{where}/elements/{index}"
        if not isinstance(element, dict):
            raise _wrong("must be an object", at)
        if element.get("type") == "image":
            _image(element, at)
        else:
            _text(element, 3_000, at)


def _actions(block: Json, where: str) -> None:
    elements = block.get("elements")
    _count(elements, 1, 25, f"{where}/elements")
    for index, element in enumerate(elements or ()):
        _element(element, ACTION_ELEMENTS, f"{where}/elements/{index}")


def _context_actions(block: Json, where: str) -> None:
    elements = block.get("elements")
    _count(elements, 1, 5, f"{where}/elements")
    for index, element in enumerate(elements or ()):
        at = f"{where}/elements/{index}"
        _element(element, {"feedback_buttons", "icon_button"}, at)
        if element["type"] == "feedback_buttons":
            for name in ("positive_button", "negative_button"):
                button = element.get(name)
                if not isinstance(button, dict):
                    raise _wrong(f"missing required field: {name}", at)
                _plain(button.get("text"), 75, f"{at}/{name}/text")
                _limit(button.get("value"), 2_000, f"{at}/{name}/value")


def _input(block: Json, where: str) -> None:
    _plain(block.get("label"), 2_000, f"{where}/label")
    if block.get("hint") is not None:
        _plain(block["hint"], 2_000, f"{where}/hint")
    _element(block.get("element"), INPUT_ELEMENTS, f"{where}/element")


def _image(block: Json, where: str) -> None:
    _limit(block.get("alt_text"), 2_000, f"{where}/alt_text")
    if block.get("image_url") is None and block.get("slack_file") is None:
        raise _wrong("missing required field: image_url", where)
    if block.get("image_url") is not None:
        _limit(block["image_url"], 3_000, f"{where}/image_url")


def _markdown(block: Json, where: str) -> None:
    text = block.get("text")
    if not isinstance(text, str) or not text:
        raise _wrong("must be a non-empty string", f"{where}/text")
    _limit(text, MARKDOWN_LIMIT, f"{where}/text")


def _table(block: Json, where: str) -> None:
    rows = block.get("rows")
    _count(rows, 1, 100, f"{where}/rows")
    characters = 0
    for index, row in enumerate(rows or ()):
        _count(row, 1, 20, f"{where}/rows/{index}")
        characters += sum(len(_cell_text(cell)) for cell in row)
    if characters > 10_000:
        raise Refused("invalid_blocks", f"table is too long [json-pointer:{where}]")


def _rich_text(block: Json, where: str) -> None:
    allowed = {"rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted"}
    elements = block.get("elements")
    if not isinstance(elements, list) or any(not isinstance(e, dict) or e.get("type") not in allowed for e in elements):
        raise _wrong("invalid rich text", where)


_CHECKS = {
    "section": _section, "header": _header, "context": _context, "actions": _actions, "context_actions": _context_actions,
    "input": _input, "image": _image, "markdown": _markdown, "table": _table, "rich_text": _rich_text,
}  # fmt: skip


def _element(element: Any, allowed: set[str], where: str) -> None:
    if not isinstance(element, dict) or element.get("type") not in allowed:
        raise _wrong("unsupported element", where)
    kind = element["type"]
    if kind == "button":
        _button(element, where)
    elif kind == "image":
        _image(element, where)
    elif kind in {"static_select", "multi_static_select"}:
        _options(element, 100, where, allow_groups=True)
    elif kind == "overflow":
        _options(element, 5, where)
    elif kind in CHOICES:
        _options(element, 10, where)
    elif kind == "plain_text_input" and not 0 <= int(element.get("max_length") or 0) <= 3_000:
        raise _wrong("max_length must be at most 3000", where)
    if element.get("placeholder") is not None:
        _plain(element["placeholder"], 150, f"{where}/placeholder")
    if element.get("confirm") is not None:
        _plain(element["confirm"].get("title"), 100, f"{where}/confirm/title")
        _text(element["confirm"].get("text"), 300, f"{where}/confirm/text")


def _button(element: Json, where: str) -> None:
    _plain(element.get("text"), 75, f"{where}/text")
    _limit(element.get("value", ""), 2_000, f"{where}/value")
    _limit(element.get("url", ""), 3_000, f"{where}/url")
    if element.get("style") not in {None, "primary", "danger"}:
        raise _wrong("style must be primary or danger", where)


def _options(element: Json, most: int, where: str, *, allow_groups: bool = False) -> None:
    options = element.get("options")
    if options is None and allow_groups and isinstance(element.get("option_groups"), list):
        options = [option for group in element["option_groups"] for option in group.get("options", ())]
    _count(options, 1, most, f"{where}/options")
    for index, option in enumerate(options or ()):
        at = f"{where}/options/{index}"
        if not isinstance(option, dict):
            raise _wrong("must be an object", at)
        _text(option.get("text"), 75, f"{at}/text")
        _limit(option.get("value"), 150, f"{at}/value")


def _text(text: Any, most: int, where: str) -> None:
    if not isinstance(text, dict) or text.get("type") not in {"plain_text", "mrkdwn"}:
        raise _wrong("must be a text object", where)
    _filled(text.get("text"), most, f"{where}/text", "invalid_blocks")


def _plain(text: Any, most: int, where: str, error: str = "invalid_blocks") -> None:
    if not isinstance(text, dict) or text.get("type") != "plain_text":
        raise Refused(error, f"must be a plain_text object [json-pointer:{where}]")
    _filled(text.get("text"), most, f"{where}/text", error)


def _filled(value: Any, most: int, where: str, error: str) -> None:
    _limit(value, most, where, error)
    if not value:
        raise Refused(error, f"must be more than 0 characters [json-pointer:{where}]")


def _limit(value: Any, most: int, where: str, error: str = "invalid_blocks") -> None:
    if not isinstance(value, str):
        raise Refused(error, f"must be a string [json-pointer:{where}]")
    if len(value) > most:
        raise Refused(error, f"must be less than {most + 1} characters [json-pointer:{where}]")


def _count(values: Any, least: int, most: int, where: str) -> None:
    if not isinstance(values, list) or len(values) < least:
        raise _wrong(f"must have at least {least} items", where)
    if len(values) > most:
        raise _wrong(f"no more than {most} items allowed", where)


def _cell_text(cell: Any) -> str:
    if isinstance(cell, dict) and cell.get("type") == "raw_text":
        return str(cell.get("text", ""))
    return text_of_block(cell) if isinstance(cell, dict) else ""


def _wrong(what: str, where: str) -> Refused:
    return Refused("invalid_blocks", f"{what} [json-pointer:{where}]")


def text_of_block(block: Json) -> str:
    """All words a person reads in a block, in order, separated by line breaks."""
    return "\n".join(_words(block))


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _words(one)
    elif isinstance(value, dict):
        for name in (
            "text",
            "title",
            "fields",
            "elements",
            "rows",
            "label",
            "hint",
            "positive_button",
            "negative_button",
            "accessory",
            "element",
            "options",
        ):
            inner = value.get(name)
            if isinstance(inner, str):
                yield inner
            elif inner is not None:
                yield from _words(inner)

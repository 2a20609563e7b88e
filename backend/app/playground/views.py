"""Modals and Home tabs: opening, stacking, updating with hash, closing."""

import hashlib
import json
from collections.abc import Iterator
from itertools import count
from typing import Any

from app.playground.state import Workspace, World
from app.playground.triggers import Triggers
from app.playground.validation import Refused, check_view, elements_of

Json = dict[str, Any]
MODALS_ON_A_STACK = 3
KEPT = (
    "type",
    "callback_id",
    "title",
    "submit",
    "close",
    "blocks",
    "private_metadata",
    "clear_on_close",
    "notify_on_close",
    "external_id",
)


class Views:
    """All open modals by view id, and each person's stack of them."""

    def __init__(self, world: World, triggers: Triggers) -> None:
        self._world = world
        self._triggers = triggers
        self._numbers = count(1)
        self.open_views: dict[str, Json] = {}
        self.owners: dict[str, str] = {}
        self.stacks: dict[tuple[str, str], list[str]] = {}

    def open(self, workspace: Workspace, trigger_id: str, content: Any) -> Json:
        content = check_view(content, "modal")
        user_id, _ = self._triggers.use(trigger_id, workspace.id)
        for view_id in self.stacks.pop((workspace.id, user_id), []):
            self._forget(view_id)
        return self._stack(workspace, user_id, content)

    def push(self, workspace: Workspace, trigger_id: str, content: Any) -> Json:
        content = check_view(content, "modal")
        user_id, _ = self._triggers.use(trigger_id, workspace.id)
        return self.push_for(workspace, user_id, content)

    def push_for(self, workspace: Workspace, user_id: str, content: Json) -> Json:
        if len(self.stacks.get((workspace.id, user_id), ())) >= MODALS_ON_A_STACK:
            raise Refused("push_limit_reached")
        return self._stack(workspace, user_id, content)

    def update(
        self, workspace: Workspace, view_id: str | None, external_id: str | None, content: Any, view_hash: str | None
    ) -> Json:
        content = check_view(content, "modal")
        view = self._find(workspace, view_id, external_id)
        if view_hash and view_hash != view["hash"]:
            raise Refused("hash_conflict")
        self._fill(view, content)
        self._tell(workspace, self.owners[view["id"]])
        return view

    def publish(self, workspace: Workspace, user_id: str, content: Any, view_hash: str | None) -> Json:
        content = check_view(content, "home")
        if user_id not in workspace.users:
            raise Refused("invalid_arguments", "invalid user_id")
        home = workspace.homes.get(user_id)
        if view_hash and home is not None and view_hash != home["hash"]:
            raise Refused("hash_conflict", view=home)
        if home is None:
            home = self._frame(workspace, self._next_id())
            workspace.homes[user_id] = home
        self._fill(home, content)
        self._world.keep("home", team=workspace.id, user=user_id, view=home)
        self._world.record.visible(
            "home", team=workspace.id, channel=None, ts=None, thread_ts=None, by=workspace.bot_user_id, to=user_id, text=""
        )
        self._world.tell({"type": "home", "team": workspace.id, "user": user_id, "view": home})
        self._world.wake("home", user_id)
        return home

    def top(self, workspace: Workspace, user_id: str) -> Json | None:
        stack = self.stacks.get((workspace.id, user_id))
        return self.open_views[stack[-1]] if stack else None

    def close(self, workspace: Workspace, view_id: str, *, whole_stack: bool = False) -> None:
        user_id = self.owners.get(view_id)
        stack = self.stacks.get((workspace.id, user_id or ""), [])
        if user_id is None or view_id not in stack:
            raise Refused("not_found")
        for gone in list(stack) if whole_stack else stack[stack.index(view_id) :]:
            stack.remove(gone)
            self._forget(gone)
        self._tell(workspace, user_id)

    def _stack(self, workspace: Workspace, user_id: str, content: Json) -> Json:
        stack = self.stacks.setdefault((workspace.id, user_id), [])
        view = self._frame(workspace, self._next_id())
        if stack:
            view.update(root_view_id=self.open_views[stack[-1]]["root_view_id"], previous_view_id=stack[-1])
        self._fill(view, content)
        self.open_views[view["id"]] = view
        self.owners[view["id"]] = user_id
        stack.append(view["id"])
        self._tell(workspace, user_id)
        return view

    def _find(self, workspace: Workspace, view_id: str | None, external_id: str | None) -> Json:
        for view in self.open_views.values():
            is_wanted = view["id"] == view_id if view_id else bool(external_id) and view.get("external_id") == external_id
            if is_wanted and view["team_id"] == workspace.id:
                return view
        raise Refused("not_found")

    def _frame(self, workspace: Workspace, view_id: str) -> Json:
        return {
            "id": view_id, "team_id": workspace.id, "app_id": workspace.app_id, "app_installed_team_id": workspace.id,
            "bot_id": workspace.bot_id, "root_view_id": view_id, "previous_view_id": None, "state": {"values": {}},
        }  # fmt: skip

    def _fill(self, view: Json, content: Json) -> None:
        for name in KEPT:
            view[name] = content.get(name)
        view["private_metadata"] = content.get("private_metadata") or ""
        view["callback_id"] = content.get("callback_id") or ""
        view["external_id"] = content.get("external_id") or ""
        name_blocks(view["blocks"])
        material = json.dumps([view["blocks"], view["private_metadata"], next(self._numbers)])
        view["hash"] = f"{int(self._world.now())}.{hashlib.sha256(material.encode()).hexdigest()[:8]}"

    def _forget(self, view_id: str) -> None:
        self.open_views.pop(view_id, None)
        self.owners.pop(view_id, None)

    def _tell(self, workspace: Workspace, user_id: str) -> None:
        self._world.tell({"type": "modal", "team": workspace.id, "user": user_id, "view": self.top(workspace, user_id)})
        self._world.wake("modal", user_id)

    def _next_id(self) -> str:
        return f"V{next(self._numbers):010d}"


_names = count(1)


def name_blocks(blocks: list[Json]) -> list[Json]:
    """Gives every block and interactive element the id Slack would give it."""
    for block in blocks:
        block.setdefault("block_id", f"b{next(_names):x}")
        for element in elements_of(block):
            if element.get("type") != "image":
                element.setdefault("action_id", f"a{next(_names):x}")
    return blocks


def find_element(blocks: list[Json], action_id: str, block_id: str | None = None) -> tuple[Json, Json]:
    """The block and the element with this action id; ``LookupError`` when a person could not press it."""
    for block, element in _pressable(blocks):
        if element.get("action_id") == action_id and block_id in {None, block.get("block_id")}:
            return block, element
    raise LookupError(f"no element {action_id!r} to press")


def _pressable(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    for block in blocks:
        for element in elements_of(block):
            yield block, element

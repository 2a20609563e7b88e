"""Fetches a file that somebody shared. The bot's token goes with the request, so it only ever goes to Slack's own hosts."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from app.core.errors import SlackRefused
from app.knowledge.importing.kinds import LARGEST_FILE
from app.knowledge.importing.problem import NotReadable
from app.slack.client import SlackClient

FILE_HOSTS = frozenset({"files.slack.com", "files.slack-gov.com"})
_GONE = frozenset({"file_not_found", "file_deleted", "access_denied", "not_visible", "channel_not_found"})


@dataclass(frozen=True)
class FetchedFile:
    name: str
    content: bytes


async def fetch_file(client: SlackClient, file_id: str, *, team_id: str) -> FetchedFile:
    """``NotReadable`` with what the person can do about it; ``SlackUnavailable`` when trying again may help.

    What the message said about the file is not believed: a message can carry any address.
    """
    file = await _about(client, file_id, team_id)
    name = str(file.get("name") or file_id)
    if file.get("is_external") or file.get("mode") == "external":
        raise NotReadable("stored_elsewhere")
    if file.get("mode") in {"tombstone", "hidden_by_limit"}:
        raise NotReadable("gone")
    if int(file.get("size") or 0) > LARGEST_FILE:
        raise NotReadable("too_large", megabytes=LARGEST_FILE // 1024 // 1024)
    url = str(file.get("url_private_download") or file.get("url_private") or "")
    if not is_slacks_file(url, client.base_url):
        raise NotReadable("stored_elsewhere")
    try:
        content, content_type = await client.download(url, most_bytes=LARGEST_FILE)
    except SlackRefused as error:
        raise NotReadable("gone") from error
    if content is None:
        raise NotReadable("too_large", megabytes=LARGEST_FILE // 1024 // 1024)
    # Without the scope, Slack answers with a page to sign in, as if all were well.
    if content_type == "text/html" and not name.lower().endswith((".html", ".htm")):
        raise NotReadable("no_scope")
    return FetchedFile(name, content)


def is_slacks_file(url: str, api_url: str) -> bool:
    """An address of Slack's files, or of the small Slack that the application was told to use."""
    target, api = urlsplit(url), urlsplit(api_url)
    if target.username or target.password:
        return False
    if target.scheme == "https" and target.netloc in FILE_HOSTS:
        return True
    return not api.netloc.endswith(("slack.com", "slack-gov.com")) and (target.scheme, target.netloc) == (api.scheme, api.netloc)


async def _about(client: SlackClient, file_id: str, team_id: str) -> dict[str, Any]:
    try:
        answer = await client.call("files.info", json={"file": file_id}, team_id=team_id)
    except SlackRefused as error:
        raise NotReadable("no_scope" if error.code == "missing_scope" else "gone") from error
    file: dict[str, Any] = answer.get("file") or {}
    return file

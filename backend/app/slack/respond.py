"""Answers through the address that comes with commands and clicks."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from app.core.errors import SlackRateLimited, SlackRefused, SlackUnavailable
from app.slack.client import retry_after


async def respond(
    web: AsyncWebClient,
    url: str,
    *,
    text: str,
    blocks: Sequence[dict[str, Any]] = (),
    in_channel: bool = False,
    replace_original: bool = False,
) -> None:
    """Shows ``text`` to the person, or to everybody ``in_channel``. What stands in the way comes out as a ``SlackError``."""
    if not _is_slacks(url, web.base_url):
        raise SlackRefused("response_url is not Slack's", code="invalid_url")
    webhook = AsyncWebhookClient(url, session=web.session, ssl=web.ssl, proxy=web.proxy)
    # What replaces a message is seen by whoever saw that: a kind of its own could make a new message of it.
    kind = None if replace_original else "in_channel" if in_channel else "ephemeral"
    try:
        response = await webhook.send(
            text=text, blocks=list(blocks) or None, response_type=kind,
            replace_original=replace_original, unfurl_links=False, unfurl_media=False,
        )  # fmt: skip
    except (OSError, TimeoutError, SlackClientError) as error:
        raise SlackUnavailable("response_url did not answer") from error
    if response.status_code == 429:
        raise SlackRateLimited("response_url", retry_after_seconds=retry_after(response.headers))
    if response.status_code >= 500:
        raise SlackUnavailable(f"response_url answered {response.status_code}")
    if response.status_code >= 400:
        raise SlackRefused(f"response_url answered {response.status_code}", code="response_url")


def _is_slacks(url: str, api_url: str) -> bool:
    """Requests are signed, and still: nothing of ours is ever sent to any other host."""
    target, api = urlsplit(url), urlsplit(api_url)
    if target.netloc == api.netloc:
        return target.scheme == api.scheme
    return target.scheme == "https" and target.netloc in {"hooks.slack.com", "hooks.slack-gov.com"}

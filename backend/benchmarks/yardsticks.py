"""Two small Slack bots to measure against, written the way such bots usually are.

``ack``: slack-bolt's AsyncApp behind FastAPI; every event is acknowledged and nothing else happens.
``stream``: the same, and a mention is answered with a reply that OpenAI's SDK streams and slack-sdk's helper passes on. It
keeps no history, looks nothing up, and loses what it was doing when it stops.

Run: ``python benchmarks/yardsticks.py ack|stream --port 9001 --slack-api http://127.0.0.1:9100/slack/api/ --model http://127.0.0.1:9200/v1``
"""

import argparse
from typing import Any

import openai
import uvicorn
from fastapi import FastAPI, Request, Response
from slack_bolt.adapter.fastapi.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient


def build(kind: str, *, slack_api: str, model_url: str, signing_secret: str, token: str) -> FastAPI:
    """The bot as an ASGI application."""

    async def authorize(**_: Any) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=None, bot_token=token, bot_user_id="UBENCHBOT", bot_id="BBENCH")

    bot = AsyncApp(signing_secret=signing_secret, authorize=authorize, client=AsyncWebClient(token=token, base_url=slack_api))

    if kind == "ack":

        @bot.event("app_mention")
        async def acknowledge() -> None:
            return None

    else:
        model = openai.AsyncOpenAI(base_url=model_url, api_key="sk-bench", max_retries=0)

        @bot.event("app_mention")
        async def answer(event: dict[str, Any], body: dict[str, Any], client: AsyncWebClient) -> None:
            messages: Any = [
                {"role": "system", "content": "営業コーチとして答えてください。"},
                {"role": "user", "content": event["text"]},
            ]
            stream = await client.chat_stream(
                channel=event["channel"],
                thread_ts=event.get("thread_ts", event["ts"]),
                recipient_user_id=event["user"],
                recipient_team_id=body["team_id"],
            )
            async for chunk in await model.chat.completions.create(model="bench", messages=messages, stream=True):
                if chunk.choices and (text := chunk.choices[0].delta.content):
                    await stream.append(markdown_text=text)
            await stream.stop()

    @bot.event("message")
    async def ignore() -> None:
        return None

    application, handler = FastAPI(), AsyncSlackRequestHandler(bot)

    @application.post("/api/v1/slack/events")
    async def events(request: Request) -> Response:
        return await handler.handle(request)

    return application


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("kind", choices=["ack", "stream"])
    arguments.add_argument("--port", type=int, required=True)
    arguments.add_argument("--slack-api", required=True)
    arguments.add_argument("--model", required=True)
    arguments.add_argument("--signing-secret", default="bench-signing-secret")
    arguments.add_argument("--token", default="xoxb-bench")
    given = arguments.parse_args()
    application = build(
        given.kind, slack_api=given.slack_api, model_url=given.model, signing_secret=given.signing_secret, token=given.token
    )
    uvicorn.run(application, host="127.0.0.1", port=given.port, log_level="warning", loop="uvloop")


if __name__ == "__main__":
    main()

"""A bot small enough to read at one glance, for testing the page itself: it streams an answer, opens a form, publishes a Home."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from app.playground.demo_workspace import BOT_TOKEN, TEAM

Json = dict[str, Any]
ANSWER = """**値引き**を求められたら、まず *理由* を尋ねます。

1. 予算の枠を確かめる
2. 価値を言い直す
   - 導入後の効果
   - 他社事例

| 状況 | 返し方 |
|---|---|
| 予算不足 | 範囲を絞る提案 |
| 他社比較 | 違いを一つに絞る |

> 「もし価格が合えば、今月中に決められますか？」
"""


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


FOOT: list[Json] = [
    {"type": "context", "elements": [mrkdwn("出典: [1] *価格交渉の手引き* （社内資料・2026年4月1日）")]},
    {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": "feedback",
                "positive_button": {"text": plain("役に立った"), "value": "good"},
                "negative_button": {"text": plain("役に立たなかった"), "value": "bad"},
            }
        ],
    },
]
HELP: list[Json] = [
    {"type": "header", "text": plain("できること")},
    {
        "type": "section",
        "text": mrkdwn("• *質問する* — チャンネルで `@AI営業支援` と書くか、DM を送ります\n• *記録する* — 商談のメモを残します"),
    },
    {
        "type": "actions",
        "elements": [
            {"type": "button", "action_id": "open_form", "style": "primary", "text": plain("商談を記録する"), "value": "1"},
            {"type": "button", "action_id": "other", "text": plain("あとで")},
        ],
    },
]
STAGES = [{"text": plain(name), "value": name} for name in ("初回訪問", "提案", "契約")]
FORM: Json = {
    "type": "modal", "callback_id": "note", "title": plain("商談の記録"), "submit": plain("保存"), "close": plain("やめる"),
    "blocks": [
        {"type": "section", "text": mrkdwn("今日の商談を *3分* で振り返ります。")},
        {
            "type": "input", "block_id": "customer", "label": plain("お客様"), "hint": plain("会社名だけで構いません"),
            "element": {"type": "plain_text_input", "action_id": "text", "placeholder": plain("株式会社〇〇")},
        },
        {
            "type": "input", "block_id": "stage", "label": plain("段階"),
            "element": {"type": "static_select", "action_id": "choice", "options": STAGES},
        },
        {
            "type": "input", "block_id": "memo", "label": plain("メモ"), "optional": True,
            "element": {"type": "plain_text_input", "action_id": "text", "multiline": True},
        },
    ],
}  # fmt: skip
HOME: Json = {
    "type": "home",
    "blocks": [
        {"type": "header", "text": plain("こんにちは、佐藤さん")},
        {"type": "section", "text": mrkdwn("今週の練習テーマは *値引き交渉* です。"), "accessory": HELP[2]["elements"][0]},
        {"type": "divider"},
        {"type": "section", "fields": [mrkdwn("*質問*\n12件"), mrkdwn("*練習*\n3回")]},
        {
            "type": "section", "text": mrkdwn("答えの言語"),
            "accessory": {"type": "static_select", "action_id": "language", "options": STAGES, "initial_option": STAGES[0]},
        },
        {"type": "context", "elements": [mrkdwn("会話の内容は、あなただけが見られます。")]},
    ],
}  # fmt: skip


@dataclass
class EchoBot:
    """Answers as soon as it is asked. A question with ゆっくり is streamed until the person stops it."""

    signing_secret: str
    url: str = ""
    client: AsyncWebClient | None = None
    actions: list[Json] = field(default_factory=list)
    submissions: list[Json] = field(default_factory=list)
    stopped: list[Json] = field(default_factory=list)
    piece_seconds: float = 0.0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _runner: web.AppRunner | None = None
    _session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/api/v1/slack/{route}", self._receive)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    def connect(self, api_url: str) -> None:
        self._session = aiohttp.ClientSession()
        self.client = AsyncWebClient(BOT_TOKEN, base_url=api_url, session=self._session)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._runner:
            await self._runner.cleanup()
        if self._session:
            await self._session.close()

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.text()
        if not SignatureVerifier(self.signing_secret).is_valid_request(body, dict(request.headers)):
            return web.Response(status=401)
        if request.match_info["route"] == "events":
            self._later(self._event(json.loads(body)["event"]))
            return web.Response()
        form = await request.post()
        if request.match_info["route"] == "commands":
            return web.json_response({"text": "できること", "blocks": HELP})
        return await self._interaction(json.loads(str(form["payload"])))

    def _later(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _event(self, event: Json) -> None:
        assert self.client
        if event["type"] in {"app_mention", "message"} and not event.get("subtype"):
            await self._answer(event)
        elif event["type"] == "app_home_opened" and event["tab"] == "home":
            await self.client.views_publish(user_id=event["user"], view=HOME)
        elif event["type"] == "app_home_opened":
            await self.client.assistant_threads_setSuggestedPrompts(
                channel_id=event["channel"],
                prompts=[
                    {"title": "値引きを求められたら？", "message": "値引きを求められたら、どう返せばよいですか？"},
                    {"title": "初回訪問の準備", "message": "初回訪問の前に準備することを教えてください。"},
                ],
            )
        elif event["type"] == "agent_session_stopped":
            self.stopped.append(event)
            await self.client.agents_sessions_setStatus(
                channel_id=event["channel"], thread_ts=event["thread_ts"], status="active"
            )

    async def _answer(self, event: Json) -> None:
        assert self.client
        channel, thread_ts = event["channel"], event.get("thread_ts") or event["ts"]
        await self.client.agents_sessions_setStatus(channel_id=channel, thread_ts=thread_ts, status="processing")
        await asyncio.sleep(self.piece_seconds * 4)
        ts = (
            await self.client.chat_startStream(
                channel=channel, thread_ts=thread_ts, recipient_user_id=event["user"], recipient_team_id=TEAM
            )
        )["ts"]
        is_endless = "ゆっくり" in event["text"]
        try:
            number = 0
            while is_endless or number * 24 < len(ANSWER):
                piece = "考え中。" if is_endless else ANSWER[number * 24 : number * 24 + 24]
                await self.client.chat_appendStream(channel=channel, ts=ts, markdown_text=piece)
                await asyncio.sleep(0.02 if is_endless else self.piece_seconds)
                number += 1
            await self.client.chat_stopStream(channel=channel, ts=ts, blocks=FOOT)
        except SlackApiError as error:
            if error.response["error"] != "stopped_by_user":
                raise

    async def _interaction(self, payload: Json) -> web.Response:
        assert self.client
        if payload["type"] == "block_actions":
            self.actions.append(payload)
            if payload["actions"][0]["action_id"] == "open_form":
                await self.client.views_open(trigger_id=payload["trigger_id"], view=FORM)
            return web.Response()
        values = payload["view"]["state"]["values"]
        if len(values["customer"]["text"]["value"]) < 3:
            return web.json_response({"response_action": "errors", "errors": {"customer": "3文字以上で入力してください。"}})
        self.submissions.append(values)
        channel = (await self.client.conversations_open(users=payload["user"]["id"]))["channel"]["id"]
        await self.client.chat_postMessage(channel=channel, text=f"{values['customer']['text']['value']} の商談を記録しました。")
        return web.Response()

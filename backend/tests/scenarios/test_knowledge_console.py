"""Administrators look after the company's knowledge in the browser; these are the requests their browser sends."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from app.http.console.gate import SESSION_SECONDS
from app.knowledge.entry import Status
from app.people.person import Actor
from app.playground.demo_workspace import TEAM
from tests.doubles.product import Product, open_product

KEY = "an-administrators-key-for-the-console"
HERE = "http://coach.example"
OURS = {"sec-fetch-site": "same-origin"}
TYPED = {
    "title": "値引きの承認", "body": "## 原則\n10%を超える値引きには部長の承認が必要です。", "category": "negotiation",
    "language": "ja",
    "tags": "値引き, 承認", "scope": "everyone", "trust": "3", "source": "営業規程集", "url": "", "owner_id": "", "review_on": "",
    "updated_on": "2026-04-01",
}  # fmt: skip


@pytest.fixture
async def product(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Product]:
    async with open_product(database_url, redis_url, tmp_path, admin_api_keys=(SecretStr(KEY),)) as opened:
        yield opened


@asynccontextmanager
async def browser(product: Product) -> AsyncIterator[httpx2.AsyncClient]:
    app = Starlette(routes=product.services.console.routes())
    transport = httpx2.ASGITransport(app=app, client=("203.0.113.9", 40000))
    async with httpx2.AsyncClient(transport=transport, base_url=HERE, headers=OURS) as client:
        yield client


@pytest.fixture
async def administrator(product: Product) -> AsyncIterator[httpx2.AsyncClient]:
    async with browser(product) as client:
        answer = await client.post("/console/sign-in", data={"key": KEY, "next": "/console/knowledge"})
        assert answer.status_code == 303
        yield client


async def created(client: httpx2.AsyncClient, **more: str) -> str:
    answer = await client.post("/console/knowledge/new", data=TYPED | more)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def test_a_stranger_sees_the_sign_in_page_only(product: Product) -> None:
    await product.knows("秘密の値引き表", "社外秘です。")
    async with browser(product) as stranger:
        for path in ("/console/knowledge", "/console/knowledge/1", "/console/knowledge/import"):
            answer = await stranger.get(path)
            assert answer.status_code == 401 and 'name="key"' in answer.text and "秘密" not in answer.text
        wrong = await stranger.post("/console/sign-in", data={"key": "guess", "next": "/console/knowledge"})
        assert wrong.status_code == 401 and "ADMIN_API_KEYS" in wrong.text
        assert (await stranger.post("/console/knowledge/new", data=TYPED)).status_code == 401
    assert not await product.rows("select 1 from knowledge_entries where title = '値引きの承認'")


@pytest.mark.parametrize("target", ["//evil.example/", "https://evil.example/", "/console/\\evil.example"])
async def test_signing_in_never_leads_elsewhere(product: Product, target: str) -> None:
    async with browser(product) as client:
        answer = await client.post("/console/sign-in", data={"key": KEY, "next": target})
    assert answer.headers["location"] == "/console/knowledge"


async def test_a_session_ends_with_its_time_and_cannot_be_made_up(product: Product, administrator: httpx2.AsyncClient) -> None:
    assert (await administrator.get("/console/knowledge")).status_code == 200
    expires, proof = administrator.cookies["console_session"].split(".")
    async with browser(product) as forger:
        for forged in (f"{int(expires) + 9}.{proof}", f"{expires}.{'0' * 64}", "x.y", "99999999999."):
            answer = await forger.get("/console/knowledge", headers={"cookie": f"console_session={forged}"})
            assert answer.status_code == 401
    product.advance(seconds=SESSION_SECONDS + 1)
    kept = {"cookie": f"console_session={expires}.{proof}"}
    assert (await administrator.get("/console/knowledge", headers=kept)).status_code == 401


async def test_forms_of_other_sites_change_nothing(product: Product, administrator: httpx2.AsyncClient) -> None:
    path = await created(administrator)
    for headers in ({"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}):
        assert (await administrator.post(f"{path}/archive", headers=headers)).status_code == 403
    del administrator.headers["sec-fetch-site"]
    assert (await administrator.post(f"{path}/archive", headers={"origin": "http://evil.example"})).status_code == 403
    assert (await administrator.post(f"{path}/archive")).status_code == 403
    assert (await product.rows("select status from knowledge_entries"))[0]["status"] == "published"
    assert (await administrator.post(f"{path}/archive", headers={"origin": HERE})).status_code == 303


async def test_what_is_written_here_is_found_in_slack_at_once(product: Product, administrator: httpx2.AsyncClient) -> None:
    path = await created(administrator)
    shown = (await administrator.get(path)).text
    assert "<h2>原則</h2>" in shown and "営業規程集" in shown and "公式" in shown
    found = await product.edge.knowledge.search("値引きの承認は誰がする？", actor=Actor(TEAM, "U1"))
    assert [passage.title for passage in found] == ["値引きの承認"]
    await administrator.post(f"{path}/archive")
    assert not await product.edge.knowledge.search("値引きの承認は誰がする？", actor=Actor(TEAM, "U1"))
    assert "値引きの承認" in (await administrator.get("/console/knowledge", params={"status": "archived"})).text
    await administrator.post(f"{path}/publish")
    assert await product.edge.knowledge.search("値引きの承認は誰がする？", actor=Actor(TEAM, "U1"))


async def test_a_refused_form_says_why_and_keeps_what_was_typed(product: Product, administrator: httpx2.AsyncClient) -> None:
    bad = {"title": "", "url": "javascript:alert(1)", "review_on": "いつか", "category": "weapons", "scope": "person:U0YOKO00001"}
    answer = await administrator.post("/console/knowledge/new", data=TYPED | bad)
    assert answer.status_code == 422 and not await product.rows("select 1 from knowledge_entries")
    assert answer.text.count('class="problem"') == 6
    assert TYPED["body"].splitlines()[1] in answer.text and 'value="営業規程集"' in answer.text


async def test_two_administrators_do_not_overwrite_each_other(product: Product, administrator: httpx2.AsyncClient) -> None:
    path = await created(administrator)
    form = (await administrator.get(f"{path}/edit")).text
    based_on = re.search(r'name="based_on" value="(\d+)"', form)
    assert based_on
    first = TYPED | {"body": "15%を超える値引きには部長の承認が必要です。", "based_on": based_on[1]}
    second = TYPED | {"body": "20%を超える値引きには社長の承認が必要です。", "based_on": based_on[1]}
    assert (await administrator.post(f"{path}/edit", data=first)).status_code == 303
    late = await administrator.post(f"{path}/edit", data=second)
    assert late.status_code == 409 and "20%を超える値引きには社長の承認が必要です。" in late.text and "<ins>" in late.text
    assert "15%" in (await product.rows("select body from knowledge_entries"))[0]["body"]
    again = re.search(r'name="based_on" value="(\d+)"', late.text)
    assert again and (await administrator.post(f"{path}/edit", data=second | {"based_on": again[1]})).status_code == 303


async def test_versions_are_compared_and_gone_back_to(product: Product, administrator: httpx2.AsyncClient) -> None:
    path = await created(administrator)
    await administrator.post(
        f"{path}/edit", data=TYPED | {"body": "10%を超える値引きは禁止です。", "trust": "1", "based_on": "1"}
    )
    difference = (await administrator.get(f"{path}/compare", params={"from": 1, "to": 2})).text
    assert "<del>## 原則</del>" in difference and "禁止" in difference and "第 1 版 → 第 2 版" in difference
    assert (await administrator.get(f"{path}/compare", params={"from": 7})).status_code == 404
    assert (await administrator.get(f"{path}/compare", params={"from": "x"})).status_code == 400
    assert (await administrator.post(f"{path}/roll-back", data={"version": "1"})).status_code == 303
    row = (await product.rows("select body, trust, version from knowledge_entries"))[0]
    assert (row["body"], row["trust"], row["version"]) == (TYPED["body"], 3, 3)


async def test_the_list_is_narrowed_and_paged(product: Product, administrator: httpx2.AsyncClient) -> None:
    for number in range(52):
        await product.knows(f"値引き{number:02}", "100%_の例です。" if number == 7 else "例です。")
    await created(
        administrator, title="Renewals", language="en", category="renewal", review_on=(product.clock.now().date()).isoformat()
    )

    async def titles(**wanted: Any) -> list[str]:
        return re.findall(
            r'<td><a href="/console/knowledge/\d+">([^<]+)</a>',
            (await administrator.get("/console/knowledge", params=wanted)).text,
        )

    assert len(await titles()) == 50 and len(await titles(page=2)) == 3
    assert await titles(language="en") == ["Renewals"] == await titles(category="renewal") == await titles(review=1)
    assert await titles(q="100%_の") == ["値引き07"]
    assert await titles(status="proposed") == [] == await titles(page="99999")
    assert (await administrator.get("/console/knowledge", params={"page": "-1", "status": "x"})).status_code == 200


async def test_what_an_entry_says_is_shown_and_never_done(administrator: httpx2.AsyncClient) -> None:
    body = "<script>alert(1)</script>\n\n[押す](javascript:alert(1)) ![像](https://evil.example/p.png)\n\n**太字**"
    path = await created(administrator, title="<img src=x onerror=alert(1)>", body=body)
    answer = await administrator.get(path)
    assert "<script" not in answer.text and "<img" not in answer.text and 'href="javascript' not in answer.text
    assert "<strong>太字</strong>" in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src" not in policy and answer.headers["cache-control"] == "no-store"


async def test_a_personal_entry_is_not_administered(product: Product, administrator: httpx2.AsyncClient) -> None:
    await product.knows("個人メモ", "私だけのメモです。", scope="person:U0KENTA0001")
    entry_id = (await product.rows("select id from knowledge_entries"))[0]["id"]
    assert "個人メモ" not in (await administrator.get("/console/knowledge")).text
    for method, path in (("GET", ""), ("GET", "/edit"), ("POST", "/archive"), ("POST", "/publish")):
        assert (await administrator.request(method, f"/console/knowledge/{entry_id}{path}")).status_code == 404
    assert (await product.rows("select status from knowledge_entries"))[0]["status"] == Status.PUBLISHED


async def test_files_are_imported_one_by_one_and_a_broken_one_stops_no_other(
    product: Product, administrator: httpx2.AsyncClient
) -> None:
    files = [
        ("files", ("価格.md", "# 価格の答え方\n\n値引きの前に背景を伺います。".encode(), "text/markdown")),
        ("files", ("broken.docx", b"no office file at all", "application/octet-stream")),
        ("files", ("faq.csv", "質問,回答\n納期は？,通常二週間です。\n保証は？,一年間です。\n".encode("cp932"), "text/csv")),
    ]
    answer = await administrator.post("/console/knowledge/import", files=files)
    lines = re.findall(r"<li>(.*?)</li>", answer.text, re.DOTALL)
    assert len(lines) == 3 and "新規 1 件" in lines[0] and "broken.docx" in lines[1] and "新規 2 件" in lines[2]
    assert (await product.rows("select count(*) as n from knowledge_entries"))[0]["n"] == 3
    again = await administrator.post("/console/knowledge/import", files=files[:1])
    assert "変更なし 1 件" in again.text
    assert (await administrator.post("/console/knowledge/import", data={"x": "y"})).status_code == 422


@pytest.mark.parametrize(("header", "word"), [("en-US,en;q=0.9", "Published"), ("zh-CN", "已发布"), ("fr", "公開中")])
async def test_the_console_speaks_the_readers_language(administrator: httpx2.AsyncClient, header: str, word: str) -> None:
    assert word in (await administrator.get("/console/knowledge", headers={"accept-language": header})).text


async def test_a_chosen_language_stays(administrator: httpx2.AsyncClient) -> None:
    await administrator.get("/console/knowledge", params={"lang": "en"})
    assert "Published" in (await administrator.get("/console/knowledge")).text
    administrator.cookies.clear()


async def test_review_dates_show_what_is_due(product: Product, administrator: httpx2.AsyncClient) -> None:
    path = await created(administrator, review_on=(product.clock.now() + timedelta(days=1)).date().isoformat())
    assert "見直し時期です" not in (await administrator.get(path)).text
    product.advance(seconds=2 * 86_400)
    signed = await administrator.post("/console/sign-in", data={"key": KEY, "next": path})
    assert signed.status_code == 303
    assert "見直し時期です" in (await administrator.get(path)).text

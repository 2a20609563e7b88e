"""Entries for tests: only what matters is said."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from app.i18n.language import Language
from app.knowledge.entry import Category, Draft, Status, system_actor
from app.knowledge.library import Library, Saved
from app.knowledge.tokens import Tokenizer
from app.people.person import Actor, Standing
from app.storage.database import Database

TOKENIZER = Tokenizer()
MEMBER = Actor("T1", "U_MEMBER")
MANAGER = Actor("T1", "U_MANAGER", Standing.MANAGER)
IN_CHANNEL = Actor("T1", "U_MANAGER", Standing.MANAGER, is_private=False, channel_id="C1")


def draft(slug: str, title: str = "", body: str = "", **fields: Any) -> Draft:
    values: dict[str, Any] = {"category": Category.OBJECTION, "language": Language.JAPANESE, "updated_on": date(2026, 4, 1)}
    return Draft(slug=slug, title=title or slug, body=body or "本文。", **(values | fields))


async def publish(database: Database, *drafts: Draft, team_id: str = "T1", status: Status = Status.PUBLISHED) -> Saved:
    return await Library(database, TOKENIZER).save(drafts, actor=system_actor(team_id), status=status)


async def id_of(database: Database, slug: str, team_id: str = "T1") -> int:
    async with database.reading() as session:
        return int(await session.fetch_value("select id from knowledge_entries where team_id = $1 and slug = $2", team_id, slug))


PRICE_OBJECTION = draft("price", "「高い」と言われたとき", "まず何と比べて高いのかを尋ねます。値引きには交換条件を付けます。")
THANKS_MAIL = draft("thanks", "商談後のお礼メール", "当日中に、伺った課題と次の約束を書いて送ります。", category=Category.MAIL)
RINGI = draft("ringi", "稟議を通す一枚", "費用、効果、リスクをA4一枚にまとめて担当者に渡します。", category=Category.STAKEHOLDER)
ENTRIES: Sequence[Draft] = (PRICE_OBJECTION, THANKS_MAIL, RINGI)

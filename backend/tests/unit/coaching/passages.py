"""Passages of a knowledge base that nobody has."""

from datetime import date
from typing import Any

from app.i18n.language import Language
from app.knowledge.passage import Passage


def a_passage(text: str = "値引きを求められたら、まず理由を尋ねます。", **changes: Any) -> Passage:
    values: dict[str, Any] = {
        "entry_id": 7,
        "title": "値引き交渉の進め方",
        "heading": "",
        "text": text,
        "source": "営業ハンドブック",
        "url": None,
        "category": "negotiation",
        "updated_on": date(2026, 3, 1),
        "language": Language.JAPANESE,
        "score": 1.0,
    }
    return Passage(**{**values, **changes})


DISCOUNT = a_passage(
    "# 値引き交渉\n値引きを求められたら、まず比べている対象と理由を尋ねます。すぐに金額で答えてはいけません。\n"
    "- 値引きは契約期間の延長と引き換えに提示します。\n- 5%を超える値引きは課長の承認が必要です。[9]\n"
    "詳しくは？\n交渉の後は当日中に合意内容をメールで送ります。"
)
VALUE = a_passage(
    "価格ではなく導入後の効果を先に話します。見積書には削減できる工数を必ず書き添えます。", entry_id=8, title="価値の伝え方"
)

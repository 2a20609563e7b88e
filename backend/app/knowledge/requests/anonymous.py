"""A question as others may read it: without names, mentions, addresses and numbers that belong to somebody."""

import hashlib
import re
import unicodedata

from app.i18n.language import Language
from app.knowledge.tokens import Tokenizer
from app.llm.redaction import Redaction

LONGEST_QUESTION = 500
_GAP = "〇〇"
_MENTION = re.compile(r"<[@!#][^>]*>|(?<!\w)[@＠][\w.\-]+")
_LINK = re.compile(r"<https?://[^>]*>|https?://\S+", re.IGNORECASE)
_MASK = re.compile(r"⟦[A-Z]+_\d+⟧")
# The title stays and makes the sentence readable: "田中部長に" becomes "〇〇部長に".
_TITLES_JA = "さん|様|さま|氏|殿|君|くん|ちゃん|先生|社長|会長|専務|常務|取締役|本部長|部長|次長|課長|係長|主任|店長|所長|支店長"
_NAMED_JA = re.compile(rf"(?:[一-龥々]{{1,4}}|[ァ-ヴー]{{2,8}}|[A-Z][A-Za-z]+)(?=(?:{_TITLES_JA})(?![一-龥ァ-ヴ]))")
_NO_NAMES_JA = re.compile(
    r"(?:お客|客|皆|お子|奥|お得意|取引先|仕入先|担当|営業|購買|総務|経理|人事|法務|開発|製造|品質|情報|事業|副|新|前|元|各|他|同)$"
)
_NAMED_EN = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|Prof)\.?\s+[A-Z][\w'’-]*(?:\s+[A-Z][\w'’-]*)?")
_FULL_NAME_EN = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+(?: [A-Z][a-z]+)+")
_NAMED_ZH = re.compile(r"[\u4e00-\u9fff]{1,3}(?=(?:先生|女士|小姐|经理|总监|老师|主任))")
_SURNAMES_ZH = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔"
    "谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤"
)


def anonymous(question: str, language: Language, tokenizer: Tokenizer) -> str:
    """The question without what would tell who asked, or about whom. Too much is taken rather than too little."""
    text = unicodedata.normalize("NFKC", question[: LONGEST_QUESTION * 2])
    text = _MENTION.sub(_GAP, _LINK.sub("", text))
    text = _MASK.sub(_GAP, Redaction().mask(text))
    if language is Language.JAPANESE:
        text = _NAMED_JA.sub(
            lambda named: named[0] if _NO_NAMES_JA.search(named[0]) else _GAP, tokenizer.without_names(text, _GAP)
        )
    elif language is Language.CHINESE:
        text = _NAMED_ZH.sub(_without_chinese_name, text)
    else:
        text = _FULL_NAME_EN.sub(_GAP, _NAMED_EN.sub(_GAP, text))
    text = re.sub(rf"(?:{_GAP}[\s・]*){{2,}}", _GAP, " ".join(text.split()))
    return text[:LONGEST_QUESTION]


def fingerprint_of(question: str, tokenizer: Tokenizer) -> bytes:
    """Equal for questions of the same words, in whatever order and form they stand."""
    terms = sorted(set(tokenizer.question_terms(question))) or [question]
    return hashlib.sha256("\n".join(terms).encode()).digest()


def _without_chinese_name(found: re.Match[str]) -> str:
    """Of "请问王经理" only the surname, and a given name behind it, is a name."""
    text = found[0]
    for length in (3, 2, 1):
        if len(text) >= length and text[-length] in _SURNAMES_ZH:
            return text[:-length] + _GAP
    return text

"""Takes secrets and personal data out of text that is about to leave the process: log lines, errors, traces.

By pattern, whatever the text is about, and by the name of a field. It errs on the side of taking out too much. It is the second
wall: the first is that nobody logs message texts or keys.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

REDACTED = "[redacted]"
LONGEST_TEXT = 16_000  # characters; what is longer is cut, so that no line costs seconds
_DEEPEST = 5

_START = r"(?<![A-Za-z0-9])"  # \b would see no word boundary between 「は」 and a token

# A pattern runs only where one of its marks occurs, which most lines do not contain.
_PATTERNS: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = (
    (("PRIVATE KEY",), re.compile(r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"), REDACTED),
    (("hooks.slack.com",), re.compile(r"https?://hooks\.slack\.com/[^\s\"'<>]*"), REDACTED),
    (("://",), re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s:/@]{0,200}):[^\s\"']{1,300}@"), rf"\1:{REDACTED}@"),
    (("xox", "xapp-", "xwfp-"), re.compile(_START + r"(?:xox[a-z](?:\.xox[a-z])?|xapp|xwfp)-[A-Za-z0-9-]{4,}"), REDACTED),
    (("sk-", "pk-", "rk-"), re.compile(_START + r"[spr]k-[A-Za-z0-9_-]{8,}"), REDACTED),
    (("gh", "github_pat_", "glpat-"), re.compile(_START + r"(?:gh[pousr]_|github_pat_|glpat-)[A-Za-z0-9_-]{12,}"), REDACTED),
    (("AKIA", "ASIA", "AIza"), re.compile(_START + r"(?:A[KS]IA[0-9A-Z]{12,}|AIza[A-Za-z0-9_-]{30,})"), REDACTED),
    (("eyJ",), re.compile(_START + r"eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*)?"), REDACTED),
    (("earer", "asic ", "EARER", "ASIC "), re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"), rf"\1 {REDACTED}"),
    (
        (":", "=", "：", "＝"),
        re.compile(
            r"(?i)((?<![\w-])[\w-]{0,80}?(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|encryption[_-]?key|authorization|signature|cookie|credential"
            r"|パスワード|暗証番号|密码|口令)[\w-]{0,40}[\"']?\s*[:=：＝]\s*[\"']?)(?!\d+\b)(?!\[redacted\])[^\s\"',;&]{3,}"
        ),
        rf"\1{REDACTED}",
    ),
    (("@",), re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+"), REDACTED),
    (("-",), re.compile(r"(?<![\d-])(?:\+\d{1,3}-\d{1,4}|0\d{1,4})-\d{1,4}-\d{3,4}(?![\d-])"), REDACTED),
    ((), re.compile(r"(?<![A-Za-z0-9])[0-9a-fA-F]{32,}(?![A-Za-z0-9])"), REDACTED),
    (("=",), re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{42,}={1,2}"), REDACTED),
    ((), re.compile(r"(?<![A-Za-z0-9+])(?=[A-Za-z+]{0,200}\d)(?=[a-z0-9+]{0,200}[A-Z])[A-Za-z0-9+]{40,}"), REDACTED),
)  # fmt: skip

_SECRET_NAME = re.compile(
    r"(?i)passw|passphrase|secret|token|api_?key|encryption_?key|private_?key|authorization|cookie|signature|credential|_url$|^url$"
)
_TEXT_NAME = re.compile(
    r"(?i)^(?:text|texts|body|content|contents|prompt|prompts|payload|blocks|envelope|draft|question|answer|messages|transcript|query)$"
)
# Without any of these no pattern can match: most fields and many lines are done after this one look.
_SUSPICIOUS = re.compile(
    r"[:=@：＝]|xox|xapp-|xwfp-|[spr]k-|gh[pousr]_|github_pat_|glpat-|A[KS]IA|AIza|eyJ|(?i:bearer|basic)\s"
    r"|PRIVATE KEY|\d-\d|[A-Za-z0-9+]{32}"
)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def redact(text: str) -> str:
    """The text without what looks like a secret, an e-mail address or a telephone number."""
    text = text[:LONGEST_TEXT]
    if not _SUSPICIOUS.search(text):
        return text
    for marks, pattern, replacement in _PATTERNS:
        if not marks or any(mark in text for mark in marks):
            text = pattern.sub(replacement, text)
    return text


def redact_value(name: str, value: Any, *, depth: int = 0) -> Any:
    """A field of a log line. Numbers stay; secrets and message texts go by their name, everything else by pattern."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if _is_private_name(name) or depth >= _DEEPEST:
        return REDACTED
    if isinstance(value, Mapping):
        return {redact(str(key)): redact_value(str(key), inner, depth=depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact_value(name, inner, depth=depth + 1) for inner in value]
    return on_one_line(redact(str(value)))


@lru_cache(maxsize=2048)
def _is_private_name(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None or _TEXT_NAME.match(name) is not None


def on_one_line(text: str) -> str:
    """Line breaks and control characters as escapes: nobody outside can begin a log line or move a terminal's cursor."""
    return _CONTROL.sub(lambda found: found.group().encode("unicode_escape", "surrogatepass").decode("ascii"), text)

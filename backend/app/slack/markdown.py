"""Text from outside (model, knowledge, people) made safe and right for Slack's standard Markdown.

What never survives, whatever the text says: ``<`` (so no ``<!channel>``, ``<@U…>``, ``<#C…>`` or ``<url|label>``), ``](`` and
link definitions (so no label can hide an address), images, clickable addresses of hosts that are not allowed, words that ping
everybody, and characters that cannot be seen.
What does survive: headings, lists, tables, quotes, code and emphasis, the latter also where it touches Japanese or Chinese.

:class:`StreamSanitizer` does it piece by piece: what it has given out is never changed by what comes later, and all of it
together is what :func:`sanitize` makes of the whole. It holds back only what is undecided, usually the last word. Safety does
not rest on finding out what is code and what is not (Slack's parser may see that differently): its rules apply everywhere.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

JOINER: Final = "\u2060"
"""WORD JOINER: unseen, no space and no punctuation in Markdown's eyes. All of them in our output are our own."""


@dataclass(frozen=True)
class LinkPolicy:
    """Which hosts may be linked to (``.example.com``: all below it), and what is said in place of any other address."""

    hosts: frozenset[str] = frozenset()
    removed_note: str = ""

    def allows(self, url: str) -> bool:
        """True for https on a listed host, without user name or odd port."""
        found = _HTTPS.fullmatch(url)
        if found is None:
            return False
        host = found["host"].lower()
        return host in self.hosts or any(host.endswith(listed) for listed in self.hosts if listed.startswith("."))


NO_LINKS: Final = LinkPolicy()


def sanitize(text: str, policy: LinkPolicy = NO_LINKS) -> str:
    """The whole text at once."""
    sanitizer = StreamSanitizer(policy)
    return sanitizer.feed(text) + sanitizer.finish()


def escape_mrkdwn(text: str, *, limit: int | None = None) -> str:
    """Foreign text for a ``mrkdwn`` field: no pings, no links, no formatting; on one line."""
    line = " ".join(_visible(text).split())
    if limit is not None and len(line) > limit:
        line = line[: limit - 1] + "…"
    escaped = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    unlinked = _DOTS.sub("." + JOINER, escaped.replace("://", ":" + JOINER + "//"))
    unformatted = _MRKDWN_MARKS.sub(JOINER + r"\g<0>" + JOINER, unlinked)
    return _ATS.sub(r"\g<0>" + JOINER, unformatted)


def plain_text_fallback(markdown: str, limit: int) -> str:
    """Sanitized Markdown as a short plain text for notifications, cut between sentences where that is near."""
    words = _MARKS.sub("", markdown[: limit * 2])
    text = " ".join(words.split())
    if len(text) <= limit:
        return text
    cut = cut_at(text, limit - 1)
    return _BROKEN_ENTITY.sub("", text[:cut].rstrip()) + "…"


def split_for_slack(markdown: str, limit: int) -> list[str]:
    """Sanitized Markdown in parts of at most ``limit`` characters, cut between paragraphs, lines or sentences.

    A fence that is cut is closed and opened again; a table stays whole where it fits. ``limit`` is at least 60.
    """
    parts = []
    rest = markdown
    while len(rest) > limit:
        end = _part_end(rest, limit - _FENCE_ROOM)
        part, rest = rest[:end].rstrip(), rest[end:].lstrip("\n")
        fence = _open_fence(part)
        if fence:
            part, rest = f"{part}\n{fence}", f"{fence}\n{rest}"
        parts.append(part)
    if rest.strip() or not parts:
        parts.append(rest)
    return parts


def cut_at(text: str, limit: int) -> int:
    """Where to cut ``text`` so that at most ``limit`` characters stand before: after a sentence, else a word, else hard."""
    window = text[:limit]
    for boundary in (_SENTENCE_ENDS, _WORD_ENDS):
        ends = [found.end() for found in boundary.finditer(window, limit // 2)]
        if ends:
            return ends[-1]
    return _between_entities(text, limit)


class StreamSanitizer:
    """Takes pieces, gives out what is decided. ``finish`` gives the rest and closes what was left open."""

    def __init__(self, policy: LinkPolicy = NO_LINKS, *, starts_line: bool = True) -> None:
        self._policy = policy
        self._cleaner = _Cleaner()
        self._buffer = ""
        self._at = 0  # where in the buffer the undecided text begins; one decided character may stand before it
        self._starts_line = starts_line
        self._in_table = False
        self._fence = ""  # the run that opened the fence we are in
        self._code = 0  # length of the run that opened the code span we are in
        self._emphasis: list[str] = []
        self._last = ""  # the last character given out
        self._is_final = False
        self._out: list[str] = []

    def feed(self, piece: str) -> str:
        """The next piece; returns what can be shown now."""
        self._buffer += self._cleaner.feed(piece)
        return self._advance()

    def finish(self) -> str:
        """What was held back, with fences and emphasis closed."""
        self._buffer += self._cleaner.finish()
        self._is_final = True
        shown = self._advance()
        if self._fence:
            self._emit(("" if self._last == "\n" else "\n") + self._fence)
            self._fence = ""
        else:
            self._close_inline()
        return shown + self._taken()

    def _advance(self) -> str:
        buffer = self._buffer
        while self._at < len(buffer):
            if self._starts_line and not self._line_start():
                break
            found = _TOKEN.search(buffer, self._at)
            if found is None:
                self._plain(len(buffer) if self._is_final else self._undecided_from(self._at))
                break
            if found.group() == "@" and self._needs_more(found.end()):
                # What stands before it may be the name of a mail address.
                self._plain(self._undecided_from(self._at))
                break
            if found.start() > self._at:
                self._plain(found.start())
            end = _HANDLERS[found.lastgroup or ""](self, found)
            if end is None:
                break
            self._at = end
        keep = max(self._at - 1, 0)
        self._buffer, self._at = buffer[keep:], self._at - keep
        return self._taken()

    def _taken(self) -> str:
        text = "".join(self._out)
        self._out.clear()
        return text

    def _emit(self, text: str) -> None:
        if text:
            self._out.append(text)
            self._last = text[-1]

    def _plain(self, end: int) -> None:
        if end > self._at:
            self._emit(self._buffer[self._at : end])
            self._at = end

    def _undecided_from(self, start: int) -> int:
        """An address may begin in the last word: it is held back, as far as that can matter."""
        tail = self._buffer[max(start, len(self._buffer) - _WORD_HELD) :]
        return len(self._buffer) - (len(tail) - len(tail.rstrip(_ASCII_VISIBLE)))

    def _needs_more(self, end: int, ahead: int = 1) -> bool:
        return not self._is_final and end + ahead > len(self._buffer)

    # The start of a line: fences, quotes, tables.

    def _line_start(self) -> bool:
        """Reads what only counts at the start of a line. False: undecided."""
        prefix = _PREFIX.match(self._buffer, self._at)
        end = prefix.end() if prefix else self._at
        if self._needs_more(end):
            return False
        following = self._buffer[end : end + 1]
        if self._fence:
            return self._fence_end(end, following)
        if following in ("`", "~") and following:
            return self._fence_start(end)
        self._plain(end)
        self._in_table = following == "|"
        self._starts_line = False
        return True

    def _fence_start(self, start: int) -> bool:
        found = _FENCE.match(self._buffer, start)
        end = found.end() if found else start
        if found is None and not self._is_final and _FENCE_BEGUN.match(self._buffer, start):
            return False
        if found is not None and self._needs_more(end):
            return False
        self._plain(start)
        self._starts_line = False
        if found is not None and self._buffer[end : end + 1] in ("\n", ""):
            self._fence = found["run"]
            self._emit(self._fence + _FENCE_LANGUAGE.sub("", found["info"])[:20])
            self._at = end
        return True

    def _fence_end(self, start: int, following: str) -> bool:
        if following == self._fence[0]:
            found = _FENCE_CLOSING.match(self._buffer, start)
            if found is not None and self._needs_more(found.end()):
                return False
            if found is not None and self._buffer[found.end() : found.end() + 1] in ("\n", "") and self._closes(found["run"]):
                self._plain(found.end())
                self._fence = ""
        self._plain(start) if self._fence else None
        self._starts_line = False
        return True

    def _closes(self, run: str) -> bool:
        return run[0] == self._fence[0] and len(run) >= len(self._fence)

    def _newline(self, found: re.Match[str]) -> int | None:
        if not self._fence and (self._emphasis or self._code):
            indent = _INDENT.match(self._buffer, found.end())
            after = indent.end() if indent else found.end()
            if self._needs_more(after, 4) and "\n" not in self._buffer[after:]:
                return None
            if _BLOCK_START.match(self._buffer, after):
                self._close_inline()
        self._emit("\n")
        self._starts_line, self._in_table = True, False
        return found.end()

    # Emphasis and code spans.

    def _emphasize(self, found: re.Match[str]) -> int | None:
        if self._needs_more(found.end()):
            return None
        run, following = found.group(), self._buffer[found.end() : found.end() + 1]
        if self._fence or self._code or _is_plain_run(run, self._last, following):
            self._emit(run)
        elif run in self._emphasis or run == "".join(reversed(self._emphasis)):
            self._close_emphasis(run, following)
        elif following.strip():
            self._open_emphasis(run, following)
        elif len(run) == 1:
            self._emit(run)
        # A longer run with nothing to emphasize is left out: it could only be read as asterisks.
        return found.end()

    def _open_emphasis(self, run: str, following: str) -> None:
        # Markdown takes a run before punctuation for an opening one only after a space or punctuation; Japanese has neither.
        needs_joiner = _is_punctuation(following) and not _is_edge(self._last)
        self._emit(run + JOINER if needs_joiner else run)
        self._emphasis.append(run)

    def _close_emphasis(self, run: str, following: str) -> None:
        if run not in self._emphasis:
            self._emphasis.clear()
        else:
            while (innermost := self._emphasis.pop()) != run:
                if len(innermost) > 1:
                    self._emit(innermost)
        # The mirror image: after punctuation a run closes only before a space or punctuation, and after a space never.
        needs_joiner = self._last.isspace() or (_is_punctuation(self._last) and not _is_edge(following))
        self._emit(JOINER + run if needs_joiner else run)

    def _close_inline(self) -> None:
        if self._code:
            self._emit("`" * self._code)
            self._code = 0
        while self._emphasis:
            run = self._emphasis.pop()
            # A lone asterisk is more often a footnote than forgotten emphasis.
            if len(run) > 1:
                self._emit(JOINER + run if self._last.isspace() or _is_punctuation(self._last) else run)

    def _backticks(self, found: re.Match[str]) -> int | None:
        if self._needs_more(found.end()):
            return None
        run = len(found.group())
        if self._fence or (self._code and self._code != run):
            self._emit(found.group())
        elif self._code:
            self._emit(found.group())
            self._code = 0
        elif found.end() < len(self._buffer):
            self._emit(found.group())
            self._code = run
        return found.end()

    def _backslash(self, found: re.Match[str]) -> int | None:
        if self._needs_more(found.end()):
            return None
        following = self._buffer[found.end() : found.end() + 1]
        if following and following in "&<>":
            if self._fence or self._code:
                self._emit("\\")
            return found.end()
        self._emit("\\")
        if following and following in "*~`\\" and not (self._fence or self._code):
            self._emit(following)
            return found.end() + 1
        return found.end()

    # Signs that Slack or Markdown would take for its own.

    def _ampersand(self, found: re.Match[str]) -> int | None:
        if not self._is_final and _ENTITY_BEGUN.match(self._buffer, found.start()):
            return None
        self._emit("&amp;" if _ENTITY.match(self._buffer, found.start()) else "&")
        return found.end()

    def _less_than(self, found: re.Match[str]) -> int | None:
        start = found.start()
        if not self._is_final and _ANGLE_BEGUN.match(self._buffer, start):
            return None
        angle = _ANGLE.match(self._buffer, start)
        if angle is None:
            self._emit("&lt;")
            return found.end()
        if angle["url"] is None:
            self._break_line()
        else:
            self._link(angle["label"] or "", angle["url"])
        return angle.end()

    def _break_line(self) -> None:
        if self._in_table:
            self._emit(" ")
        else:
            self._close_inline() if not self._fence else None
            self._emit("\n")
            # What follows may be a list or a fence of its own, as after any other newline.
            self._starts_line = True

    def _greater_than(self, found: re.Match[str]) -> int | None:
        self._emit("&gt;")
        return found.end()

    def _at_sign(self, found: re.Match[str]) -> int | None:
        if self._needs_more(found.end(), _LONGEST_PING):
            return None
        following = self._buffer[found.end() : found.end() + _LONGEST_PING]
        named = unicodedata.normalize("NFKC", following).casefold()
        # Before other signs too: one of them may vanish and bring the sign and a name together.
        is_risky = named.startswith(_PINGS) or following[:1] in _ASCII_PUNCTUATION
        self._emit(found.group() + JOINER if is_risky else found.group())
        return found.end()

    def _closing_bracket(self, found: re.Match[str]) -> int | None:
        if self._needs_more(found.end()):
            return None
        self._emit("]" + JOINER if self._buffer[found.end() : found.end() + 1] in ("(", ":") else "]")
        return found.end()

    # Addresses.

    def _bracket(self, found: re.Match[str]) -> int | None:
        start = found.start()
        if not self._is_final and _LINK_BEGUN.match(self._buffer, start):
            return None
        link = _LINK.match(self._buffer, start)
        is_image = found.group() == "!["
        target = _target_of(link["inside"]) if link else ""
        is_code = self._fence or self._code
        if link is None or is_code or not (is_image or _EXTERNAL.search(target)):
            self._emit(found.group())
            return found.end()
        if is_image:
            self._emit_foreign(self._label(link["label"]))
        else:
            self._link(link["label"], target)
        return link.end()

    def _link(self, label: str, url: str) -> None:
        """``label (address)``, so that nobody is sent to where they cannot see; of other hosts the label and a note."""
        shown = self._label(label).strip()
        address = _email_of(url)
        if address is None and self._policy.allows(url):
            address = _allowed_url(url)
        if address is None:
            note = self._policy.removed_note if not self._fence else ""
            shown = shown or _unclickable(url)
            self._emit_foreign(f"{shown} {note}" if note[:1] == "(" else shown + note)
        elif not shown or label == url:
            self._emit_foreign(address + " ")
        else:
            self._emit_foreign(f"{shown} ({address})")

    def _label(self, label: str) -> str:
        inner = StreamSanitizer(self._policy, starts_line=False)
        inner._last = self._last  # the same line goes on
        return inner.feed(label) + inner.finish()

    def _emit_foreign(self, text: str) -> None:
        """Text in place of a construct: its ends must not join with what stands around it, to an address for example."""
        if text and text[0] in _ASCII_VISIBLE and self._last and self._last in _ASCII_VISIBLE:
            self._emit(JOINER)
        self._emit(text if text and _ENDS_ALONE.search(text) else text + JOINER)

    def _url(self, found: re.Match[str]) -> int | None:
        if self._word_goes_on(found.start()):
            return None
        url = _without_trailing(found.group())
        end = found.start() + len(url)
        if not self._policy.allows(url):
            self._emit(_unclickable(url))
            return end
        following = self._buffer[end : end + 1]
        # Slack would take Japanese that follows without a space for a part of the address.
        self._emit(_allowed_url(url) + (" " if following and not following.isascii() and not following.isspace() else ""))
        return end

    def _name(self, found: re.Match[str]) -> int | None:
        if self._word_goes_on(found.start()):
            return None
        self._emit(found.group() if _is_email(found.group()) else _unclickable(found.group()))
        return found.end()

    def _dot(self, found: re.Match[str]) -> int | None:
        if self._word_goes_on(found.start()):
            return None
        self._emit(found.group() + JOINER)
        return found.end()

    def _word_goes_on(self, start: int) -> bool:
        if self._is_final:
            return False
        word = _WORD.match(self._buffer, start)
        return word is not None and word.end() == len(self._buffer) and word.end() - start < _LONGEST_ADDRESS


class _Cleaner:
    """Removes what cannot be seen: controls, zero-width and bidirectional signs, tags, fillers.

    Joiners and variant selectors stay where they belong to a picture or to an ideograph.
    """

    def __init__(self) -> None:
        self._previous = ""
        self._held = ""

    def feed(self, piece: str) -> str:
        piece = self._held + piece
        self._held = ""
        if piece.endswith("\r"):
            piece, self._held = piece[:-1], "\r"
        if not piece:
            return ""
        shown = piece if _UNSEEN.search(piece) is None else "".join(self._seen(piece.replace("\r\n", "\n")))
        if shown:
            self._previous = shown[-1]
        return shown

    def finish(self) -> str:
        held, self._held = self._held, ""
        return "\n" if held else ""

    def _seen(self, piece: str) -> Iterator[str]:
        previous = self._previous
        for sign in piece:
            if _UNSEEN.match(sign) is None:
                previous = sign
            elif sign in "\r\v\f\x85\u2028\u2029":
                previous = "\n"
            elif _belongs_to(sign, previous):
                previous = sign
            else:
                continue
            yield previous


def _visible(text: str) -> str:
    cleaner = _Cleaner()
    return cleaner.feed(text) + cleaner.finish()


def _belongs_to(sign: str, previous: str) -> bool:
    if sign == "\u200d":
        return bool(previous) and (_PICTURE.match(previous) is not None or previous == "\ufe0f")
    if "\ufe00" <= sign <= "\ufe0f" or "\U000e0100" <= sign <= "\U000e01ef":
        return bool(previous) and (_PICTURE.match(previous) is not None or _VARIED.match(previous) is not None)
    return False


def _is_plain_run(run: str, before: str, after: str) -> bool:
    """A bullet, a rule, a product of numbers: no emphasis."""
    if len(run) > 3 or (run[0] == "~" and len(run) != 2):
        return True
    if before in ("", "\n") and after in ("", "\n"):
        return True
    if len(run) == 1 and before.isascii() and before.isalnum() and after.isascii() and after.isalnum():
        return True
    return (not before or before.isspace()) and bool(after) and after.isspace()


def _is_punctuation(sign: str) -> bool:
    return bool(sign) and unicodedata.category(sign)[0] in "PS"


def _is_edge(sign: str) -> bool:
    return not sign or sign.isspace() or _is_punctuation(sign)


def _target_of(inside: str) -> str:
    words = inside.split()
    return words[0].strip("<>") if words else ""


def _without_trailing(url: str) -> str:
    """An address without the punctuation that ends the sentence around it."""
    shorter = url.rstrip(_TRAILING)
    while shorter.endswith(")") and shorter.count("(") < shorter.count(")"):
        shorter = shorter[:-1].rstrip(_TRAILING)
    # At least the scheme is consumed, so that the walk goes on.
    return shorter if len(shorter) > url.index("://") + 3 else url


def _allowed_url(url: str) -> str:
    scheme, _, rest = url.partition("://")
    quoted = _QUOTED_IN_URLS.sub(lambda found: f"%{ord(found[0]):02X}", rest.replace("://", "%3A//"))
    return f"{scheme}://{quoted.replace('&', '&amp;')}"


def _unclickable(address: str) -> str:
    joined = _DOTS.sub("." + JOINER, address.replace("://", ":" + JOINER + "//")).replace("@", "@" + JOINER)
    return joined.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("]", "]" + JOINER)


def _is_email(text: str) -> bool:
    _, at, host = text.partition("@")
    return bool(at) and not host.casefold().startswith(_PINGS)


def _email_of(url: str) -> str | None:
    found = _MAILTO.fullmatch(url)
    return found["address"] if found and _is_email(found["address"]) else None


def _part_end(text: str, limit: int) -> int:
    """The end of the next part: before a table or after a paragraph, a line or a sentence, in this order."""
    window = text[:limit]
    newline = window.rfind("\n")
    if newline > 0 and text[newline + 1 : newline + 2] == "|":
        table = _table_start(window, newline)
        if table > limit // 3:
            return table
    for separator in ("\n\n", "\n"):
        found = window.rfind(separator, limit // 2)
        if found > 0:
            return found + len(separator)
    return cut_at(text, limit)


def _table_start(window: str, newline: int) -> int:
    """Where the table begins whose row starts after ``newline``."""
    start = newline + 1
    while (previous := window.rfind("\n", 0, start - 1)) >= 0 and window[previous + 1 : previous + 2] == "|":
        start = previous + 1
    return start


def _open_fence(part: str) -> str:
    fence = ""
    for found in _FENCE_LINES.finditer(part):
        run = found["run"]
        if not fence:
            fence = run
        elif run[0] == fence[0] and len(run) >= len(fence) and not found["info"].strip():
            fence = ""
    return fence


def _between_entities(text: str, limit: int) -> int:
    broken = _BROKEN_ENTITY.search(text[:limit])
    return broken.start() if broken and broken.start() > 0 else limit


_HTTPS = re.compile(r"https://(?P<host>[a-z0-9.-]+)(?::443)?(?:[/?#].*)?", re.IGNORECASE)
_ASCII_VISIBLE: Final = "".join(map(chr, range(0x21, 0x7F)))
_ASCII_PUNCTUATION: Final = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_WORD = re.compile(r"[!-~]++")
_WORD_HELD: Final = 128
_LONGEST_ADDRESS: Final = 2_200
_TRAILING: Final = ".,;:!?'*_~"
_PINGS: Final = ("channel", "here", "everyone", "group")
_LONGEST_PING: Final = 8

_TOKEN = re.compile(
    r"""
    (?P<newline>\n)
  | (?P<emphasis>\*++|~~++)
  | (?P<backticks>`++)
  | (?P<ampersand>&)
  | (?P<less_than><)
  | (?P<greater_than>>)
  | (?P<at_sign>[@＠﹫])
  | (?P<bracket>!?\[)
  | (?P<closing_bracket>\])
  | (?P<backslash>\\)
  | (?P<url>(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{0,30}+://[!#$%&'()*+,\-./0-9:;=?@A-Z_a-z~]{0,2048}+)
  | (?P<name>(?<![A-Za-z0-9_%+.-])(?=[A-Za-z0-9_%+-]{1,64}+[.@][A-Za-z0-9])
      [A-Za-z0-9_%+-]{1,64}+(?:\.[A-Za-z0-9_%+-]{1,64}+){0,10}+
      (?:@[A-Za-z0-9-]{1,63}+(?:\.[A-Za-z0-9-]{1,63}+){1,10}+)?+)
  | (?P<dot>(?<=[A-Za-z0-9-])\.(?=[A-Za-z])|:(?=//))
    """,
    re.VERBOSE,
)
_HANDLERS: Final[dict[str, Callable[[StreamSanitizer, re.Match[str]], int | None]]] = {
    "newline": StreamSanitizer._newline,  # noqa: SLF001 - one table, read in the order of the tokens above
    "emphasis": StreamSanitizer._emphasize,  # noqa: SLF001
    "backticks": StreamSanitizer._backticks,  # noqa: SLF001
    "ampersand": StreamSanitizer._ampersand,  # noqa: SLF001
    "less_than": StreamSanitizer._less_than,  # noqa: SLF001
    "greater_than": StreamSanitizer._greater_than,  # noqa: SLF001
    "at_sign": StreamSanitizer._at_sign,  # noqa: SLF001
    "bracket": StreamSanitizer._bracket,  # noqa: SLF001
    "closing_bracket": StreamSanitizer._closing_bracket,  # noqa: SLF001
    "backslash": StreamSanitizer._backslash,  # noqa: SLF001
    "url": StreamSanitizer._url,  # noqa: SLF001
    "name": StreamSanitizer._name,  # noqa: SLF001
    "dot": StreamSanitizer._dot,  # noqa: SLF001
}

# Each pattern ending in ``\Z`` says: with more text this could still become the thing.
_ENTITY = re.compile(r"&#?\w{1,31};", re.ASCII)
_ENTITY_BEGUN = re.compile(r"&#?\w{0,31}\Z", re.ASCII)
_ANGLE = re.compile(r"<(?:(?P<url>https?://[^\s<>|]{1,2048})(?:\|(?P<label>[^<>\n|]{0,300}))?|br ?/?)>", re.IGNORECASE)
_ANGLE_BEGUN = re.compile(r"<(?:[A-Za-z][^<>\n]{0,2400}+)?\Z")
_LABEL: Final = r"!?\[(?P<label>(?:[^\[\]\n\\]|\\[^\n]|\[[^\[\]\n]{0,100}\]){0,300}+)"
_INSIDE: Final = r"\]\((?P<inside>(?:[^()\n]|\([^()\n]{0,500}\)){0,2500}+)"
_LINK = re.compile(_LABEL + _INSIDE + r"\)")
_LINK_BEGUN = re.compile(
    _LABEL + r"(?:(?:\[[^\[\]\n]{0,100}+)?\\?\Z|\]\Z|" + _INSIDE + r"(?:\([^()\n]{0,500}+)?\Z)"
)  # fmt: skip
_EXTERNAL = re.compile(r"[:@\\%&]|//|^[/#?]|[A-Za-z0-9]\.[A-Za-z]")
_ENDS_ALONE = re.compile(r"[^A-Za-z0-9\]@＠﹫\\!.:/+_%&=?#~-]\Z")
_MAILTO = re.compile(r"mailto:(?P<address>[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)", re.IGNORECASE)
_QUOTED_IN_URLS = re.compile(r"[@*\[\]`\\<>\"{}|^]")
_DOTS = re.compile(r"(?<=[A-Za-z0-9-])\.(?=[A-Za-z])")
_ATS = re.compile(r"[@＠﹫]")
_MRKDWN_MARKS = re.compile(r"[*_~`]+")

_PREFIX = re.compile(r"[ \t]{0,12}(?:>[ \t]{0,3}){0,4}")
_INDENT = re.compile(r"[ \t]{0,16}")
_BLOCK_START = re.compile(r"\n|\Z|#|[-*+][ \t]|\d{1,3}[.)]|>|\||```|~~~")
_FENCE = re.compile(r"(?P<run>`{3,8}+|~{3,8}+)(?P<info>[^\n`]{0,64}+)")
_FENCE_BEGUN = re.compile(r"(?:`{1,2}|~{1,2})\Z")
_FENCE_LANGUAGE = re.compile(r"[^A-Za-z0-9+#]")
_FENCE_CLOSING = re.compile(r"(?P<run>`{1,8}+|~{1,8}+)[ \t]{0,20}+")
_FENCE_LINES = re.compile(r"^[ \t>]*(?P<run>`{3,8}|~{3,8})(?P<info>[^\n`]*)$", re.MULTILINE)

_FENCE_ROOM: Final = 10
_SENTENCE_ENDS = re.compile(r"[。！？!?][」』）)】]*|\.(?=\s)|\n")
_WORD_ENDS = re.compile(r"[\s、，,；;]")
_MARKS = re.compile(r"^[ \t]*(?:#{1,6}[ \t]|>[ \t]?|[`~]{3,}.*$)|\*+|~~|`|\|", re.MULTILINE)
_BROKEN_ENTITY = re.compile(r"&[a-z#0-9]{0,5}\Z")

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc\ufffe\uffff"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_PICTURE = re.compile("[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u27bf\u2900-\u2bff\u3030\u303d\u3297\u3299"
                      "\U0001f000-\U0001faff]")  # fmt: skip
_VARIED = re.compile("[0-9\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")

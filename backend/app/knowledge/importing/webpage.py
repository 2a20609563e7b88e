"""HTML → document. What surrounds the text of a page (menus, scripts, forms, advertisements) is dropped."""

import re
from dataclasses import dataclass

from bs4 import BeautifulSoup, Comment, Tag
from bs4.element import PageElement

from app.knowledge.importing.document import Block, Heading, Paragraph, ParsedDocument, table_of
from app.knowledge.importing.text import decoded_html

_SURROUNDINGS = (
    "script", "style", "noscript", "template", "nav", "footer", "aside", "form", "button", "select", "iframe", "object", "embed",
    "svg", "canvas", "video", "audio", "head", "dialog",
)  # fmt: skip
_ROLES = frozenset({"navigation", "banner", "contentinfo", "search", "complementary", "dialog", "alert"})
_UNSEEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0(?![.\d])", re.IGNORECASE)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset({
    "address", "article", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt", "fieldset", "figcaption", "figure",
    "header", "hr", "html", "li", "main", "ol", "p", "pre", "section", "summary", "table", "ul",
})  # fmt: skip


def parse_webpage(content: bytes) -> ParsedDocument:
    soup = BeautifulSoup(decoded_html(content), "lxml")
    title = " ".join(soup.title.get_text().split()) if soup.title else ""
    root = soup.find("main") or soup.find("article") or soup.body or soup
    assert isinstance(root, Tag)
    _drop_surroundings(root)
    return ParsedDocument(title, tuple(_blocks_of(root)))


def _drop_surroundings(root: Tag) -> None:
    for found in root.find_all(_is_surrounding):
        found.extract()


def _is_surrounding(tag: Tag) -> bool:
    if tag.name in _SURROUNDINGS or tag.has_attr("hidden") or tag.get("aria-hidden") == "true":
        return True
    if _UNSEEN.search(str(tag.get("style", ""))):
        return True
    # A page's header is a banner; an article's header holds its title.
    return tag.get("role") in _ROLES or (tag.name == "header" and tag.find("h1") is None)


def _blocks_of(root: Tag) -> list[Block]:
    """One walk without recursion: pages may be nested as deep as they like."""
    blocks: list[Block] = []
    words: list[str] = []

    def end_paragraph(mark: str = "") -> None:
        text = "\n".join(line for line in (" ".join(line.split()) for line in "".join(words).split("\n")) if line)
        words.clear()
        if text:
            blocks.append(Paragraph(mark + text))

    waiting: list[PageElement | _End] = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, _End):
            end_paragraph(node.mark)
        elif isinstance(node, Tag):
            if node.name in _HEADINGS:
                end_paragraph()
                if text := " ".join(node.get_text(" ").split()):
                    blocks.append(Heading(_HEADINGS[node.name], text))
            elif node.name == "table" and not node.find("table"):
                end_paragraph()
                table = table_of([cell.get_text(" ") for cell in row.find_all(["th", "td"])] for row in node.find_all("tr"))
                blocks += [table] if table is not None else []
            elif node.name == "br":
                words.append("\n")
            else:
                if node.name in _BLOCKS:
                    end_paragraph()
                    waiting.append(_End("- " if node.name == "li" else ""))
                waiting.extend(reversed(list(node.children)))
        elif not isinstance(node, Comment):
            words.append(str(node).replace("\n", " "))
    end_paragraph()
    return blocks


@dataclass(frozen=True)
class _End:
    """Where a block's own text ends; ``mark`` stands before it."""

    mark: str

"""Files as people and attackers make them, built when they are needed."""

import io
import struct
import zipfile
import zlib
from collections.abc import Sequence

import docx
import openpyxl
import pptx
from pypdf import PdfReader, PdfWriter

CONTENT_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
RELATIONS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)
WORD_XML = (
    '<?xml version="1.0"?>{before}<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
    "<w:body>{body}</w:body></w:document>"
)


def price_faq() -> bytes:
    """A DOCX as a sales manager writes it: questions as headings, a price list as a table."""
    document = docx.Document()
    document.add_heading("価格に関するFAQ", level=0)
    document.add_heading("よくあるご質問", level=1)
    document.add_heading("Q1. 年間契約にすると割引はありますか？", level=2)
    document.add_paragraph("A. はい。年間契約をまとめてお支払いいただくと、月額料金から15パーセントを割り引きます。")
    document.add_heading("Q2. 最低何名から契約できますか？", level=2)
    document.add_paragraph("A. 5名様からご契約いただけます。4名様以下の場合は、代理店経由でのご案内となります。")
    document.add_heading("Q3. 途中で解約した場合、返金されますか？", level=2)
    document.add_paragraph("A. 月払いは翌月から停止し、返金はありません。年払いは残りの月数分を返金します。")
    document.add_heading("料金表", level=1)
    add_table(document, [("プラン", "月額", "対象"), ("ライト", "3,000円", "小規模チーム"), ("プロ", "8,000円", "全社導入")])
    return saved(document)


def add_table(document: "docx.document.Document", rows: Sequence[Sequence[str]]) -> None:
    table = document.add_table(rows=len(rows), cols=len(rows[0]))
    for cells, row in zip(table.rows, rows, strict=True):
        for cell, text in zip(cells.cells, row, strict=True):
            cell.text = text


def workbook(**sheets: Sequence[Sequence[object]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    return saved(book)


def deck(*slides: tuple[str, Sequence[str]], notes: str = "") -> bytes:
    presentation = pptx.Presentation()
    for title, lines in slides:
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = "\n".join(lines)
        if notes:
            slide.notes_slide.notes_text_frame.text = notes
    return saved(presentation)


def pdf(pages: Sequence[Sequence[tuple[int, str]]]) -> bytes:
    """Pages of lines, each with the size of its letters; ``|`` stands where a line is drawn in several pieces.

    Latin letters only: nothing needs to be embedded.
    """
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for lines in pages:
        drawn, height = "BT\n", 780
        for size, text in lines:
            pieces = " ".join(f"({piece}) Tj" for piece in text.split("|"))
            drawn += f"/F1 {size} Tf 1 0 0 1 50 {height} Tm {pieces}\n"
            height -= size + 8
        content = zlib.compress((drawn + "ET").encode())
        objects.append(b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(content), content))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>"
            % len(objects)
        )
        kids.append(len(objects))
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(b"%d 0 R" % kid for kid in kids), len(kids))
    return _with_directory(objects)


def pdf_with_many_pages(pages: int) -> bytes:
    """The same empty page over and over."""
    return _with_directory([
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b"3 0 R " * pages, pages),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 10 10] >>",
    ])  # fmt: skip


def locked_pdf(content: bytes, password: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(content)))
    writer.encrypt(password, algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def word_file(body: str, *, before: str = "", more: dict[str, bytes] | None = None) -> bytes:
    """A DOCX from raw XML, with whatever else somebody puts into it."""
    members = {
        "[Content_Types].xml": CONTENT_TYPES.encode(), "_rels/.rels": RELATIONS.encode(),
        "word/document.xml": WORD_XML.format(before=before, body=body).encode(),
    }  # fmt: skip
    return archive(members | (more or {}))


def archive(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return out.getvalue()


def claiming(content: bytes, *, size: int) -> bytes:
    """The archive with a directory that says its last member unpacks to ``size`` bytes."""
    changed = bytearray(content)
    at = content.rindex(b"PK\x01\x02")
    struct.pack_into("<I", changed, at + 24, size & 0xFFFF_FFFF)
    return bytes(changed)


def saved(document: object) -> bytes:
    out = io.BytesIO()
    document.save(out)  # type: ignore[attr-defined]
    return out.getvalue()


def _with_directory(objects: Sequence[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.7\n")
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)

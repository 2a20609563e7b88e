"""What holds for all Office files: they are ZIP archives of XML, and are looked at before any library unpacks them."""

import io
import zipfile
from datetime import date, datetime

from app.knowledge.importing.problem import NotReadable

MOST_MEMBERS = 10_000
LARGEST_UNPACKED = 256 * 1024 * 1024
LARGEST_PART = 48 * 1024 * 1024  # of XML; a tree of it in memory is several times as large
_SUSPICIOUS_RATIO = 200  # real files reach 20, empty spreadsheets 100
_SMALL = 8 * 1024 * 1024
_TEXT_PARTS = (".xml", ".rels", ".vml")
_ENTITIES = tuple(mark.encode(encoding) for mark in ("<!DOCTYPE", "<!ENTITY") for encoding in ("ascii", "utf-16-le", "utf-16-be"))
_LOOKED_AT = 65_536


def check_archive(content: bytes, *, main_part: str) -> None:
    """``NotReadable`` for what would hurt, or is no such file. Nothing is unpacked but the beginnings of the XML parts.

    The sizes in the directory can be relied on: ``zipfile`` never unpacks more of a member than they say.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            _check_sizes(members, len(content))
            names = {member.filename for member in members}
            if "EncryptedPackage" in names or any(member.flag_bits & 1 for member in members):
                raise NotReadable("encrypted")
            if any(name.rsplit("/", 1)[-1].lower().startswith("vbaproject") for name in names):
                raise NotReadable("macros")
            if main_part not in names or "[Content_Types].xml" not in names:
                raise NotReadable("not_office")
            for member in members:
                if member.filename.lower().endswith(_TEXT_PARTS):
                    _check_beginning(archive, member)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise NotReadable("damaged") from error


def day_of(moment: object) -> date | None:
    """The day of a file's own time stamp; clocks that are wrong by years say nothing."""
    if not isinstance(moment, datetime):
        return None
    return moment.date() if 1995 <= moment.year <= 2100 else None


def _check_sizes(members: list[zipfile.ZipInfo], packed: int) -> None:
    if len(members) > MOST_MEMBERS:
        raise NotReadable("bomb")
    unpacked = sum(member.file_size for member in members)
    if unpacked > LARGEST_UNPACKED or (unpacked > _SMALL and unpacked > packed * _SUSPICIOUS_RATIO):
        raise NotReadable("bomb")
    if any(member.file_size > LARGEST_PART and member.filename.lower().endswith(_TEXT_PARTS) for member in members):
        raise NotReadable("bomb")


def _check_beginning(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Office writes no document types; whoever puts one there wants entities expanded."""
    with archive.open(member) as part:
        beginning = part.read(_LOOKED_AT)
    if any(mark in beginning for mark in _ENTITIES):
        raise NotReadable("entities")

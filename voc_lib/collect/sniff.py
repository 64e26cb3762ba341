"""What a file really is, whatever it is called: by its first bytes, its delimiter, and who else has it open."""

from __future__ import annotations

import csv
import re
from pathlib import Path

SUFFIXES = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".xlsx": "excel", ".xls": "excel", ".xlsb": "excel", ".ods": "excel",
            ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
ZIP, OLE, PARQUET = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1"
MARKS = b"\xef\xbb\xbf\xff\xfe \t\r\n"  # byte order marks and blanks that may stand before the first sign
PAGE = re.compile(rb"(?i)<(?:!doctype|html|head|body|meta|table|title|script|style|div|\?xml|workbook|!--)")
DELIMITERS = ",\t;|，；"
LOCKS = ("~$", ".~lock.")  # Excel and WPS; LibreOffice


def kind_of(path: Path) -> str | None:
    """csv, excel, jsonl, parquet or html: what the content says where it contradicts the name; None for an unknown type.

    Many Chinese systems export a web page, or tab-separated text, and call it .xls.
    """
    named = SUFFIXES.get(path.suffix.lower())
    if named is None:
        return None
    with path.open("rb") as file:
        start = file.read(4096)
    if start.startswith((ZIP, OLE)):
        return "excel"
    if start.startswith(PARQUET):
        return "parquet"
    plain = start.replace(b"\0", b"").lstrip(MARKS)
    if PAGE.match(plain):
        return "html"
    return "csv" if named == "excel" and _is_text(plain) else named


def misnamed(path: Path) -> bool:
    """An Excel file whose suffix says another kind of Excel, or no Excel at all: only its bytes open it."""
    with path.open("rb") as file:
        start = file.read(4)
    expected = {".xls": OLE}.get(path.suffix.lower(), ZIP)
    return path.suffix.lower() not in (".xlsx", ".xls", ".xlsb", ".ods") or start != expected


def _is_text(start: bytes) -> bool:
    """A line with a delimiter in it: half a download and rubbish have none."""
    head = start.splitlines()[0] if start.splitlines() else b""
    return any(mark.encode() in head for mark in ",\t;|") and not any(byte < 9 or 13 < byte < 32 for byte in head)


def delimiter_of(text: str) -> str:
    """What separates the fields: the sign that gives most lines the same number of fields, at least two.

    >>> delimiter_of("编号;内容\\n1;好,很好\\n2;坏\\n")
    ';'
    """
    lines = [line for line in text.splitlines() if line.strip()][:200]
    found = {}
    for sign in DELIMITERS:
        widths = [len(row) for row in csv.reader(lines, delimiter=sign)]
        most = max(set(widths), key=lambda width: (widths.count(width), width), default=1)
        found[sign] = (widths.count(most) / len(widths), most) if widths and most > 1 else (0.0, 0)
    return max(DELIMITERS, key=lambda sign: (round(found[sign][0], 1), found[sign][1]))


def is_lock(path: Path) -> bool:
    """A mark that an office program leaves beside the file it has open; it holds no data."""
    return path.name.startswith(LOCKS)


def open_elsewhere(path: Path) -> bool:
    """Whether an office program has left its mark beside the file: what it holds unsaved is not in the file yet.

    Excel cuts the first two letters off a long name.
    """
    beside = (f"~${path.name}", f"~${path.name[2:]}", f".~lock.{path.name}#")
    return any((path.parent / name).exists() for name in beside)


def locked_of(path: Path) -> str:
    """The name of the file that a lock belongs to.

    >>> locked_of(Path("~$回访.xlsx")), locked_of(Path(".~lock.a.xlsx#"))
    ('回访.xlsx', 'a.xlsx')
    """
    name = path.name.removeprefix(".~lock.").removeprefix("~$").removesuffix("#")
    whole = next((other.name for other in path.parent.glob(f"??{name}") if not is_lock(other)), None) if not (path.parent / name).exists() else None
    return whole or name

"""Open an export and hand out its rows as they stand: raw columns, all text (Parquet keeps its types), with line numbers.

What a file is, its content says (`sniff`): a web page or a CSV called .xls is read as what it is. A line that cannot be
read becomes a reject with its line and reason; a file that cannot be read raises ExportError.
"""

from __future__ import annotations

import codecs
import csv
import json
import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import polars as pl

from voc_lib.collect.masking import mask_text
from voc_lib.collect.merged import filled_down, merged_cells
from voc_lib.collect.sniff import SUFFIXES, delimiter_of, kind_of, misnamed, open_elsewhere
from voc_lib.collect.web_tables import declared_encoding, tables_of
from voc_lib.contracts import Read

CHUNK = 100_000  # rows handed on at once: bounds memory, large enough for vectorised work
LINE = "_line"
LARGE = 5_000_000  # bytes of a workbook or page that takes seconds to open
EXACT = 2**53  # above this a spreadsheet number has lost its last digits
UNREADABLE = {"_": "此行无法按列解析，未保留原文；请查看原文件的这一行"}
OPEN = "打不开：没有读取权限，或正被别的程序占用（多半是在 Excel 或 WPS 里开着）。关闭后重试。"
log = logging.getLogger("voc.progress")

csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # posts of any length


class ExportError(Exception):
    """A file does not fit its contract; other files go on."""


@dataclass
class Reject:
    """A row refused: where it stands, why, and its values by raw column (masked before they are kept)."""

    line: int
    reason: str
    values: dict[str, object] = field(default_factory=dict)


@dataclass
class Chunk:
    frame: pl.DataFrame
    rejects: list[Reject]


def read_export(path: Path, read: Read) -> Iterator[Chunk]:
    """Chunks of up to 100,000 rows of a CSV, TSV, Excel, JSON lines or Parquet file, or of a web page that holds a table."""
    done = 0
    try:
        kind = kind_of(path)
        if kind is None:
            raise ExportError(f"不认识的文件类型「{path.suffix}」。可用：{'、'.join(SUFFIXES)}。")
        if kind in ("excel", "html") and path.stat().st_size > LARGE:
            log.info("%s 有 %.0f MB，正在打开，要一会儿 …", mask_text(path.name), path.stat().st_size / 1e6)
        for chunk in {"csv": _csv, "excel": _excel, "jsonl": _jsonl, "parquet": _parquet, "html": _html}[kind](path, read):
            yield chunk
            done += chunk.frame.height + len(chunk.rejects)
            if chunk.frame.height + len(chunk.rejects) >= CHUNK:
                log.info("%s：已读 %s 行 …", mask_text(path.name), f"{done:,}")
    except PermissionError:
        raise ExportError(OPEN) from None


def encoding_of(path: Path, encodings: tuple[str, ...]) -> str:
    """The first listed encoding in which the whole file decodes."""
    for encoding in encodings:
        decoder = codecs.getincrementaldecoder(encoding)("strict")
        try:
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    decoder.decode(block)
                decoder.decode(b"", final=True)
            return encoding
        except UnicodeDecodeError:
            continue
    raise ExportError(f"编码不是 {'、'.join(encodings)} 中的任何一种。在合同 read.encodings 中加上正确的编码，或另存为 UTF-8。")


def _csv(path: Path, read: Read) -> Iterator[Chunk]:
    encoding = encoding_of(path, read.encodings)
    delimiter = read.delimiter or ("\t" if path.suffix.lower() == ".tsv" else "," if SUFFIXES[path.suffix.lower()] == "csv" else _delimiter(path, encoding))
    with path.open(encoding=encoding, newline="") as file:
        rows = csv.reader((line.replace("\0", "") for line in file), delimiter=delimiter)
        header = _header(next(islice(rows, read.header_row, None), None))
        before, done = rows.line_num, False
        while not done:
            kept, lines, rejects = [], [], []
            for row in rows:
                line, before = before + 1, rows.line_num
                if len(row) == len(header):
                    kept.append(row)
                    lines.append(line)
                elif row:
                    named = dict(zip(header, row, strict=False))
                    rejects.append(Reject(line, f"有 {len(row)} 个字段，表头有 {len(header)} 个", named))
                if len(kept) + len(rejects) >= CHUNK:
                    break
            else:
                done = True
            columns = dict(zip(header, zip(*kept, strict=True), strict=True)) if kept else {name: [] for name in header}
            frame = pl.DataFrame({name: pl.Series(values, dtype=pl.String) for name, values in columns.items()})
            yield Chunk(frame.with_columns(pl.Series(LINE, lines, dtype=pl.Int64)), rejects)


def _delimiter(path: Path, encoding: str) -> str:
    with path.open(encoding=encoding, newline="") as file:
        return delimiter_of("".join(islice(file, 200)))


def _excel(path: Path, read: Read) -> Iterator[Chunk]:
    book = open_book(path)
    try:
        if read.fill_merged:
            frame = _with_merges(book, path, read)
        else:
            frame = book.load_sheet(read.sheet, header_row=read.header_row, dtypes="string").to_polars()
    except Exception:  # fastexcel has one class per cause; what an analyst can do depends on the file
        raise ExportError(_why_not_excel(path, read)) from None
    frame = frame.rename(dict(zip(frame.columns, _header(frame.columns), strict=True)))
    frame = frame.with_columns(pl.int_range(read.header_row + 2, read.header_row + 2 + pl.len(), dtype=pl.Int64).alias(LINE))
    frame = frame.filter(~pl.all_horizontal(pl.exclude(LINE).is_null()))
    suspects = [n for n in frame.columns if n != LINE and frame[n].str.contains(r"^-?\d{16,}(\.0)?$|^\d\.\d+[eE]\+?\d{2,}$").any()]
    typed = book.load_sheet(read.sheet, header_row=read.header_row).to_polars() if suspects else frame
    rejects: list[Reject] = []
    for name in suspects:
        numbers = typed[typed.columns[frame.columns.index(name)]]
        if not numbers.dtype.is_numeric():
            continue
        bad = {i + read.header_row + 2 for i, value in enumerate(numbers) if value is not None and abs(value) >= EXACT}
        rejects += [
            Reject(row[LINE], f"列「{name}」的数字超过 2^53，Excel 已丢失末位，编号不可信。请以文本格式重新导出", row)
            for row in frame.filter(pl.col(LINE).is_in(bad)).iter_rows(named=True)
        ]
        frame = frame.filter(~pl.col(LINE).is_in(bad))
    del book, typed
    for start in range(0, max(frame.height, 1), CHUNK):
        yield Chunk(frame.slice(start, CHUNK), rejects if start == 0 else [])


def open_book(path: Path):
    """The workbook, by its content where the suffix is another's. Raises ExportError or PermissionError."""
    import fastexcel

    try:
        return fastexcel.read_excel(path.read_bytes() if misnamed(path) else path)
    except PermissionError:
        raise
    except Exception:
        raise ExportError(_why_not_excel(path, Read())) from None


def _with_merges(book, path: Path, read: Read) -> pl.DataFrame:
    """The sheet below its header, merged cells filled down; in the header too, where a name spans two rows."""
    sheet = book.sheet_names[read.sheet] if isinstance(read.sheet, int) else read.sheet
    grid = book.load_sheet(sheet, header_row=None, skip_rows=0, dtypes="string").to_polars()
    grid = filled_down(grid, *merged_cells(path, sheet))
    names = [name or f"__UNNAMED__{place}" for place, name in enumerate(grid.row(read.header_row))]
    return grid.slice(read.header_row + 1).rename(dict(zip(grid.columns, _header(names), strict=True)))


def _why_not_excel(path: Path, read: Read) -> str:
    import fastexcel

    with path.open("rb") as file:
        start = file.read(4096).replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if not start:
        return "文件是空的。请重新导出。"
    if start[:2] != b"PK" and start[:4] != b"\xd0\xcf\x11\xe0":
        return f"不是 Excel 文件，只是起名 {path.suffix}（可能是改了名的 CSV）。请按它本来的格式改名，或在 Excel 中另存为 .xlsx。"
    try:
        sheets = fastexcel.read_excel(path.read_bytes() if misnamed(path) else path).sheet_names
    except Exception:
        lock = "它正在 Excel 或 WPS 里开着，也许还没有存完，先关闭再试。" if open_elsewhere(path) else ""
        return f"不是能打开的 Excel 文件：已损坏、没有下载完，或加了密码。{lock}请重新导出，不要加密码。"
    if read.sheet in sheets or isinstance(read.sheet, int) and read.sheet < len(sheets):
        return f"工作表「{read.sheet}」没有表头所在的第 {read.header_row + 1} 行。请改合同的 read.header_row。"
    return f"没有工作表「{read.sheet}」。现有：{'、'.join(sheets)}。请改合同的 read.sheet。"


def _html(path: Path, read: Read) -> Iterator[Chunk]:
    """The largest table of a web page; a page without one is an error or login page of the exporting system."""
    rows = page_rows(path, read)
    header = _header([name or "" for name in (rows[read.header_row] if len(rows) > read.header_row else [])])
    kept, lines, rejects = [], [], []
    for line, row in enumerate(rows[read.header_row + 1:], read.header_row + 2):
        if len(row) > len(header):
            rejects.append(Reject(line, f"有 {len(row)} 个字段，表头有 {len(header)} 个", dict(zip(header, row, strict=False))))
        elif any(row):
            kept.append([*row, *[None] * (len(header) - len(row))])
            lines.append(line)
    columns = {name: pl.Series([row[place] for row in kept], dtype=pl.String) for place, name in enumerate(header)}
    frame = pl.DataFrame(columns | {LINE: pl.Series(lines, dtype=pl.Int64)})
    for start in range(0, max(frame.height, 1), CHUNK):
        yield Chunk(frame.slice(start, CHUNK), rejects if start == 0 else [])


def page_rows(path: Path, read: Read, most: int = -1) -> list[list[str | None]]:
    """The rows of the largest table of a page, or of its first `most` characters. Raises ExportError where there is none."""
    with path.open("rb") as file:
        declared = declared_encoding(file.read(4096))
    try:
        known = (declared,) if declared and codecs.lookup(declared) else ()
    except LookupError:
        known = ()
    with path.open(encoding=encoding_of(path, (*known, *read.encodings)), newline=None) as file:
        tables, title = tables_of(file.read(most))
    rows = max(tables, key=len, default=[])
    if len(rows) < 2:
        named = f"，标题是「{mask_text(title)[:40]}」" if title else ""
        raise ExportError(f"其实是一个网页（HTML 或 XML），只是起名 {path.suffix}{named}，里面没有带数据的表格，多半是登录过期或出错时下载到的页面。"
                          "请重新登录后再导出；若在 Excel 中打开它能看到数据，请另存为 .xlsx。文件没有改动。")
    return rows


def _jsonl(path: Path, read: Read) -> Iterator[Chunk]:
    with path.open(encoding=encoding_of(path, read.encodings)) as file:
        numbered = enumerate(file, 1)
        while block := list(islice(numbered, CHUNK)):
            kept, rejects = [], []
            for line, source in block:
                if not source.strip():
                    continue
                try:
                    row = json.loads(source)
                    if not isinstance(row, dict):
                        raise ValueError
                except ValueError:
                    rejects.append(Reject(line, "不是有效的 JSON 对象", UNREADABLE))
                    continue
                kept.append({name: _as_text(value) for name, value in row.items()} | {LINE: line})
            if rejects and not kept and block[0][0] == 1:
                raise ExportError("没有一行是有效的 JSON 对象。应为 JSON 行（.jsonl）：每行一个 {\"列\": 值}；请核对文件，或重新导出。")
            names = list(dict.fromkeys(name for row in kept for name in row if name != LINE))
            frame = pl.DataFrame(
                {name: pl.Series([row.get(name) for row in kept], dtype=pl.String) for name in names}
                | {LINE: pl.Series([row[LINE] for row in kept], dtype=pl.Int64)}
            )
            yield Chunk(frame, rejects)


def _parquet(path: Path, read: Read) -> Iterator[Chunk]:
    try:
        rows = pl.scan_parquet(path, glob=False).select(pl.len()).collect().item()
        for start in range(0, max(rows, 1), CHUNK):
            frame = pl.scan_parquet(path, glob=False).slice(start, CHUNK).collect()
            nested = [name for name, kind in frame.schema.items() if kind.is_nested()]
            frame = frame.with_columns(
                pl.Series(name, [_as_text(value) for value in frame[name].to_list()], dtype=pl.String) for name in nested
            )
            yield Chunk(frame.with_columns(pl.int_range(start + 1, start + 1 + pl.len(), dtype=pl.Int64).alias(LINE)), [])
    except pl.exceptions.PolarsError as error:
        raise ExportError(f"不是完整的 Parquet 文件：{str(error).splitlines()[0]}。请重新导出。") from None


def _as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return speakable(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def speakable(value: str | None) -> str | None:
    """Without NUL, and with half an emoji (a lone surrogate, which no file can hold) replaced."""
    if value is None or value.isascii() and "\0" not in value:
        return value
    return value.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _header(names: list[str] | None) -> list[str]:
    if not names or not any(str(name).strip() for name in names):
        raise ExportError("没有表头：文件是空的，或 read.header_row 指错了行。请重新导出，或改合同里的 read.header_row。")
    named = [str(name).strip() or f"_blank{i}" for i, name in enumerate(names)]
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise ExportError(f"表头里「{twice[0]}」出现了不止一次，无法判断用哪一列。")
    return named

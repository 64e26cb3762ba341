"""Propose a channel's contract from exports nobody has seen: look, guess, write it commented, and try it on the rows it was drafted from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from voc_lib.collect.contract import ContractError, load_channels, load_contract
from voc_lib.collect.draft_columns import Column, columns_of
from voc_lib.collect.draft_guess import Guess, guess
from voc_lib.collect.draft_look import Look, look
from voc_lib.collect.draft_words import KINDS
from voc_lib.collect.draft_yaml import DOUBT, aliases_of, contract_text
from voc_lib.collect.masking import mask_text
from voc_lib.collect.readers import Chunk, ExportError, read_export
from voc_lib.collect.sniff import is_lock, locked_of, open_elsewhere
from voc_lib.collect.trial import Trial, try_contract, try_rows
from voc_lib.messages import Told, system_words
from voc_lib.settings import settings

TOTAL = r"^\s*(合计|总计|小计|共计|汇总|制表)"
NAME = re.compile(r"[^\W\d]\w*")
UNKNOWN = "channel"  # where neither the file's name nor its heads say what it is
CANNOT_TELL = "还没有写明这个来源听不到哪些人。"


class DraftError(Told):
    """No contract can be proposed from the files given."""


@dataclass
class Draft:
    """A contract written to `path`, what is doubtful in it by line, and what became of the first rows of each file."""

    path: Path
    domain: str
    channel: str
    fields: dict[str, str]
    left_out: list[str]
    unused: list[str]
    doubts: list[tuple[int, str]] = field(default_factory=list)
    trials: list[Trial] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)


def draft(files: list[Path], domain: str, channel: str | None = None, sheet: str | None = None, out: Path | None = None) -> Draft:
    """Write a proposed contract for exports of one source, never over a file that is there, and try it.

    The first file that can be read is drafted from; further ones add the other heads of its columns. Raises DraftError.
    """
    exports, skipped = _exports(files)
    opened: list[tuple[Path, Look, Chunk]] = []
    for path in exports:
        try:
            found = look(path, sheet)
            opened.append((path, found, next(read_export(path, found.as_read()))))
        except (ExportError, OSError) as error:
            skipped[mask_text(path.name)] = _why(error, path)
    if not opened:
        raise DraftError("没有一个文件能读，没有起草：" + "；".join(f"{name}：{why}" for name, why in skipped.items()))
    first, how, chunk = opened[0]
    frame = chunk.frame
    totals = _totals(frame)
    columns = columns_of(frame if totals is None else frame.filter(~pl.col(totals).str.contains(TOTAL).fill_null(False)))
    if not any(column.values for column in columns):
        raise DraftError(f"「{mask_text(first.name)}」只有表头，没有一行数据，猜不出列的意思。请换一份有数据的导出。")
    guessed = guess(columns)
    folder = settings().domains / domain / "channels"
    name, kind = _named(first, columns)
    name = out.stem if out else channel or _free(name, folder)
    path = out or folder / f"{name}.yaml"
    if not NAME.fullmatch(name):
        raise DraftError(f"渠道名「{name}」不能用：只能含文字、数字和下划线，且以文字开头。请用 --channel 给一个，例如 hotline。")
    if path.exists():
        raise DraftError(f"合同 {path} 已经在那里，没有改动。另写一份请用 --channel 给别的名字，重新起草请先把它移走。")
    if out is None and not folder.parent.is_dir():
        _no_domain(domain)
    about, doubts = _about(first, name, kind, columns)
    doubts |= how.doubts | {f"columns.{field_}": words for field_, words in guessed.doubts.items()}
    heads, optional = _further(opened, guessed, doubts)
    if totals is not None:
        about["where"] = _without(totals, guessed)
        doubts["where"] = "末尾有合计或说明的行，已滤去"
    if there := [other.stem for other in sorted(folder.glob("*.yaml")) if any(claims(other, file) for file in exports)]:
        doubts["glob"] = f"合同 {'、'.join(there)} 已经认领这样的文件，导入会读两遍；只留一份"
    read = {"glob": globs(exports)} | how.read
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(contract_text(guessed, read, about, doubts, heads, optional), "utf-8")
    contract = load_contract(path)
    made = Draft(path, domain, name, {f: mask_text(c.head) for f, c in guessed.fields.items()}, [mask_text(c.head) for c in guessed.left_out],
                 [mask_text(c.head) for c in guessed.unused], doubts_of(path), skipped=skipped)
    for file, theirs, rows in opened:
        try:
            made.trials.append(try_rows(contract, rows, mask_text(file.name)) if theirs.read == how.read else try_contract(contract, file))
        except (ExportError, Told) as error:
            made.skipped[mask_text(file.name)] = mask_text(str(error))
    return made


def doubts_of(path: Path) -> list[tuple[int, str]]:
    """The doubts that still stand in a contract, by line."""
    lines = path.read_text("utf-8-sig").splitlines()
    return [(number, line.partition(DOUBT)[2].strip()) for number, line in enumerate(lines, 1) if DOUBT in line]


def claims(contract: Path, file: Path) -> bool:
    """Whether a contract would read the file, ingested from its folder or the one above; a broken contract claims nothing."""
    try:
        patterns = load_contract(contract).read.glob
    except ContractError:
        return False
    whole = file.resolve()
    return any(whole in parent.glob(pattern) for pattern in patterns for parent in list(whole.parents)[:2])


def _exports(files: list[Path]) -> tuple[list[Path], dict[str, str]]:
    skipped: dict[str, str] = {}
    for path in files:
        if path.is_dir():
            raise DraftError(f"「{path}」是一个文件夹。请给出其中一个来源的导出文件，例如 {path}/*.xlsx。")
        if not path.exists():
            raise DraftError(f"没有文件「{path}」。请检查路径；有空格时加引号。")
        if is_lock(path):
            skipped[mask_text(path.name)] = f"锁文件，不是数据：{mask_text(locked_of(path))} 正在 Excel 或 WPS 里开着"
    kept = [path for path in files if not is_lock(path)]
    if not kept:
        raise DraftError("给出的都是锁文件（~$ 开头），不是数据：它们的原文件正在 Excel 或 WPS 里开着。请给原文件。")
    for path in kept:
        if open_elsewhere(path):
            skipped[f"{mask_text(path.name)}（照读）"] = "正在 Excel 或 WPS 里开着：读的是存盘的内容，没存的改动不在里面"
    return kept, skipped


def _why(error: Exception, path: Path) -> str:
    system = system_words(error)
    said = f"打不开：{system[0]}。{system[1]}后重试。" if system else str(error)
    return mask_text(said) + ("它旁边有锁文件：正在 Excel 或 WPS 里开着。" if open_elsewhere(path) else "")


def _named(path: Path, columns: list[Column]) -> tuple[str, tuple | None]:
    """The channel's name, and what kind of source it seems to be by the name of the file, else by its heads."""
    heads = " ".join(column.head for column in columns).lower()
    kind = next((kind for text in (path.stem.lower(), path.resolve().parent.name.lower(), heads) for kind in KINDS if any(word in text for word in kind[0])), None)
    ascii_name = re.sub(r"_+", "_", re.sub(r"[^a-z]+", "_", path.stem.lower())).strip("_")
    return ascii_name if len(ascii_name) >= 3 else kind[1] if kind else UNKNOWN, kind


def _free(name: str, folder: Path) -> str:
    """A name of our own making steps aside for the contracts that are there."""
    return next(free for free in (name, *(f"{name}_{n}" for n in range(2, 1_000))) if not (folder / f"{free}.yaml").exists())


def _no_domain(domain: str) -> None:
    try:
        load_channels(settings().domains, domain)
    except ContractError as error:
        new = settings().domains / domain
        raise DraftError(f"{error}要新建领域，先建文件夹 {new}，里面放一个 domain.yaml，写两行：「title: 名称」和「extends: auto」（沿用汽车的编码表）。") from None


def _about(path: Path, name: str, kind: tuple | None, columns: list[Column]) -> tuple[dict[str, object], dict[str, str]]:
    title = re.sub(r"[\d\-.()（）\s]+(?:年|月|日)?|_(?=\d|$)", "", mask_text(path.stem)) or name
    about = {"file": path.name, "channel": name, "title": title, "owner": "待填", "base": kind[2] if kind else "customers",
             "solicited": bool(kind and kind[3]), "cannot_tell": CANNOT_TELL}
    doubts = {
        "title": "页面上怎么称呼这个来源？", "owner": "哪个部门负责？",
        "base": "这里数的是谁：customers 客户、vehicles 车、visits 进店、calls 电话、app_users 应用用户？",
        "solicited": f"是公司请客户说的（true），还是客户自己来说的（false）？{'看名字像问卷或回访' if about['solicited'] else '先按自己来说的算'}",
        "cannot_tell": "谁不会出现在这里？一句话，会印在数据体检上",
    }
    if name == UNKNOWN:
        doubts["channel"] = "看不出是什么来源，随手起的名字；改名时文件名也要一起改"
    return about, doubts


def globs(files: list[Path]) -> list[str]:
    """Patterns that claim these files and next month's: figures in the name may change, the folder too.

    >>> globs([Path("/x/回访_2026-11.xlsx"), Path("/x/回访_2026-12.xlsx"), Path("/x/1.csv")])
    ['**/回访_*.xlsx', '**/x/*.csv']
    """
    found = []
    for path in files:
        stem = re.sub(r"\d+(?:[-_.年月日]*\d+)*[年月日]?", "*", re.sub(r"[\[\]?*]", "?", path.stem))
        plain = stem.strip("*-_. ")
        found.append(f"**/{stem}{path.suffix}" if plain else f"**/{re.sub(r'[][?*]', '?', path.resolve().parent.name)}/*{path.suffix}")
    return list(dict.fromkeys(found))


def _further(opened: list[tuple[Path, Look, Chunk]], guessed: Guess, doubts: dict[str, str]) -> tuple[dict[str, list[str]], list[str]]:
    """Other heads of the same columns in the further files, and the columns that not every file has."""
    heads: dict[str, list[str]] = {}
    optional: list[str] = []
    for path, how, chunk in opened[1:]:
        if {k: v for k, v in how.read.items() if k != "encodings"} != {k: v for k, v in opened[0][1].read.items() if k != "encodings"}:
            doubts["glob"] = f"「{mask_text(path.name)}」的工作表、表头行或分隔符与第一个文件不同；不同写法请分成两份合同"
        other = guess(columns_of(chunk.frame))
        theirs = other.fields | other.identity | ({"author": other.author} if other.author else {})
        for alias, column in aliases_of(guessed).items():
            if column.raw in chunk.frame.columns:
                continue
            field_ = next((name for name, mine in (guessed.fields | guessed.identity | {"author": guessed.author}).items() if mine is column), "")
            found = theirs.get(field_)
            if found is not None and not found.path and found.raw not in heads.get(alias, []):
                heads.setdefault(alias, []).append(found.raw)
            elif found is None and alias not in optional:
                optional.append(alias)
    return heads, optional


def _totals(frame: pl.DataFrame) -> str | None:
    """The column in whose last rows sums or a remark below the table stand."""
    last = frame.tail(5)
    return next((name for name in last.columns if last[name].dtype == pl.String and last[name].str.contains(TOTAL).any()), None)


def _without(name: str, guessed: Guess) -> str:
    """A filter that leaves those rows out."""
    alias = next((alias for alias, column in aliases_of(guessed).items() if column.raw == name and not column.path), None)
    spoken = alias or '"' + name.replace('"', '""') + '"'
    return f"NOT regexp_matches(coalesce({spoken}, ''), '{TOTAL}')"

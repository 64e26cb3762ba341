"""An audit: verbatims or mentions drawn by lot, an Excel file to label by hand, and the labels read back into the store.

The file shows masked text only, and not what the model thinks: whoever labels must not be led. Within a channel the rows are in
random order, so that a file filled half way is still a sample by lot. A draw of mentions names a code beside each text.
"""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from voc_lib.enrich.batches import SPOKEN
from voc_lib.enrich.coding import UNMAPPED
from voc_lib.enrich.in_force import codes_in_force
from voc_lib.measure.analyses.health import channel_titles
from voc_lib.messages import Told
from voc_lib.store import Store, open_store
from voc_lib.store_write import Writer, write_store

PER_CHANNEL = 100
WRITTEN = "verbatim <> ''"  # SQL: the feedback that is drawn from, and that a share is about: without words there is no opinion
SHEET, GUIDE = "抽检", "说明"
WIDTHS = {"序号": 6, "渠道": 16, "反馈号": 14, "日期": 12, "原文": 90, "问题": 28, "观点": 14, "备注": 24}  # the columns, in characters
WRONG_CODE = "不是说这个"
LABELS = {"负面": "negative", "中性": "neutral", "正面": "positive", "正负都有": "mixed"}
MENTION_LABELS = LABELS | {WRONG_CODE: "wrong_code"}
ENDING = (
    "每个渠道里的顺序是抽签排的：时间不够时从上往下做，做到哪里算哪里。",
    "填完后保存，运行：voc audit --read 这个文件",
)
INSTRUCTIONS = (
    "请只看“原文”，在“观点”一列填：负面、中性、正面、正负都有。可从下拉框选。",
    "负面：作者不满、抱怨、报告故障；正面：满意、夸奖；正负都有：两样都说；中性：只是提问或陈述，看不出好恶。",
    "拿不准的也请选最接近的一个；不要跳过难的，不要换行或增删行，不要改“反馈号”。",
    *ENDING,
)
MENTION_INSTRUCTIONS = (
    f"每行是一条反馈提到的一个问题。请看“原文”，在“观点”一列填作者对“问题”这件事的好恶：负面、中性、正面、正负都有，或{WRONG_CODE}。可从下拉框选。",
    "负面：对这件事不满、抱怨、报告故障；正面：对它满意、夸奖；正负都有：两样都说；中性：只是提到或提问，看不出好恶。别的事说得再难听也不算。",
    f"{WRONG_CODE}：原文没有谈这个问题（例如说的是别的部件、别的产品，或明说没有这个毛病）。“问题”写作 系统-部件-现象，“评价”是泛泛而谈。",
    "拿不准的也请选最接近的一个；不要跳过难的，不要换行或增删行，不要改“反馈号”和“问题”。",
    *ENDING,
)


class AuditError(Told, ValueError):
    """A filled audit file that cannot be used, or a draw that cannot be made: says the row, what was found, what to do."""


@dataclass(frozen=True)
class AuditRead:
    """What was read back: the draw, labels per channel, rows left empty, and whether they are about mentions."""

    audit: str
    labels: dict[str, int]
    empty: int
    mentions: bool = False


def draw_audit(store: str, folder: Path, per_channel: int = PER_CHANNEL, mentions: bool = False) -> tuple[Path, pl.DataFrame]:
    """Draw `per_channel` verbatims (or `mentions`: feedback x code) of each channel by lot and write the file; returns its path and the channels' counts.

    What has been labelled before is not drawn again. The draw is kept in the store (`audits`), without labels.
    """
    with write_store(store, "audit: draw") as writer:
        number = writer.sql("SELECT count(DISTINCT audit) AS n FROM audits")["n"].item() + 1
        audit = f"{datetime.now(UTC):%Y%m%d}-{number}"
        rows = writer.sql(_mentions_to_draw(open_store(store)) if mentions else _VERBATIMS_TO_DRAW)
        if rows.is_empty():
            raise AuditError(f"库「{store}」里没有可抽检的提及：还没有编码（先运行 voc enrich），或都已标注过。" if mentions else
                             f"库「{store}」里没有可抽检的反馈：没有文字，或都已标注过。")  # fmt: skip
        told = [f"{audit}|{name}" + (f"|{code}" if code else "") for name, code in rows.select("feedback_id", "code").iter_rows()]
        lots = pl.Series("lot", [hashlib.sha256(said.encode()).hexdigest() for said in told], dtype=pl.String)
        drawn = rows.with_columns(lots).sort("channel", "lot").group_by("channel", maintain_order=True).head(per_channel)
        writer.append("audits", drawn.select("feedback_id", "channel", "code", audit=pl.lit(audit), read_at=pl.lit(datetime.now(UTC))))
    path = folder / f"抽检-{store}-{audit}.xlsx"
    folder.mkdir(parents=True, exist_ok=True)
    _write(path, drawn.with_columns(pl.col("channel").replace(channel_titles(store))).drop([] if mentions else "code"), audit, store)
    return path, drawn.group_by("channel", maintain_order=True).agg(drawn=pl.len())


_VERBATIMS_TO_DRAW = (
    f"SELECT feedback_id, channel, local_date, {SPOKEN} AS text, NULL::VARCHAR AS code FROM feedback_rows "
    f"WHERE {WRITTEN} AND feedback_id NOT IN (SELECT feedback_id FROM audits WHERE opinion IS NOT NULL AND code IS NULL) ORDER BY feedback_id"
)


def _mentions_to_draw(lake: Store | Writer) -> str:
    return (
        f"SELECT DISTINCT f.feedback_id, f.channel, f.local_date, {SPOKEN} AS text, m.code FROM feedback_rows AS f JOIN mentions AS m ON m.feedback_id = f.feedback_id "
        f"WHERE {codes_in_force(lake)} AND m.code <> '{UNMAPPED}' AND NOT EXISTS (SELECT 1 FROM audits AS a WHERE a.feedback_id = f.feedback_id AND a.code = m.code "
        f"AND a.opinion IS NOT NULL) ORDER BY f.feedback_id, m.code"
    )


def _write(path: Path, drawn: pl.DataFrame, audit: str, store: str) -> None:
    import xlsxwriter

    by_mention = "code" in drawn.columns
    columns = [name for name in WIDTHS if by_mention or name != "问题"]
    labels, said_first = (MENTION_LABELS, MENTION_INSTRUCTIONS) if by_mention else (LABELS, INSTRUCTIONS)
    # Text that starts with = or looks like a link must stay text.
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}) as book:
        sheet, guide = book.add_worksheet(SHEET), book.add_worksheet(GUIDE)
        bold, wrapped = book.add_format({"bold": True, "bg_color": "#DDE5EE"}), book.add_format({"text_wrap": True, "valign": "top"})
        for column, name in enumerate(columns):
            sheet.write_string(0, column, name, bold)
            sheet.set_column(column, column, WIDTHS[name], wrapped)
        sheet.freeze_panes(1, 0)
        opinion = columns.index("观点")
        sheet.data_validation(1, opinion, max(drawn.height, 1), opinion, {"validate": "list", "source": list(labels)})
        shown = drawn.select("channel", "feedback_id", pl.col("local_date").cast(pl.String).fill_null(""), "text", *(["code"] if by_mention else []))
        for line, values in enumerate(shown.iter_rows(), 1):
            sheet.write_number(line, 0, line)
            for column, value in enumerate(values, 1):
                sheet.write_string(line, column, value)
        guide.set_column(0, 0, 100, wrapped)
        for line, said in enumerate((*said_first, f"库：{store}", f"抽签号：{audit}")):
            guide.write_string(line, 0, said)


def read_audit(store: str, path: Path) -> AuditRead:
    """Read a filled file into the store. AuditError, and nothing is stored, where a row cannot be trusted."""
    rows, audit = _sheet(path)
    known = open_store(store).sql("SELECT DISTINCT feedback_id, channel, audit, code FROM audits WHERE opinion IS NULL").filter(pl.col("audit") == audit)
    if known.is_empty():
        raise AuditError(f"{path.name}：库「{store}」没有抽签号「{audit}」。请检查 --store 是否写对，或重新运行 voc audit 抽签。")
    by_mention = known["code"].null_count() == 0
    if by_mention and "问题" not in rows.columns:
        raise AuditError(f"{path.name} 的工作表“{SHEET}”缺少列：问题。这是按提及的抽检，请把列名改回来，或从原文件复制回来。")
    key = ["反馈号", "问题"] if by_mention else ["反馈号"]
    allowed = MENTION_LABELS if by_mention else LABELS
    labels = [_label(value, line, path, allowed) for line, value in enumerate(rows["观点"], 2)]
    rows = rows.with_columns(opinion=pl.Series(labels, dtype=pl.String)).with_row_index("line", offset=2)
    known = known.rename({"feedback_id": "反馈号", "code": "问题"}) if by_mention else known.rename({"feedback_id": "反馈号"}).drop("code")
    strange = rows.join(known, on=key, how="anti", maintain_order="left")
    if strange.height:
        raise AuditError(f"{path.name} 第 {strange['line'][0]} 行的{_named(strange, 0, key)}不在这次抽签里。请不要改动或增加{'、'.join(key)}，可从原文件复制回来。")
    twice = rows.filter(pl.struct(key).is_duplicated())
    if twice.height:
        raise AuditError(f"{path.name} 第 {twice['line'][1]} 行的{_named(twice, 1, key)}出现了两次。请删去多出的一行。")
    filled = rows.filter(pl.col("opinion").is_not_null())
    if filled.is_empty():
        raise AuditError(f"{path.name} 的“观点”一列还没有填。请填 {'、'.join(allowed)} 之一，保存后再运行。")
    kept = filled.select(*key, "opinion").join(known, on=key, maintain_order="left").rename({"反馈号": "feedback_id", "问题": "code"}, strict=False)
    with write_store(store, "audit: read") as writer:
        writer.append("audits", kept.with_columns(pl.lit(audit).alias("audit"), pl.lit(datetime.now(UTC)).alias("read_at")))
    counts = kept.group_by("channel", maintain_order=True).agg(pl.len().alias("n"))
    return AuditRead(audit, dict(counts.iter_rows()), known.height - filled.height, by_mention)


def _named(rows: pl.DataFrame, at: int, key: list[str]) -> str:
    return "、".join(f"{name}「{rows[name][at]}」" for name in key)


def _sheet(path: Path) -> tuple[pl.DataFrame, str]:
    if not path.is_file():
        raise AuditError(f"没有这个文件：{path}。请写 voc audit 生成并填好的 Excel 文件。")
    try:
        sheets = pl.read_excel(path, sheet_id=0, has_header=False, infer_schema_length=0)
    except Exception as error:  # fastexcel raises its own kinds, all of which mean the same to whoever labels
        raise AuditError(f"{path.name} 读不出来（{str(error).splitlines()[0][:80]}）。请另存为 .xlsx 后再试。") from None
    missing = {SHEET, GUIDE} - set(sheets)
    if missing:
        raise AuditError(f"{path.name} 缺少工作表：{'、'.join(sorted(missing))}；现有：{'、'.join(sheets)}。请用 voc audit 生成的文件填写。")
    header = [str(name).strip() for name in sheets[SHEET].row(0)]
    absent = [name for name in ("反馈号", "观点") if name not in header]
    if absent:
        raise AuditError(f"{path.name} 的工作表“{SHEET}”缺少列：{'、'.join(absent)}；现有：{'、'.join(header)}。请把列名改回来。")
    body = sheets[SHEET].slice(1)
    picked = {name: body.to_series(header.index(name)).cast(pl.String).str.strip_chars() for name in ("反馈号", "问题", "观点") if name in header}
    told = [str(said) for said in sheets[GUIDE].to_series(0) if str(said).startswith("抽签号：")]
    if not told:
        raise AuditError(f"{path.name} 的工作表“{GUIDE}”里没有抽签号。请用 voc audit 生成的文件填写，不要删改说明。")
    return pl.DataFrame(picked).filter(pl.col("反馈号").is_not_null()), told[0].removeprefix("抽签号：").strip()


def _label(value: str | None, line: int, path: Path, allowed: dict[str, str]) -> str | None:
    if not value:
        return None
    if value not in allowed:
        near = difflib.get_close_matches(value, allowed, 1, 0.4)
        raise AuditError(f"{path.name} 第 {line} 行的观点「{value}」不认识。{f'是否想写「{near[0]}」？' if near else ''}只能填：{'、'.join(allowed)}。")
    return allowed[value]

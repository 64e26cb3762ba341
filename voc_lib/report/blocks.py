"""What a notebook cell shows: leads, notes, cards, quotes, a status line. A block is a description, drawn in `markup`.

In JupyterLab a block shows its HTML with the house's style; in the page the same description is drawn again from
`application/vnd.voc+json`, so what a page shows never depends on HTML stored in a notebook.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import polars as pl

from voc_lib.report import theme
from voc_lib.report.markup import MIME, block_html
from voc_lib.report.words import VERDICTS, change_tone, channel_title, code_name, metric_words

SHORT_ID = 8  # of a person on a list: what 一位客户 takes
ID_LENGTH = 12  # hexadecimal digits of a feedback_id shown: among a million, two share them once in 560 stores


class Block:
    """One thing to show; `description` is plain JSON, its `kind` one of `markup.KINDS`."""

    def __init__(self, **description: object) -> None:
        self.description = description

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict:
        body = block_html(self.description)
        return {MIME: self.description, "text/html": f'<style>{lab_style()}</style><div class="voc">{body}</div>',
                "text/plain": str(self)}

    def __str__(self) -> str:
        return f"〔{self.description['kind']}〕"


class Sentence(Block):
    """A sentence written by a function: pieces of text, some with a tone; `str()` gives it plain."""

    def __init__(self, *pieces: str | tuple[str, str]) -> None:
        self.runs = [[piece, ""] if isinstance(piece, str) else [str(piece[0]), piece[1]] for piece in pieces]
        super().__init__(kind="sentence", runs=self.runs)

    def __str__(self) -> str:
        return "".join(text for text, _ in self.runs)


@cache
def lab_style() -> str:
    """The page's own style for blocks, scoped to `.voc`, for JupyterLab."""
    style = files("voc_lib.report").joinpath("template/voc/blocks.css").read_text(encoding="utf-8")
    style = style.replace(".voc ", ".voc.voc.voc ")  # JupyterLab's own rules for tables weigh two classes
    dark = theme.css_variables(theme.DARK)
    return (f".voc{{{theme.css_variables(theme.LIGHT)}color:var(--ink);background:var(--paper);font:15px/1.7 {theme.FONT};"
            f"max-width:860px;padding:2px 8px}}[data-jp-theme-light=false] .voc{{{dark}}}.voc.voc.voc tbody tr{{background:none}}{style}")


def _sentence(text: str | Sentence) -> Sentence:
    return text if isinstance(text, Sentence) else Sentence(text)


def lead(*sentences: str | Sentence) -> Block:
    """The answer of the page in one to three sentences, large."""
    return Block(kind="lead", sentences=[_sentence(text).runs for text in sentences])


def note(text: str | Sentence, tone: str = "") -> Block:
    """A remark in a box; `tone` may be "warn" (be careful) or "alarm" (act)."""
    return Block(kind="note", runs=_sentence(text).runs, tone=tone)


def card(name: str, frame: pl.DataFrame | float | None, note: str = "", before: str = "上周", opens: bool = False) -> dict:
    """One number for `cards` or `headline`: from one row of `estimate` or `compare`, or a plain count.

    The row of a comparison also gives the change in words and a drawing: ring = before, grey = what would be
    within error, dot = now. `opens`: the number opens its source, which the page lists under the same name (`list_sources`). ValueError when the frame has not exactly one row.
    """
    opened = {"opens": True} if opens else {}
    if not isinstance(frame, pl.DataFrame):
        return {"name": name, "value": frame, "text": theme.count_text(frame), "note": note} | opened
    if frame.height != 1:
        raise ValueError(f"卡片「{name}」要一行，这里有 {frame.height} 行。请先筛选到一行。")
    row = frame.row(0, named=True)
    words = metric_words(row["metric"])
    shown = theme.is_number(row["estimate"])
    few = theme.SUPPRESSED in (row.get("note") or theme.SUPPRESSED)    # else there was no answer at all, which the note says
    text = theme.number_text(row["estimate"], words.unit) if shown else theme.SUPPRESSED if few else theme.ABSENT
    item = opened | {"name": name or words.label, "metric": row["metric"], "value": row["estimate"],
            "note": note or ("" if few and not shown else row.get("note") or ""), "text": text, "unit": words.word if shown else ""}
    if "verdict" in row:
        past = f"{before} {theme.number_text(row['baseline'], words.unit)}" if theme.is_number(row["baseline"]) else ""
        item |= {"change": VERDICTS[row["verdict"]] if shown else "", "before": past, "tone": change_tone(row["metric"], row["verdict"]), "verdict": row["verdict"]}
    return item | ({"range": drawn} if (drawn := _range(row, words.unit)) else {})


def _range(row: dict, unit: str) -> dict | None:
    """What `sparkline.range_line` draws; nothing where a number is missing."""
    now, past, low, high = row["estimate"], row.get("baseline"), row.get("conf_low"), row.get("conf_high")
    if not all(theme.is_number(value) for value in (now, low, high)):
        return None
    if theme.is_number(past):
        half = (high - low) / 2    # of the difference: how far from `before` the number may be by chance
        low, high = past - half, past + half
    low = low if unit == "points" else max(low, 0.0)
    values = [value for value in (now, past, low, high) if theme.is_number(value)]
    margin = (max(values) - min(values)) * 0.25 or 1.0
    label = f"现在 {theme.number_text(now, unit)}，误差范围 {theme.number_text(low, unit)}～{theme.number_text(high, unit)}"
    drawn = {"now": now, "before": past, "low": low, "high": high, "least": min(values) - margin, "most": max(values) + margin}
    # Four digits draw the same line, and no last digit of a float shows as a change in git.
    return {"label": label} | {name: value if value is None else float(f"{value:.4g}") for name, value in drawn.items()}


def cards(items: list[dict]) -> Block:
    """Numbers side by side, each made by `card`."""
    return Block(kind="cards", items=items)


def headline(items: list[dict], *sentences: str | Sentence) -> Block:
    """The answer of the page: sentences, then three to five numbers (kept in the run's manifest and in git)."""
    if not 3 <= len(items) <= 5:
        raise ValueError(f"页首要 3 到 5 个数字，这里有 {len(items)} 个。")
    return Block(kind="headline", items=items, sentences=[_sentence(text).runs for text in sentences])


def status_line(**facts: object) -> Block:
    """Facts of the run in one line: `status_line(数据截至="6月14日", 渠道=4)`; "✓ ..." and "! ..." take a tone."""
    items = []
    for label, value in facts.items():
        text = theme.count_text(value) if theme.is_number(value) else str(value)
        items.append({"label": label, "text": text, "tone": {"✓": "better", "!": "worse"}.get(text[:1], "")})
    return Block(kind="status", items=items)


def verbatim_list(frame: pl.DataFrame, titles: dict[str, str] | None = None, longest: int = 160) -> Block:
    """Quotes with channel, product, region and date, as given; `longest` cuts each, in characters.

    Needs `verbatim`; uses `title, followup, channel, product, region, local_date` where present, and `code` as a heading.
    """
    items = [({"topic": code_name(row["code"])} if row.get("code") else {}) | voice(row, titles, longest) for row in frame.iter_rows(named=True)]
    return Block(kind="verbatims", items=items, note="" if items else "本期没有可引用的原声。")


def voice(row: dict, titles: dict[str, str] | None = None, longest: int = 160) -> dict:
    """One feedback as it is quoted: its words, where they were said, and the first figures of its id (enough to find it again)."""
    where = [channel_title(row.get("channel"), titles), row.get("product"), row.get("region"), theme.day_label(row["local_date"]) if "local_date" in row else None]
    known = {"id": row["feedback_id"][:ID_LENGTH]} if row.get("feedback_id") else {}
    return known | {"quote": _cut(row["verbatim"] or row.get("title"), longest), "followup": _cut(row.get("followup"), longest), "where": [str(part) for part in where if part]}


def _cut(text: str | None, longest: int) -> str:
    plain = " ".join((text or "").split())
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"

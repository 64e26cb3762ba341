"""用户原声: what a search found, in numbers that single out nobody, and which filters were set."""

from __future__ import annotations

import polars as pl

from voc_lib.measure.selections import told_selection
from voc_lib.measure.similar import similar
from voc_lib.report import theme
from voc_lib.report.blocks import Block, Sentence, card, note, verbatim_list
from voc_lib.report.charts import chart_bars

LONGEST = 40    # characters of the quote that others are like


def cards_found(found: pl.DataFrame, drawn: pl.DataFrame) -> list[dict]:
    """Three cards: people found, feedback found, quotes shown; they open what `trace_found` gives. Under 10 people neither of the first two is told."""
    people = found["person"].n_unique()
    few = 0 < people < theme.FEWEST
    withheld = {"value": None, "text": theme.SUPPRESSED, "note": ""}
    counted = [card("符合条件的人", people, opens=True), card("符合条件的反馈", found.height, opens=True)]
    counted = [item | (withheld if few else {}) for item in counted]
    return [*counted, card("抽出的原声", drawn.height, note="抽签，每人至多一条", opens=True)]


def say_found(found: pl.DataFrame, drawn: pl.DataFrame, searched: pl.DataFrame, **filters: object) -> Sentence:
    """The filters that were set and what they found among `searched`; what was left out of the draw and why."""
    asked = "、".join(f"{name}{_told(value)}" for name, value in filters.items() if value not in ("", None, [], 0.0))
    people, everyone = found["person"].n_unique(), searched["person"].n_unique()
    if not people:
        return Sentence(f"按{asked}没有找到反馈。" if asked else "这段时间没有反馈。", "没有找到不等于没有人遇到：可以放宽条件，或换一种说法再找。")
    share = "" if people == everyone or people < theme.FEWEST else f"，占听到的 {theme.count_text(everyone)} 人的 {theme.share_text(people / everyone)}"
    skipped = _skipped(drawn)
    return Sentence(f"条件：{asked}。" if asked else "没有设条件，看的是全部。", "找到 ", (theme.people_text(people), "strong"), share, "。", skipped)


def quote_similar(
    drawn: pl.DataFrame, store: object, titles: dict[str, str] | None = None, n: int = 6, period: list[str] | None = None, channel: str | None = None,
    selection: str | None = None,
) -> Block:
    """What says much the same as the first of the quotes in other words; period, channel and selection as in `similar`."""
    if drawn.is_empty():
        return note("没有可引用的原话，无从找相似的。")
    first = drawn.row(0, named=True)
    listed = verbatim_list(similar(first["feedback_id"], store, n, period, channel, selection), titles)
    said = " ".join(first["verbatim"].split())
    return Block(**listed.description | {"note": f"与上面第一条（{said[:LONGEST] + '…' if len(said) > LONGEST else said}）的向量最接近的话，从近到远；接近不等于同一件事。"})


def _told(value: object) -> str:
    return f" {value:g}" if theme.is_number(value) else "、".join(map(str, value)) if isinstance(value, list) else f"「{value}」"


def _skipped(drawn: pl.DataFrame) -> str:
    if drawn.is_empty():
        return "都没有写字，没有可引用的原话。"
    first = drawn.row(0, named=True)
    parts = [f"{theme.count_text(first[name])} 条{why}" for name, why in (("skipped_empty", "没有写字"), ("skipped_template", "与许多人一字不差，像模板")) if first[name]]
    return f"其中 {'、'.join(parts)}，不参加抽签。" if parts else ""


def bars_or_note(estimates: pl.DataFrame, missing: str, titles: dict[str, str] | None = None, title: str = "", most: int = 15) -> Block:
    """`chart_bars`, or the sentence `missing` where no group has ten people."""
    shown = estimates.height and estimates["estimate"].is_not_null().any()
    return chart_bars(estimates, titles, title, most) if shown else note(missing)


def say_selection(store: object, selection: str | None) -> Sentence:
    """Which saved selection a page shows and what it asks for; none of them for "" or None. Raises SelectionError on an unknown name."""
    if not selection:
        return Sentence("没有用存好的选取：看的是这段时间、这些渠道的全部反馈。")
    return Sentence("只看选取", (f"「{selection}」", "strong"), f"：{told_selection(selection, store)['asks']}。存的是条件，不是名单：以后符合的也算在内。")


def say_ratings(rating: list[float]) -> Sentence:
    """Which ratings were asked for: lowest and highest, on five points."""
    if rating[0] <= 0 and rating[1] >= 5:
        return Sentence("评分不限，没有评分的也在内。")
    return Sentence(f"评分在 {theme.score_text(rating[0], 1)} 到 {theme.score_text(rating[1], 1)} 之间（五分制），没有评分的不在内。")

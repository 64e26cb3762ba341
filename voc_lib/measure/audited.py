"""The share of feedback with an opinion, channel by channel, corrected by hand labels where a channel has been audited.

A channel without an audit keeps the share that the model counted, without an interval and with the note 未经人工抽检: its error is
not known, and it is not contrasted with others.
"""

from __future__ import annotations

import polars as pl

from voc_lib.engine import quote
from voc_lib.measure.auditing import WRITTEN
from voc_lib.stats.powered import FEWEST_LABELS, powered_share
from voc_lib.store import Store

NOT_AUDITED = "未经人工抽检"
WHOLE = "全文"
FIGURES = {"estimate": pl.Float64, "std_error": pl.Float64, "conf_low": pl.Float64, "conf_high": pl.Float64, "n": pl.Int64, "effective_n": pl.Float64,
           "heard": pl.Float64, "labels": pl.Int64, "note": pl.String}  # fmt: skip
SHARES = {"negative": ("negative", "mixed"), "positive": ("positive", "mixed"), "neutral": ("neutral",), "mixed": ("mixed",)}


def audited_shares(store: Store, opinion: str = "negative", frame: pl.DataFrame | None = None, confidence: float = 0.95) -> pl.DataFrame:
    """How large a part of each channel's written feedback speaks displeasure (or another `opinion`; mixed counts on both sides).

    One row per channel: `metric, channel, kind, estimate, std_error, conf_low, conf_high, n, effective_n, heard, labels, note`;
    `heard` is what the model counted, `estimate` what the audit makes of it (prediction-powered inference, see `powered_share`).
    `frame` (any with `feedback_id`) limits it to some feedback: the labels that fall inside are used, fewer than 10 are no audit.
    """
    if opinion not in SHARES:
        raise ValueError(f"没有观点「{opinion}」。可选：{'、'.join(SHARES)}。")
    wanted = ", ".join(quote(name) for name in SHARES[opinion])
    model = store.about.get("opinion_model", "")
    weeks = "" if frame is None or "iso_week" not in frame.columns else ", ".join(quote(week) for week in frame["iso_week"].unique().sort())
    judged = store.sql(f"""
        SELECT f.feedback_id, f.channel, coalesce(max(o.opinion IN ({wanted})), false) AS said
        FROM feedback_rows AS f JOIN (SELECT feedback_id, arg_max(coalesce(opinion, ''), judged_at) AS opinion FROM opinions
             WHERE code = {quote(WHOLE)} AND opinion_model = {quote(model)} {f"AND iso_week IN ({weeks})" if weeks else ""} GROUP BY feedback_id) AS o ON o.feedback_id = f.feedback_id
        WHERE f.{WRITTEN} {f"AND f.iso_week IN ({weeks})" if weeks else ""} GROUP BY f.feedback_id, f.channel ORDER BY f.channel, f.feedback_id""")
    judged = judged if frame is None else judged.join(frame.select("feedback_id").unique(), on="feedback_id", how="semi", maintain_order="left")
    labelled = store.sql(f"""
        SELECT feedback_id, opinion IN ({wanted}) AS truth FROM (SELECT feedback_id, arg_max(opinion, read_at) AS opinion
        FROM audits WHERE opinion IS NOT NULL AND code IS NULL GROUP BY feedback_id)""")
    together = judged.join(labelled, on="feedback_id", how="left", maintain_order="left")
    rows = [
        {"metric": f"{opinion}_share", "channel": channel, "kind": "heard"} | _share(part, confidence)
        for (channel,), part in together.group_by("channel", maintain_order=True)
    ]
    return pl.DataFrame(rows, schema={"metric": pl.String, "channel": pl.String, "kind": pl.String} | FIGURES)


def _share(part: pl.DataFrame, confidence: float) -> dict:
    known = part.filter(pl.col("truth").is_not_null())
    heard = float(part["said"].mean())
    if known.height < FEWEST_LABELS:
        return {"estimate": heard, "std_error": None, "conf_low": None, "conf_high": None, "n": part.height, "effective_n": None,
                "heard": heard, "labels": known.height, "note": NOT_AUDITED}  # fmt: skip
    share = powered_share(known["truth"], known["said"], part["said"], confidence)
    note = f"按 {share.labels} 条人工标注修正（模型单独数出 {heard:.0%}）"
    return {"estimate": share.estimate, "std_error": share.std_error, "conf_low": share.conf_low, "conf_high": share.conf_high, "n": part.height,
            "effective_n": share.effective_n, "heard": heard, "labels": share.labels, "note": note}  # fmt: skip

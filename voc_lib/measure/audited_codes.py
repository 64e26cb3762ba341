"""How displeased the mentions of a code are, and how often the code is right: corrected by hand labels per mention (`voc audit --mentions`).

Mentions are drawn by lot channel by channel, as many of a small channel as of a large one: each label stands for its channel's mentions
divided by its channel's labels. A code with labels that are worth fewer than ten keeps what the model counted, with the note 未经人工抽检.
"""

from __future__ import annotations

import polars as pl

from voc_lib.engine import quote
from voc_lib.enrich.coding import UNMAPPED
from voc_lib.enrich.in_force import codes_in_force
from voc_lib.measure.audited import FIGURES, NOT_AUDITED, SHARES
from voc_lib.stats.powered import FEWEST_LABELS, effective_number, powered_share
from voc_lib.store import Store

MOST_CODES = 20
ALL_CODES = "全部问题"
LEFT_OUT = "不含未抽检的"
PRECISION, WRONG = "code_precision", "wrong_code"


def audited_mentions(store: Store, opinion: str = "negative", frame: pl.DataFrame | None = None, codes: int = MOST_CODES, confidence: float = 0.95) -> pl.DataFrame:
    """How large a part of the mentions of each code speaks displeasure about it (or another `opinion`), and how many of them are of that code at all.

    Two rows for all codes together and for each of the `codes` most frequent: `metric` (`negative_share`, `code_precision`), `code, kind, estimate,
    std_error, conf_low, conf_high, n, effective_n, heard, labels, note`. A mention of which a person said 不是说这个 counts in `n` and as not displeased;
    `heard` of the precision is the coder's own mean confidence. `n` is mentions, of audited channels where any is; labels of mentions that are
    no longer in force are left aside. `frame` (any with `feedback_id`) limits it to some feedback.
    """
    if opinion not in SHARES:
        raise ValueError(f"没有观点「{opinion}」。可选：{'、'.join(SHARES)}。")
    mentions = _mentions(store, SHARES[opinion])
    # How many mentions of its channel a label stands for, counted where it was drawn: before `frame` takes a part.
    stands = mentions.group_by("channel").agg(weight=pl.len() / pl.col("label").is_not_null().sum()).filter(pl.col("weight").is_finite())
    mentions = mentions if frame is None else mentions.join(frame.select("feedback_id").unique(), on="feedback_id", how="semi", maintain_order="left")
    audited = mentions.join(stands, on="channel", maintain_order="left")
    known = audited if audited.height else mentions.with_columns(weight=pl.lit(None, pl.Float64))
    missing = mentions["channel"].n_unique() - known["channel"].n_unique()
    frequent = known.group_by("code").len().sort(["len", "code"], descending=[True, False])["code"].head(codes).to_list()
    parts = [(ALL_CODES, known), *((code, known.filter(pl.col("code") == code)) for code in frequent)]
    note = f"；{LEFT_OUT} {missing} 个渠道" if missing else ""
    rows = [
        {"metric": metric, "code": code, "kind": "heard"} | _share(part, truth, guess, note, confidence)
        for code, part in parts if part.height
        for metric, truth, guess in ((f"{opinion}_share", pl.col("label").is_in(SHARES[opinion]), "said"), (PRECISION, pl.col("label") != WRONG, "confidence"))
    ]  # fmt: skip
    return pl.DataFrame(rows, schema={"metric": pl.String, "code": pl.String, "kind": pl.String} | FIGURES)


def left_out(shares: pl.DataFrame) -> str | None:
    """What the notes of `audited_mentions` say of channels that nobody has read: 不含未抽检的 2 个渠道; None where there are none."""
    return shares["note"].str.extract(f"({LEFT_OUT}.*)$").drop_nulls().first() if shares.height else None


def _mentions(store: Store, wanted: tuple[str, ...]) -> pl.DataFrame:
    """Mentions in force, what the model and the coder say of each, and what a person said: `feedback_id, channel, code, said, confidence, label`."""
    said = ", ".join(quote(name) for name in wanted)
    return store.sql(f"""
        WITH found AS (SELECT feedback_id, iso_week, code, arg_max(model_version, coded_at) AS coder, max(confidence) AS confidence FROM mentions
             WHERE {codes_in_force(store)} AND code <> '{UNMAPPED}' GROUP BY feedback_id, iso_week, code),
        judged AS (SELECT feedback_id, iso_week, code, coder, arg_max(coalesce(opinion, ''), judged_at) AS opinion FROM opinions
             WHERE opinion_model = {quote(store.about.get("opinion_model", ""))} GROUP BY feedback_id, iso_week, code, coder),
        labelled AS (SELECT feedback_id, code, arg_max(opinion, read_at) AS label FROM audits WHERE opinion IS NOT NULL AND code IS NOT NULL GROUP BY feedback_id, code)
        SELECT feedback_id, f.channel, code, coalesce(j.opinion IN ({said}), false) AS said, coalesce(found.confidence, 1) AS confidence, label
        FROM found JOIN (SELECT feedback_id, channel FROM feedback_rows) AS f USING (feedback_id)
        LEFT JOIN judged AS j USING (feedback_id, iso_week, code, coder) LEFT JOIN labelled USING (feedback_id, code) ORDER BY f.channel, feedback_id, code""")


def _share(part: pl.DataFrame, truth: pl.Expr, guess: str, beside: str, confidence: float) -> dict:
    known, heard = part.filter(pl.col("label").is_not_null()), float(part[guess].mean())
    if effective_number(known["weight"]) < FEWEST_LABELS:
        return {"estimate": heard, "n": part.height, "heard": heard, "labels": known.height, "note": NOT_AUDITED}
    share = powered_share(known.select(truth).to_series(), known[guess], part[guess], confidence, known["weight"])
    own = f"模型单独数出 {heard:.0%}" if guess == "said" else f"编码自报 {heard:.0%}"
    return {"estimate": share.estimate, "std_error": share.std_error, "conf_low": share.conf_low, "conf_high": share.conf_high, "n": part.height,
            "effective_n": share.effective_n, "heard": heard, "labels": share.labels, "note": f"按 {share.labels} 条人工标注修正（{own}）{beside}"}  # fmt: skip

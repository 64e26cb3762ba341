"""A probe: customers drawn by lot and asked, so that the silent are heard too. How many to ask, and what those who answered say about all.

Five hundred answers beat twenty thousand volunteers only if not answering a probe is unrelated to satisfaction. Two things are done about those who do not answer. A random
part of them is called again, and stands for the rest of them: double sampling, Hansen & Hurwitz (1946), doi:10.1080/01621459.1946.10501894. Who does not answer then
either is bounded: the odds of answering may differ by up to `odds_ratio` per standard deviation of the answer, in either direction. With such odds the silent have the
distribution of those who answered, tilted by odds_ratio^-z (Franks, D'Amour & Feller 2020, doi:10.1080/01621459.2019.1604369), so that nothing else has to be assumed.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy import stats

from voc_lib.measure.weighting.inference import Sampling, weighted_mean, weighted_share
from voc_lib.measure.weighting.margins import WeightingError, counted, first
from voc_lib.measure.weighting.weights import calibrate

FIRST, CALL_BACK, NO_ANSWER, NOT_FOLLOWED = "first", "call_back", "no_answer", "not_followed"
DISPOSITIONS = (FIRST, CALL_BACK, NO_ANSWER, NOT_FOLLOWED)
# The Lambda with which scores that people were asked for are bounded elsewhere, here per s.d. of the answer: between one s.d. below the mean and one above, odds differ
# up to 2.25 times. Covers any dependence that is no steeper, so that a probe in which odds fall by a fifth per s.d. lies well inside.
ODDS_RATIO = 1.5
WORST_SPREAD = 0.5     # of a share, at one half
WORST_LEAN = float(stats.norm.pdf(0))  # how far a share of one half moves when what lies behind it moves by one s.d.
CALL_BACK_COST = 5.0   # of one call by a person, in invitations sent by machine
CALL_BACK_RATE = 0.5   # of those called again; Hansen & Hurwitz took 1, which no telephone reaches
FEWEST_CALLED = 10     # answers at call-back that may stand for those who answer nobody; with fewer, one voice would weigh too much, and all who answered do
DRAWN = "drawn_weight"
COLUMNS = ("kind", "estimate", "std_error", "conf_low", "conf_high", "n", "effective_n", "unheard_share", "odds_ratio", "note")


def probe_size(margin: float, spread: float | None = None, *, contact_rate: float = 1.0, response_rate: float = 1.0, sub_sample: float | None = None,
               call_back_rate: float = CALL_BACK_RATE, call_back_cost: float = CALL_BACK_COST, odds_ratio: float = ODDS_RATIO, population: float | None = None,
               confidence: float = 0.95, design_effect: float = 1.0) -> pl.DataFrame:
    """One row: how many to invite so that the interval reaches `margin` to either side, and how much wider it is once those who never answer are counted in.

    `margin` and `spread` (s.d. of the answer; default: the most that a share can have) in the unit of the answer. An invitation reaches `contact_rate`, of whom
    `response_rate` answer. `sub_sample`: the random part (0 to 1) of those without an answer who are called again; default: what is cheapest at `call_back_cost`
    invitations a call, 1/k with k = sqrt(cost x answered / `call_back_rate`) (Cochran 1977, 13.6); 0: nobody. `population`: how many there are in all (fpc).

    Columns: answers, invitations, contacts, first_answers, call_backs, call_back_answers, sub_sample, unheard_share (of all), margin, range_margin = margin +
    unheard_share x ln(odds_ratio) x spread (exact where answers are normal; x .4 for a share), odds_ratio. WeightingError: rates that are no shares, more people than there are.

    >>> probe_size(0.05, sub_sample=0).select("answers", "invitations", "range_margin").row(0)
    (385, 385, 0.05)
    """
    for name, value in {"margin": margin, "spread": WORST_SPREAD if spread is None else spread, "call_back_cost": call_back_cost, "design_effect": design_effect}.items():
        if not (np.isfinite(value) and value > 0):
            raise WeightingError(f"{name} 应是大于 0 的数，现在是 {value}。")
    for name, value in {"contact_rate": contact_rate, "response_rate": response_rate, "call_back_rate": call_back_rate}.items():
        if not 0 < value <= 1:
            raise WeightingError(f"{name} 应是 0 到 1 之间的比例（大于 0），现在是 {value}。")
    if sub_sample is not None and not 0 <= sub_sample <= 1:
        raise WeightingError(f"sub_sample 应是 0 到 1 之间的比例，现在是 {sub_sample}。")
    lean = np.log(_odds(odds_ratio)) * (WORST_LEAN if spread is None else spread)
    spread = WORST_SPREAD if spread is None else spread
    at_once = contact_rate * response_rate
    part = min(1.0, np.sqrt(call_back_rate / (call_back_cost * at_once))) if sub_sample is None else sub_sample
    part = 0.0 if at_once >= 1 else part
    called = (1 - at_once) * call_back_rate if part > 0 else 0.0  # of all: would answer at call-back
    reached = at_once + called
    inflation = 1 + (1 / part - 1) * called / reached if part > 0 else 1.0  # who is called stands for 1 / part people
    needed = design_effect * inflation * (stats.norm.ppf((1 + confidence) / 2) * spread / margin) ** 2
    needed = needed / (1 + (needed - 1) / population) if population is not None else needed
    invitations = int(np.ceil(needed / reached - 1e-9))
    if population is not None and invitations > population:
        raise WeightingError(f"要请 {invitations:,} 位，总体只有 {population:,.0f} 位。请放宽误差（margin={margin:g}），或提高接触率、应答率。")
    first_answers, call_backs = invitations * at_once, invitations * (1 - at_once) * part
    answered = int(np.ceil(first_answers + call_backs * call_back_rate - 1e-9))
    unheard = 1 - reached
    return pl.DataFrame({"answers": [answered], "invitations": [invitations], "contacts": [round(invitations * contact_rate)], "first_answers": [round(first_answers)],
                         "call_backs": [int(np.ceil(call_backs - 1e-9))], "call_back_answers": [round(call_backs * call_back_rate)], "sub_sample": [float(part)],
                         "unheard_share": [max(0.0, float(unheard))], "margin": [float(margin)], "range_margin": [float(margin + max(0.0, unheard) * lean)], "odds_ratio": [float(odds_ratio)]})


def probe_estimate(probe: pl.DataFrame, column: str, population: pl.DataFrame | float | None = None, *, odds_ratio: float = ODDS_RATIO, along: str | None = None,
                   base_weight: str | None = None, confidence: float = 0.95) -> pl.DataFrame:
    """What a probe says of the mean of `column` over all customers it was drawn from: three rows by `kind`, `heard`, `weighted` and `range`.

    `probe`: one row per customer *drawn by lot* (answered or not), with `disposition`: `first` (answered when asked), `call_back` (answered when called again),
    `no_answer` (called again, did not answer), `not_followed` (no answer, not called again; who is called must be drawn by lot too). An answer without a value in
    `column` counts as none; a column of 0 and 1 is a share, with its interval. `base_weight`: where some had better chances of being drawn. `population`: the frame that
    the probe was drawn from (margins of levels, `count`), to which answers are then raked, or its size.

    `weighted` takes those who never answer to be like those who answered at call-back (at all, without call-backs). `range` lets the odds of answering differ by up to
    `odds_ratio` per s.d. of `along` (default: `column`; for an NPS its score) either way (yes and no as a normal score cut in two), and has the 95 % interval at either
    end; with everybody heard it is the interval of `weighted`. Columns: kind, estimate (null in the range), std_error, conf_low, conf_high, n, effective_n,
    unheard_share, odds_ratio, note. WeightingError: unknown dispositions, nobody answered, what `calibrate` refuses.

    >>> probe = pl.DataFrame({"disposition": ["first"] * 4 + ["not_followed"] * 4, "score": [4.0, 6, 8, 6] + [None] * 4})
    >>> found = probe_estimate(probe, "score")
    >>> found["kind"].to_list(), found["estimate"].to_list(), found["unheard_share"][2]
    (['heard', 'weighted', 'range'], [6.0, 6.0, None], 0.5)
    """
    gamma, along = np.log(_odds(odds_ratio)), along or column
    rows, note = _drawn(probe, column, along, base_weight)
    sampling = Sampling(confidence=confidence)
    figure = weighted_share if rows.filter("answered")[column].is_in([0.0, 1.0]).all() else weighted_mean  # nobody among few is no certainty: a share has its own interval
    heard = figure(rows.filter("answered").with_columns(pl.col(DRAWN).alias("weight")), column, sampling=sampling)
    ends = {tilt: figure(_raised(rows, along, tilt, population), column, sampling=sampling) for tilt in ((0.0, -gamma, gamma) if gamma > 0 else (0.0,))}
    weighted = ends[0.0]
    low = min((end["conf_low"].item() for end in ends.values() if end["conf_low"].item() is not None), default=None)
    high = max((end["conf_high"].item() for end in ends.values() if end["conf_high"].item() is not None), default=None)
    nothing = pl.lit(None, pl.Float64)
    spanned = weighted.with_columns(nothing.alias("estimate"), nothing.alias("std_error"), pl.lit(low, pl.Float64).alias("conf_low"), pl.lit(high, pl.Float64).alias("conf_high"))
    told = pl.concat([frame.with_columns(pl.lit(kind).alias("kind")) for kind, frame in (("heard", heard), ("weighted", weighted), ("range", spanned))])
    notes = pl.concat_str(pl.col("note"), pl.lit(note, pl.String), separator="；", ignore_nulls=True)
    bounded = pl.when(pl.col("kind") == "range").then(pl.lit(float(odds_ratio))).alias("odds_ratio")
    return told.with_columns(pl.lit(_unheard(rows)).alias("unheard_share"), bounded, pl.when(notes != "").then(notes).alias("note")).select(COLUMNS)


def _drawn(probe: pl.DataFrame, column: str, along: str, base_weight: str | None) -> tuple[pl.DataFrame, str | None]:
    """Everybody drawn, with the weight of the draw, whether he answered, and his part: `spoke` (stands for himself), `called`, `unheard`, `rest` (not called again)."""
    if absent := [name for name in dict.fromkeys(("disposition", column, along, base_weight)) if name and name not in probe.columns]:
        raise WeightingError(f"探访的表里没有列「{first(absent)}」；现有：{'、'.join(probe.columns)}。抽到的每位客户一行，没有回答的也要有。")
    unknown = {str(name): count for name, count in probe.group_by("disposition").len().sort("disposition").iter_rows() if name not in DISPOSITIONS}
    if unknown:
        raise WeightingError(f"disposition 有不认识的写法：{counted(unknown)}。可用：{'、'.join(DISPOSITIONS)}（答了、回访后答了、回访也没答、没有再回访）。")
    for name in {column, along}:
        if not (probe.schema[name].is_numeric() or probe.schema[name] == pl.Boolean):
            raise WeightingError(f"列「{name}」不是数（{probe.schema[name]}）。请先换成数或条件。")
    weight = pl.col(base_weight).cast(pl.Float64) if base_weight else pl.lit(1.0)
    rows = probe.with_columns(*(pl.col(name).cast(pl.Float64).fill_nan(None) for name in {column, along}), weight.alias(DRAWN))
    if bad := rows.height - int((rows[DRAWN].fill_null(-1).fill_nan(-1) > 0).sum()):
        raise WeightingError(f"原有权重「{base_weight}」有 {bad:,} 行不是大于 0 的数。请改正或去掉这些行。")
    told = pl.col(column).is_not_null() & pl.col(along).is_not_null()
    blank = int(rows.select((pl.col("disposition").is_in([FIRST, CALL_BACK]) & ~told).sum()).item())
    called = int(rows.select(((pl.col("disposition") == CALL_BACK) & told).sum()).item())
    part = (pl.when((pl.col("disposition") == FIRST) & told).then(pl.lit("spoke")).when((pl.col("disposition") == CALL_BACK) & told).then(pl.lit("called"))
            .when(pl.col("disposition").is_in([CALL_BACK, NO_ANSWER])).then(pl.lit("unheard")).otherwise(pl.lit("rest")))
    rows = rows.with_columns(part.alias("part"))
    notes = [f"{blank:,} 位答了别的题、没有答这一题，按没有回答算"] if blank else []
    if 0 < called < FEWEST_CALLED and (rows["part"] == "spoke").any():
        notes.append(f"回访后答的不足{FEWEST_CALLED}人，没有回答的人由全部答了的人代表")
        rows = rows.with_columns(pl.col("part").replace({"called": "spoke", "unheard": "rest"}))
    elif not called:
        rows = rows.with_columns(pl.col("part").replace({"unheard": "rest"}))
    rows = rows.with_columns(pl.col("part").is_in(["spoke", "called"]).alias("answered"))
    if rows["answered"].sum() < 2:
        raise WeightingError(f"抽到 {rows.height:,} 位，回答的只有 {rows['answered'].sum()} 位，说不出什么。请先回访没有回答的人。")
    return rows, "；".join(notes) or None


def _shares(rows: pl.DataFrame) -> dict[str, float]:
    found = dict(rows.group_by("part").agg(pl.col(DRAWN).sum()).iter_rows())
    return {part: found.get(part, 0.0) for part in ("spoke", "called", "unheard", "rest")}


def _unheard(rows: pl.DataFrame) -> float:
    """The part of all for whom nobody answered who was drawn by lot from among them."""
    sums = _shares(rows)
    followed = sums["called"] + sums["unheard"]
    left = (sums["rest"] + followed) * sums["unheard"] / followed if followed else sums["rest"]
    return left / sum(sums.values())


def _raised(rows: pl.DataFrame, along: str, tilt: float, population: pl.DataFrame | float | None) -> pl.DataFrame:
    """Those who answered, weighted up to all: each for himself, who was called for others like him, and the unheard as those who answered last, tilted."""
    sums = _shares(rows)
    followed = sums["called"] + sums["unheard"]
    factor = (sums["rest"] + followed) / followed if followed else 1.0
    unheard, last = (factor * sums["unheard"], "called") if followed else (sums["rest"], "spoke")
    answered = rows.filter("answered")
    drawn, is_last = answered[DRAWN].to_numpy(), (answered["part"] == last).to_numpy()
    own = drawn * np.where((answered["part"] == "called").to_numpy(), factor, 1.0)
    said = answered[along].to_numpy()
    middle, spread = _scale(said, own)
    leaning = is_last * drawn * (np.exp(-tilt * (said - middle) / spread) if spread > 0 else 1.0)
    weight = pl.Series("weight", own + unheard * leaning / leaning.sum())
    if isinstance(population, pl.DataFrame):
        return calibrate(answered.with_columns(weight.alias(DRAWN)), population, base_weight=DRAWN, on_silent="collapse")
    return answered.with_columns(weight * (1.0 if population is None else float(population) / weight.sum()))


def _scale(said: np.ndarray, w: np.ndarray) -> tuple[float, float]:
    """Mean and s.d. of the answers; of yes and no the s.d. in yeses of the normal score that they cut in two: a rare yes is no more than two or three s.d. from a no."""
    middle = float(w @ said / w.sum())
    if 0 < middle < 1 and np.isin(said, (0, 1)).all():
        return middle, float(middle * (1 - middle) / stats.norm.pdf(stats.norm.ppf(middle)))
    return middle, float(np.sqrt(w @ (said - middle) ** 2 / w.sum()))


def _odds(odds_ratio: float) -> float:
    if not (np.isfinite(odds_ratio) and odds_ratio >= 1):
        raise WeightingError(f"odds_ratio 应是不小于 1 的数（每高一个标准差，回答的优势最多差几倍），现在是 {odds_ratio}。0.8 请写成 1/0.8。")
    return float(odds_ratio)

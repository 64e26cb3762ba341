"""A second opinion on selection that depends on the answer: SMUB, where what is known of all customers says enough about the answer.

X is the best straight-line guess of the answer from what was weighted on; how far speakers' X differs from all customers' X shows how selected they are. phi says what selection
goes by: 0 X alone (ignorable), 1 the answer alone. Little, West, Boonstra & Hu (2020), doi:10.1093/jssam/smz023; Andridge, West, Little, Boonstra & Alvarado-Leiton (2019),
doi:10.1111/rssc.12371, for shares (here by the normal model as well).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from voc_lib.measure.weighting.inference import numbers_of, weights_of
from voc_lib.measure.weighting.margins import WeightingError
from voc_lib.measure.weighting.tilting import covariates

PHI = (0.0, 0.5, 1.0)
CLEAR = 0.4  # correlation of the guess with the answer; below, phi = 1 divides by next to nothing (Little et al. 2020)
FIGURES = {"phi": pl.Float64, "index": pl.Float64, "estimate": pl.Float64, "rho": pl.Float64, "speakers_mean": pl.Float64, "n": pl.Int64, "note": pl.String}


def smub(frame: pl.DataFrame, column: str, phi: Sequence[float] = PHI) -> pl.DataFrame:
    """Standardised measure of unadjusted bias and the adjusted mean, a row per phi: `phi, index, estimate, rho, speakers_mean, n, note`.

    index = (phi + (1 - phi) rho) / (phi rho + 1 - phi) * (mean X of speakers - of all) / sd X of speakers, in standard deviations of the answer; estimate = speakers' mean -
    index * sd of the answer. `frame` as `calibrate` or `poststratify` returns it: its covariates make X (least squares among speakers), its weights give their mean among all
    customers. Where rho < .4 the figures are null and the note says so. WeightingError: not calibrated, fewer than two answers, phi outside of 0 to 1.
    """
    phis = np.asarray(phi, float).ravel()
    if not ((phis >= 0) & (phis <= 1)).all():
        raise WeightingError(f"phi 应在 0 到 1 之间，现在是 {phis.tolist()}。")
    if "calibration" not in frame.columns:
        raise WeightingError("表里没有列「calibration」，不知道用什么加权。请先用 calibrate 或 poststratify 加权。")
    said, w = numbers_of(frame, column), weights_of(frame)
    answered = ~np.isnan(said)
    n = int(answered.sum())
    if n < 2:
        raise WeightingError(f"列「{column}」只有 {n} 个回答，至少要 2 个。")
    x, place = covariates(frame["calibration"])
    y, at = said[answered], place[answered]
    heard = np.bincount(at, minlength=len(x)).astype(float)
    fitted = x @ np.linalg.lstsq(x * np.sqrt(heard)[:, None], np.bincount(at, y, len(x)) / np.sqrt(np.maximum(heard, 1)), rcond=None)[0]
    guess, middle = fitted[at], float(y.mean())
    spread_x, spread_y = float(guess.std(ddof=1)), float(y.std(ddof=1))
    rho = float(np.corrcoef(guess, y)[0, 1]) if spread_x > 1e-9 * max(spread_y, 1e-300) else 0.0
    if rho < CLEAR:
        note = f"加权用的列与回答的相关只有 {rho:.2f}，不到 {CLEAR:g}，不作第二意见"
        return pl.DataFrame([(one, None, None, rho, middle, n, note) for one in phis], schema=FIGURES, orient="row")
    shift = (guess.mean() - w @ fitted[place] / w.sum()) / spread_x
    index = (phis + (1 - phis) * rho) / (phis * rho + 1 - phis) * shift
    return pl.DataFrame([(one, value, middle - value * spread_y, rho, middle, n, None) for one, value in zip(phis, index, strict=True)], schema=FIGURES, orient="row")

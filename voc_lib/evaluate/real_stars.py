"""Stars of app reviews against their words: how well a model tells low from high, and whether an audit's interval is honest."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl

from voc_lib.enrich.feelings import Feelings
from voc_lib.enrich.feelings_tuned import Displeasure, start_sense
from voc_lib.enrich.opinions_start import adapted, start_model
from voc_lib.evaluate.real_parts import FOLDS, Encoder, fold_of, measure, missing, read_part
from voc_lib.stats.powered import powered_share

PART = "appstore"
COLUMNS = ("评级", "标题", "内容")
LOW, HIGH = 2, 4
LABELS, DRAWS = 100, 200
# Words that are not the customer's: the contract of the channel cuts them as well.
_REPLY = re.compile(r"\s*-*\s*开发者回复\s*[:：].*", re.DOTALL)
_REMARK = "（该条评论已经被删除）"


def star_measures(folder: Path, fit_on: Path | None, encode: Encoder) -> list[dict]:
    """AUC of low (<= 2) against high (>= 4) stars without labels and trained on other apps; coverage of audited shares."""
    apps = _apps(folder)
    others = _apps(fit_on) if fit_on is not None else apps
    if not apps or not others:
        return [missing("appstore 低星识别与抽检", f"没有 {PART}/*.csv，跳过")]
    base = start_model()
    own = adapted(base, [text for texts, _ in others.values() for text in texts])
    plain = {name: _auc(base.displeasure(texts), stars) for name, (texts, stars) in apps.items()}
    blind = {name: _auc(own.displeasure(texts), stars) for name, (texts, stars) in apps.items()}
    found = [
        measure("低星 AUC，不用标注，最差的应用", min(blind.values()), 0.88, None, _named(blind)),
        measure("低星 AUC，不用标注，平均", np.mean(list(blind.values())), 0.94, 0.97, f"未适应自己的文字时 {np.mean(list(plain.values())):.3f}"),
    ]
    taught = {}
    for name, (texts, stars) in apps.items():
        known = [(text, star) for other, (said, given) in others.items() if other != name for text, star in zip(said, given, strict=True) if star <= LOW or star >= HIGH]
        if known:
            low = np.array([int(star <= LOW) for _, star in known])
            taught[name] = _auc(Displeasure([text for text, _ in known], low, own.displeasure, start_sense()).probabilities(texts), stars)
    if taught:
        worst = min(taught, key=taught.get)
        limit = _with_own_labels(*apps[worst], own, encode)
        note = f"{_named(taught)}；适应用了未标注的文字（没有 --fit-on 时含被测应用的）" + (f"；{worst} 学自己的标注、按文字分 {FOLDS} 折时（不用网络）{limit:.3f}" if limit is not None else "")
        found.append(measure("低星 AUC，在别的应用上学，最差的应用", taught[worst], 0.96, 0.98, note))
    else:
        found.append(missing("低星 AUC，在别的应用上学", "只有一个应用，跳过"))
    covered = {name: _covered(own.probabilities(texts)[:, 0], (stars <= LOW).astype(float)) for name, (texts, stars) in apps.items() if len(texts) >= 2 * LABELS}
    if covered:
        found.append(measure("抽检 100 条后低星份额：区间含真值的比例，最差的应用", min(covered.values()), 0.93, None, f"{DRAWS} 次抽取；{_named(covered)}"))
    return found


def _apps(folder: Path) -> dict[str, tuple[list[str], np.ndarray]]:
    found = {}
    for path in sorted((folder / PART).glob("*.csv")):
        rows = read_part(folder / PART, path.name, COLUMNS)
        rows = rows.with_columns(pl.col("评级").cast(pl.Float64, strict=False)).filter(pl.col("评级").is_not_null())
        said = [_REPLY.sub("", text).replace(_REMARK, "") for text in rows.select(pl.concat_str("标题", "内容", separator="。", ignore_nulls=True)).to_series()]
        found[path.stem] = (said, rows["评级"].to_numpy())
    return {name: part for name, part in found.items() if (part[1] <= LOW).any() and (part[1] >= HIGH).any()}


def _taught(texts: list[str], stars: np.ndarray, start, encode: Encoder):
    """The log odds of low against high, as `Feelings` learns them."""
    model = Feelings(texts, (stars >= HIGH).astype(int), encode, start.displeasure)

    def displeasure(new: list[str]) -> np.ndarray:
        low, high = model.balanced(new).T
        return np.log(low + 1e-9) - np.log(high + 1e-9)

    return displeasure


def _with_own_labels(texts: list[str], stars: np.ndarray, start, encode: Encoder) -> float | None:
    """AUC of words and vectors (no network) taught by the app's own labels, tested on folds left out: about what such stars allow.

    None where all low or all high texts fall into one fold.
    """
    told = np.flatnonzero((stars <= LOW) | (stars >= HIGH))
    fold, felt = fold_of([texts[at] for at in told]), np.zeros(len(stars))
    for left_out in np.unique(fold):
        known, new = told[fold != left_out], told[fold == left_out]
        if len(np.unique(stars[known] <= LOW)) < 2:
            return None
        felt[new] = _taught([texts[at] for at in known], stars[known], start, encode)([texts[at] for at in new])
    return _auc(felt, stars)


def _auc(displeasure: np.ndarray, stars: np.ndarray) -> float:
    from sklearn.metrics import roc_auc_score

    told = (stars <= LOW) | (stars >= HIGH)
    return float(roc_auc_score(stars[told] <= LOW, displeasure[told]))


def _covered(said: np.ndarray, truth: np.ndarray) -> float:
    """How often the interval from 100 labels contains the share of all."""
    lots = np.random.default_rng(0)
    hits = 0
    for _ in range(DRAWS):
        drawn = lots.choice(len(truth), LABELS, replace=False)
        share = powered_share(truth[drawn], said[drawn], said)
        hits += share.conf_low <= truth.mean() <= share.conf_high
    return hits / DRAWS


def _named(scores: dict[str, float]) -> str:
    return "，".join(f"{name} {score:.3f}" for name, score in scores.items())

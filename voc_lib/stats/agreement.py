"""How far people who judge the same things agree, beyond what chance alone would give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

from voc_lib.stats.intervals import wilson


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> dict:
    """Share of equal judgements and Cohen's kappa with its 95 % interval: `agree_share, kappa, conf_low, conf_high`.

    kappa = (p_o - p_e) / (1 - p_e), from -1 to 1; null where both said one and the same throughout, which leaves no chance to
    beat. Cohen (1960), doi:10.1177/001316446002000104. The interval is Wilson's for p_o, carried over with p_e held fixed: unlike
    Cohen's own it does not shrink to a point where all agree.

    Of 50: 20 both yes, 15 both no, 5 only the first, 10 only the second: p_o = .7, p_e = .5 * .6 + .5 * .4 = .5.

    >>> round(cohen_kappa([1] * 25 + [0] * 25, [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15)["kappa"], 3)
    0.4
    """
    n = len(first)
    if not n or n != len(second):
        raise ValueError("两位的判断应一样多，且至少一个")
    agreed = sum(one == two for one, two in zip(first, second, strict=True)) / n
    ones, twos = Counter(first), Counter(second)
    chance = sum(ones[value] * twos[value] for value in ones) / n**2
    if chance == 1:
        return {"agree_share": agreed, "kappa": None, "conf_low": None, "conf_high": None}
    kappa = (agreed - chance) / (1 - chance)
    low, high = ((float(bound) - chance) / (1 - chance) for bound in wilson(agreed, n))
    return {"agree_share": agreed, "kappa": kappa, "conf_low": max(low, -1.0), "conf_high": high}


def krippendorff_alpha(units: Sequence[Sequence[Hashable]]) -> float | None:
    """Krippendorff's alpha for names (nominal), any number of judges, gaps allowed: one sequence of judgements per thing.

    alpha = 1 - D_o / D_e, at most 1; null where all judgements are one and the same. Things judged once do not count.
    Krippendorff (2011), Computing Krippendorff's Alpha-Reliability.

    Three things aa, ab, bb: 2 of 6 ordered pairs differ; of all 6 * 5 ordered pairs 18 do: 1 - (1/3) / (18/30).

    >>> round(krippendorff_alpha(["aa", "ab", "bb"]), 3)
    0.444
    """
    judged = [Counter(unit) for unit in units if len(unit) > 1]
    totals = sum(judged, Counter())
    n = totals.total()
    expected = n**2 - sum(count**2 for count in totals.values())
    if not expected:
        return None
    observed = sum((unit.total() ** 2 - sum(count**2 for count in unit.values())) / (unit.total() - 1) for unit in judged)
    return 1 - (n - 1) * observed / expected

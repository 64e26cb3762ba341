"""Variance of a mean whose answers hang together, because one person or one thread gave several.

Works on sums over clusters, so that sixty codes over a million feedback cost what their mentions cost. For
cluster c, y_c is its weighted sum of values and m_c its sum of weights; the mean is sum(y) / sum(m).
"""

from __future__ import annotations

import numpy as np


def linearised_variance(s_yy, s_ym, s_mm, mean, weight, clusters) -> np.ndarray:
    """Variance of sum(y)/sum(m) between clusters, with the correction G/(G-1); NaN for one cluster.

    sum over c of (y_c - mean * m_c)^2 / weight^2, opened so that `s_yy` = sum y^2, `s_ym` = sum y*m and
    `s_mm` = sum m^2 are enough. Taylor linearisation with replacement, as R survey's svymean without
    finite population correction. Binder (1983), doi:10.2307/1402588.

    >>> linearised_variance(2.0, 2.0, 5.0, 0.4, 5.0, 5).round(4).item()    # yes, yes, no, no, no: .4*.6/4
    0.06
    """
    return shared_covariance(s_yy, s_ym, s_ym, s_mm, (mean, mean), (weight, weight), (clusters, clusters))


def shared_covariance(s_yy, s_ym, s_my, s_mm, means, weights, clusters) -> np.ndarray:
    """Covariance of two means a, b over the clusters that answered in both (0 where none did).

    The sums are those of y_a*y_b, y_a*m_b, m_a*y_b and m_a*m_b over the shared clusters; `means`, `weights`,
    `clusters` are pairs (a, b). The same linearisation as `linearised_variance`, of which it is the
    two-sample form. Kish (1965), Survey Sampling, section 12.4.
    """
    (mean_a, mean_b), (weight_a, weight_b) = means, weights
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = s_yy - mean_b * s_ym - mean_a * s_my + mean_a * mean_b * s_mm
        corrected = inner / (np.asarray(weight_a) * weight_b)
    return corrected * np.sqrt(_correction(clusters[0]) * _correction(clusters[1]))


def two_way(person, thread, pair) -> np.ndarray:
    """Variance for answers tied by person and by thread: person + thread - (person within thread).

    Where every thread has one author the last two are equal and the person's variance remains. The
    combination may fall below the person's variance or 0 by chance: never less than the person's is
    returned. A thread variance that cannot be estimated (one thread, NaN) leaves the person's.
    Cameron, Gelbach & Miller (2011), doi:10.1198/jbes.2010.07136.

    >>> two_way(1.0, 3.0, 0.5).item(), two_way(1.0, 0.2, 0.9).item()
    (3.5, 1.0)
    """
    return np.asarray(np.fmax(np.asarray(person) + thread - pair, person))


def kish_effective_n(weight_sum, weight_square_sum) -> np.ndarray:
    """Number of equally weighted answers worth as much: (sum w)^2 / sum w^2, from 1 to n.

    Kish (1965), Survey Sampling, section 11.7; with cluster totals as w, the answers left when members
    of a cluster always agree.

    >>> kish_effective_n(4.0, 4.0).item(), kish_effective_n(1 + 3, 1 + 9).item()
    (4.0, 1.6)
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.asarray(weight_sum, float) ** 2 / weight_square_sum)


def _correction(clusters) -> np.ndarray:
    clusters = np.asarray(clusters, float)
    return np.divide(clusters, clusters - 1, out=np.full(clusters.shape, np.nan), where=clusters > 1)

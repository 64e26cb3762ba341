"""Crossed random effects on cells: every level of a covariate, and every combination of two, pulls the cells it is part of as far as its people can bear out.

y of a person in a cell = intercept + one effect per covariate + one per pair of covariates + own difference; effects of one kind are exchangeable, with a variance of their
own (Gelman & Little 1997; Ghitza & Gelman 2013, doi:10.1111/ajps.12004, for pairs). Variances by restricted likelihood (Patterson & Thompson 1971,
doi:10.1093/biomet/58.3.545): Fisher scoring on their logarithms, damped until the likelihood rises, which takes a tenth of the steps of EM where a variance is 0.
Only n, total and squares of a cell are needed, and effects, not cells, set the size of the system.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.linalg import lapack

LARGEST = 1_000    # effects in the system: an iteration costs their cube, 0.1 CPU s; pairs with the most combinations are left out first
TOGETHER = 2.0     # people per occupied combination of a pair: with fewer, its effects cannot be told from people's own differences
START = 0.02       # of the whole variance, for every kind of effect
FARTHEST = 2.0     # a variance changes by a factor of exp(2) = 7 at most in a step: those on their way to nothing would jump out of sight
LONGER, LEAST_DAMPED = 10.0, 0.1  # Levenberg and Marquardt's
RANK = 1e-10
NOTHING = 0.01     # effective parameters: a kind of effect worth less than this is none
SETTLED = 1e-5     # of the log likelihood: a change nobody can see
STEPS = 200        # 10 to 40 are needed
ALONE = 1e-9       # of the whole variance: the least a person differs


@dataclass(frozen=True)
class CellFit:
    """`fitted` value of every cell, `within` variance of people about it, `between` variance of effects by the positions of their covariates, `converged`, `steps`, effective `parameters`.

    The rest, without kinds of effects that came to nothing, is what `variance`, `uneven`, `influence` and `leverage` need: `places` effect of cell and kind, `heard` effects
    somebody speaks for, `centre` mean of the effects' columns over people, `root` with root' root = covariance of the effects heard / within, `tau` variance of each effect.
    """

    fitted: np.ndarray
    within: float
    between: dict[tuple[int, ...], float]
    converged: bool
    steps: int
    parameters: float
    people: float
    places: np.ndarray
    heard: np.ndarray
    centre: np.ndarray
    root: np.ndarray
    tau: np.ndarray


def fit_cells(codes, n, total, squares) -> CellFit:
    """Fit to cells: `codes` (cells, covariates) whole numbers from 0, `n` people who answered, `total` and `squares` the sums of y and y^2; cells without a speaker are predicted too.

    Which pairs take part: see TOGETHER and LARGEST; the keys of `between` tell. ValueError where shapes do not fit or nobody answered.

    >>> fit = fit_cells([[0], [1], [2]], [50, 50, 0], [100, 300, 0], [300, 1900, 0])
    >>> fit.fitted.round(2).tolist()
    [2.01, 5.99, 4.0]
    """
    codes, n, total, squares = np.asarray(codes, np.int64), np.asarray(n, float), np.asarray(total, float), np.asarray(squares, float)
    if codes.ndim != 2 or not len(codes) == len(n) == len(total) == len(squares):
        raise ValueError(f"混合模型：codes 的形状 {codes.shape} 与 {len(n)} 格对不上")
    people = n.sum()
    if not people > 0:
        raise ValueError("混合模型：没有人回答")
    spoken = np.flatnonzero(n > 0)
    mean = total.sum() / people
    spread = max((squares - 2 * mean * total + n * mean**2).sum(), 0.0)  # about the mean
    kinds, places, sizes = _kinds(codes, n)
    columns = np.cumsum([0, *sizes])
    places = places + columns[:-1]
    kind = np.repeat(np.arange(len(kinds)), sizes)
    heard = np.zeros(columns[-1], bool)
    heard[places[spoken]] = True
    number = np.cumsum(heard) - 1
    crossed, moved = _crossed(number[places[spoken]], n[spoken], (total - mean * n)[spoken], int(heard.sum()))
    centre = np.diag(crossed) / people
    crossed -= people * np.outer(centre, centre)
    tau, within, effects, root, parameters, converged, steps = _restricted(crossed, moved, kind[heard], len(kinds), spread, people)
    everywhere = np.zeros(len(heard))
    everywhere[heard] = effects
    fitted = mean - centre @ effects + everywhere[places].sum(1)
    live = tau > 0
    told, known = live[kind], live[kind[heard]]
    left = places[:, live] - np.cumsum(np.r_[0, np.where(live, 0, sizes)].astype(np.int64))[:-1][live]  # places without the effects of kinds that came to nothing
    return CellFit(fitted, within, dict(zip(kinds, tau.tolist())), converged, steps, parameters, people, left, heard[told], centre[known], root[:, known], tau[kind][told])


def variance(fit: CellFit, shares) -> np.ndarray:
    """Posterior variance of weighted sums of cells, `shares` (cells, sums): uncertain effects and intercept, given the variances; those of people's own differences not included.

    >>> fit = fit_cells([[0], [0]], [3, 1], [6, 2], [14, 4])
    >>> bool(np.isclose(variance(fit, [[1], [0]])[0], fit.within / 4))     # one level: the mean of four
    True
    """
    known, silent, whole = _loads(fit, np.asarray(shares, float))
    return fit.within * (whole**2 / fit.people + ((fit.root @ known) ** 2).sum(0)) + fit.tau[~fit.heard] @ silent**2


def uneven(fit: CellFit, pull, n, total, squares) -> np.ndarray:
    """What to add to `variance` where people of some cells differ more than those of others: a yes or no, or a score of three values, differs most in the middle.

    `pull` (cells, sums) is how far a sum moves with one answer (`influence`), `n`, `total` and `squares` as in `fit_cells`. Sums of pull^2 times the squared residual / (1 - leverage)
    (HC2: MacKinnon & White 1985, doi:10.1016/0304-4076(85)90158-7; right on average where people differ alike), less what `variance` counts for them; 0 where that is more already.

    >>> fit = fit_cells([[0], [1]], [4, 4], [16, 32], [66, 258])           # squares about the means: 2 and 2
    >>> uneven(fit, influence(fit, [[0.5], [0.5]]), [4, 4], [16, 32], [66, 258]).round(6).tolist()
    [0.0]
    """
    n, total, squares = (np.asarray(told, float) for told in (n, total, squares))
    spoken = np.flatnonzero(n > 0)
    fitted, n, weight = fit.fitted[spoken], n[spoken], np.asarray(pull, float)[spoken] ** 2
    rest = 1 - leverage(fit, spoken)
    about = np.maximum(squares[spoken] - 2 * fitted * total[spoken] + n * fitted**2, 0)
    told = rest > RANK  # nobody else tells how far a person alone may be off
    return np.maximum(weight.T @ np.where(told, about / np.where(told, rest, 1) - fit.within * n, 0), 0)


def influence(fit: CellFit, shares) -> np.ndarray:
    """How far each weighted sum moves when one person of a cell says 1 more, given the variances: shape (cells, sums).

    Meant for cells in which somebody spoke; times n it adds up to the sum of the shares.
    """
    known, _, whole = _loads(fit, np.asarray(shares, float))
    pull = np.zeros((len(fit.heard), known.shape[1]))
    pull[fit.heard] = fit.root.T @ (fit.root @ known)
    moved = whole / fit.people - fit.centre @ pull[fit.heard] + np.zeros((len(fit.places), 1))
    for place in fit.places.T:
        moved += pull[place]
    return moved


def leverage(fit: CellFit, cells) -> np.ndarray:
    """How far the fitted value of a cell moves when one of its people says 1 more; `cells` are places of cells in which somebody spoke."""
    cells = np.asarray(cells, np.int64)
    covariance = fit.root.T @ fit.root
    number = np.cumsum(fit.heard) - 1
    towards = covariance @ fit.centre
    places = number[fit.places[cells]]
    found = np.full(len(cells), 1 / fit.people + fit.centre @ towards)
    for kind in range(places.shape[1]):
        found += covariance[places[:, kind], places[:, kind]] - 2 * towards[places[:, kind]]
        found += 2 * covariance[places[:, [kind]], places[:, kind + 1:]].sum(1)
    return found


def _kinds(codes: np.ndarray, n: np.ndarray) -> tuple[list[tuple[int, ...]], np.ndarray, list[int]]:
    """The kinds of effects, the place of every cell among those of each kind, and how many there are; a covariate with one level has no effect."""
    levels = codes.max(0) + 1 if len(codes) else np.zeros(codes.shape[1], int)
    spoken = n > 0
    several = [at for at in range(codes.shape[1]) if len(np.unique(codes[:, at])) > 1]
    kinds, places, sizes = [(at,) for at in several], [codes[:, at] for at in several], [int(levels[at]) for at in several]
    pairs = []
    for pair in combinations(several, 2):
        known, place = np.unique(codes[:, pair[0]] * levels[pair[1]] + codes[:, pair[1]], return_inverse=True)
        pairs.append((len(np.unique(place[spoken])), pair, place, len(known)))
    width = sum(len(np.unique(codes[spoken, at])) for at in several)
    for occupied, pair, place, size in sorted(pairs, key=lambda found: (found[0], found[1])):
        if n.sum() >= TOGETHER * occupied and width + occupied <= LARGEST:
            kinds, places, sizes, width = [*kinds, pair], [*places, place], [*sizes, size], width + occupied
    return kinds, np.column_stack(places) if places else np.zeros((len(codes), 0), np.int64), sizes


def _crossed(places: np.ndarray, n: np.ndarray, moved: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """People who share two effects, and what the people of each effect add up to."""
    upper = np.zeros(width * width)
    for kind in range(places.shape[1]):
        both = places[:, [kind]] * width + places[:, kind:]
        upper += np.bincount(both.ravel(), np.repeat(n, both.shape[1]), width * width)
    upper = upper.reshape(width, width)
    sums = np.bincount(places.ravel(), np.repeat(moved, places.shape[1]), width) if places.size else np.zeros(width)
    return upper + upper.T - np.diag(np.diag(upper)), sums


def _restricted(crossed, moved, kind, kinds: int, spread: float, people: float):
    """Variances at the top of the restricted likelihood: (by kind, within, effects, root, effective parameters, converged, steps)."""
    if not (spread > 0 and people > 2 and kinds):
        return np.zeros(kinds), spread / max(people - 1, 1), np.zeros(len(kind)), np.zeros((0, len(kind))), 1.0, True, 0
    least, damped, highest, here, settled = ALONE * spread / people, 0.0, -np.inf, None, False
    tau, within = np.full(kinds, START * spread / people), spread / people
    for step in range(1, STEPS + 1):
        of = kind[inside := np.flatnonzero(tau[kind] > 0)]
        part = crossed[np.ix_(inside, inside)] if len(inside) < len(kind) else crossed
        scale = np.sqrt(tau[of] / within)
        lower, inverse = _factored(part * np.outer(scale, scale))
        effects = scale * (inverse @ (scale * moved[inside]))
        explained = moved[inside] @ effects
        height = -0.5 * ((people - 1) * np.log(within) + 2 * np.log(np.diag(lower)).sum() + (spread - explained) / within)
        if step > 1 and not height >= highest - SETTLED:
            damped = max(damped * LONGER, LEAST_DAMPED)
        else:
            settled = step > 1 and height <= highest + SETTLED and damped < 1
            known = np.bincount(of, 1 - np.diag(inverse), kinds)  # effective parameters
            if settled:
                break
            left = max(spread - 2 * explained + effects @ (part @ effects), 0.0)
            between = np.divide(np.bincount(of, effects**2, kinds), tau, out=np.zeros(kinds), where=tau > 0) - known
            here = np.where(known < NOTHING, 0, tau), within, _information(inverse, of, kinds, people), np.append(between, left / within - (people - 1 - known.sum()))
            highest, damped = height, damped / LONGER if damped > LEAST_DAMPED else 0.0
        move = _step(*here[2:], damped)
        tau, within = here[0] * np.exp(move[:-1]), max(here[1] * np.exp(move[-1]), least)
    everywhere, root = np.zeros(len(kind)), np.zeros((len(inside), len(kind)))
    everywhere[inside], root[:, inside] = effects, (lapack.dtrtri(lower, lower=1)[0] if len(lower) else lower) * scale
    return tau, float(within), everywhere, root, float(1 + known.sum()), settled, step


def _information(inverse: np.ndarray, kind: np.ndarray, kinds: int, people: float) -> np.ndarray:
    """Twice the expected information about the log variances (the last: within), all of it sums of squares of the inverse."""
    known = -inverse
    known[np.diag_indices_from(known)] += 1
    by_kind = np.zeros((len(kind), kinds))
    by_kind[np.arange(len(kind)), kind] = 1
    crossed = by_kind.T @ (known**2) @ by_kind
    told = np.diag(known) @ by_kind - crossed.sum(1)
    return np.block([[crossed, told[:, None]], [told[None, :], np.array([[people - 1 - 2 * np.trace(known) + crossed.sum()]])]])


def _step(information: np.ndarray, slope: np.ndarray, damped: float) -> np.ndarray:
    """Fisher scoring, damped as Levenberg and Marquardt do: the more, the nearer to the slope alone, which goes up for certain."""
    size = np.sqrt(np.maximum(np.diag(information), 1e-300))
    scaled = information / np.outer(size, size) + damped * np.eye(len(size))
    return np.clip(np.linalg.lstsq(scaled, slope / size, rcond=RANK)[0] / size, -FARTHEST, FARTHEST)


def _factored(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lower root of 1 + matrix, and the inverse of the whole."""
    matrix[np.diag_indices_from(matrix)] += 1
    if not len(matrix):
        return matrix, matrix  # one kind of customer only: LAPACK complains of nothing to do
    lower, failed = lapack.dpotrf(matrix, lower=1, clean=1)
    if failed:
        raise ValueError("混合模型：方程组不是正定的，请核对每格的人数")
    inverse = lapack.dpotri(lower, lower=1)[0]
    return lower, inverse + np.tril(inverse, -1).T


def _loads(fit: CellFit, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What each effect heard (about its mean) and each silent one weighs in the sums, and what the shares add up to."""
    loads = np.zeros((len(fit.heard), shares.shape[1]))
    for at, share in enumerate(shares.T):
        for place in fit.places.T:
            loads[:, at] += np.bincount(place, share, len(fit.heard))
    whole = shares.sum(0)
    return loads[fit.heard] - np.outer(fit.centre, whole), loads[~fit.heard], whole

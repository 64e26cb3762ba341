"""Crossed effects on cells: the balanced case by hand, the dense posterior as reference, the top of the likelihood, laws, planted variances."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import optimize

from voc_lib.stats import mixed
from voc_lib.stats.mixed import fit_cells, influence, leverage, uneven, variance


def sums(codes, y):
    """Cells of single people: codes and sums."""
    cells, place = np.unique(codes, axis=0, return_inverse=True)
    return cells, *(np.bincount(place.ravel(), weights, len(cells)) for weights in (None, y, y**2))


def planted(seed=3, people=1500, levels=(5, 4, 3), spread=(0.8, 0.5, 0.0), pair=0.4, own=1.0):
    lots = np.random.default_rng(seed)
    codes = np.column_stack([lots.integers(0, size, people) for size in levels])
    effects = [lots.normal(0, s, size) for s, size in zip(spread, levels)]
    both = lots.normal(0, pair, levels[:2])
    y = 5 + sum(effect[codes[:, at]] for at, effect in enumerate(effects)) + both[codes[:, 0], codes[:, 1]] + lots.normal(0, own, people)
    return codes, y


def dense(codes, n, fit):
    """Columns of all effects with their variances, by hand."""
    columns, spread = [], []
    for kind, tau in fit.between.items():
        levels = np.unique(codes[:, list(kind)], axis=0)
        for level in levels:
            columns.append((codes[:, list(kind)] == level).all(1))
            spread.append(tau)
    return np.array(columns, float).T, np.array(spread)


def test_balanced_groups_by_hand():
    # three groups of four; means 2, 5, 8; within each squares about the mean add to 6: MSW = 18/9 = 2, MSB = 4 * 18 / 2 = 36, variance of groups (36 - 2) / 4 = 8.5
    fit = fit_cells([[0], [1], [2]], [4, 4, 4], [8, 20, 32], [22, 106, 262])
    assert fit.converged and fit.within == pytest.approx(2, rel=1e-3) and fit.between[0,] == pytest.approx(8.5, rel=2e-3)
    shrunk = 4 * 8.5 / (4 * 8.5 + 2)
    assert fit.fitted == pytest.approx([5 - 3 * shrunk, 5, 5 + 3 * shrunk], rel=1e-4)


def test_groups_that_differ_less_than_people_do_are_one():
    fit = fit_cells([[0], [1], [2]], [4, 4, 4], [20, 20.4, 19.6], [140, 144, 136])
    assert fit.between[0,] == 0 and fit.converged and fit.fitted == pytest.approx([5, 5, 5]) and fit.parameters == 1
    spread = (140 + 144 + 136 - 12 * 25) / 11
    assert fit.within == pytest.approx(spread) and variance(fit, [[1], [0], [0]])[0] == pytest.approx(spread / 12)


def test_fit_and_variance_are_the_dense_posterior():
    codes, y = planted(people=300)
    every = np.array([(a, b, c) for a in range(6) for b in range(4) for c in range(3)])  # level 5 of the first has nobody
    cells, n, total, squares = sums(codes, y)
    place = {tuple(cell): at for at, cell in enumerate(cells.tolist())}
    n, total, squares = (np.array([column[place[tuple(cell)]] if tuple(cell) in place else 0.0 for cell in every.tolist()]) for column in (n, total, squares))
    fit = fit_cells(every, n, total, squares)
    z, spread = dense(every, n, fit)
    used = spread > 0
    z, spread = z[:, used], spread[used]
    design = np.column_stack([np.ones(len(every)), z])
    precision = (design * n[:, None]).T @ design / fit.within + np.diag(np.r_[0, 1 / spread])
    covariance = np.linalg.inv(precision)
    assert design @ (covariance @ (design.T @ total / fit.within)) == pytest.approx(fit.fitted, rel=1e-8)
    shares = np.random.default_rng(1).uniform(size=(len(every), 3))
    loads = design.T @ shares
    assert variance(fit, shares) == pytest.approx(np.einsum("pk,pq,qk->k", loads, covariance, loads), rel=1e-8)
    spoken = np.flatnonzero(n)
    assert influence(fit, shares)[spoken] == pytest.approx(design[spoken] @ covariance @ loads / fit.within, rel=1e-8, abs=1e-12)
    assert leverage(fit, spoken) == pytest.approx(np.einsum("cp,pq,cq->c", design[spoken], covariance, design[spoken]) / fit.within, rel=1e-8)


def test_variances_are_at_the_top_of_the_restricted_likelihood():
    codes, y = planted(people=160, levels=(5, 4), spread=(0.8, 0.5))
    fit = fit_cells(*sums(codes, y))
    kinds = [(0,), (1,), (0, 1)]
    shared = [(codes[:, None, list(kind)] == codes[None, :, list(kind)]).all(2).astype(float) for kind in kinds]

    def lacking(logs):
        v = sum(np.exp(one) * same for one, same in zip(logs, shared)) + np.exp(logs[-1]) * np.eye(len(y))
        inverse = np.linalg.inv(v)
        ones = inverse.sum(1)
        return np.linalg.slogdet(v)[1] / 2 + np.log(ones.sum()) / 2 + (y @ inverse @ y - (ones @ y) ** 2 / ones.sum()) / 2

    ours = lacking(np.log([*(max(fit.between[kind], 1e-9) for kind in kinds), fit.within]))
    assert ours == pytest.approx(optimize.minimize(lacking, np.log([1, 1, 0.1, 1]), method="Nelder-Mead", options={"maxiter": 400}).fun, abs=2e-3)


def test_shift_scale_order_and_split_cells_change_nothing():
    codes, y = planted(people=400)
    cells, n, total, squares = sums(codes, y)
    fit = fit_cells(cells, n, total, squares)
    moved = fit_cells(*sums(codes, 100 + 7 * y))
    assert moved.fitted == pytest.approx(100 + 7 * fit.fitted, rel=1e-6) and moved.within == pytest.approx(49 * fit.within, rel=1e-4)
    turned = np.random.default_rng(0).permutation(len(n))
    assert fit_cells(cells[turned], n[turned], total[turned], squares[turned]).fitted == pytest.approx(fit.fitted[turned], rel=1e-8)
    single = fit_cells(codes, np.ones(len(y)), y, y**2)  # a cell per person
    assert single.within == pytest.approx(fit.within, rel=1e-6) and single.fitted == pytest.approx(fit.fitted[np.unique(codes, axis=0, return_inverse=True)[1].ravel()], rel=1e-6)
    with_one = fit_cells(np.column_stack([cells, np.zeros(len(n), int)]), n, total, squares)
    assert with_one.fitted == pytest.approx(fit.fitted) and list(with_one.between) == list(fit.between)


def test_what_an_answer_counts_adds_up():
    codes, y = planted(people=300)
    cells, n, total, squares = sums(codes, y)
    fit, shares = fit_cells(cells, n, total, squares), np.full((len(n), 1), 1 / len(n))
    counts = influence(fit, shares)[:, 0]
    assert n @ counts == pytest.approx(1) and counts @ total == pytest.approx(fit.fitted.mean())
    alone = np.eye(len(n))
    assert leverage(fit, np.arange(len(n))) == pytest.approx(np.diag(influence(fit, alone))) and n @ leverage(fit, np.arange(len(n))) == pytest.approx(fit.parameters)


def test_people_who_differ_more_in_some_cells_widen_sums_that_lean_on_them():
    # two cells of four: squares about the means 2 and 200, leverages near 1/4 each, so squared residuals / (3/4) are 8/3 and 800/3
    n, total = np.array([4.0, 4.0]), np.array([400.0, 800.0])
    squares = total**2 / 4 + [2, 200]
    fit = fit_cells([[0], [1]], n, total, squares)
    assert fit.within == pytest.approx(202 / 6)
    for cell, more in ((0, 0), (1, (800 / 3 - 4 * 202 / 6) / 16)):  # of the calmer cell the mean is surer than said: nothing is taken away
        assert uneven(fit, influence(fit, np.eye(2)[:, [cell]]), n, total, squares).item() == pytest.approx(more, rel=0.02, abs=1e-9)


def test_planted_variances_come_back():
    found = [fit_cells(*sums(*planted(seed, 4000, (12, 10, 8), (0.8, 0.5, 0.0), 0.4, 1.0))) for seed in range(6)]
    assert all(fit.converged for fit in found)
    assert np.mean([fit.between[0,] for fit in found]) == pytest.approx(0.64, rel=0.35) and np.mean([fit.between[0, 1] for fit in found]) == pytest.approx(0.16, rel=0.15)
    assert max(fit.between[2,] for fit in found) < 0.02 and np.mean([fit.within for fit in found]) == pytest.approx(1, rel=0.03)


def test_pairs_need_people_and_room(monkeypatch):
    codes, y = planted(people=14, levels=(4, 4), spread=(1, 1))
    assert (0, 1) not in fit_cells(*sums(codes, y)).between           # 14 people on some ten combinations
    codes, y = planted(people=600)
    assert set(fit_cells(*sums(codes, y)).between) == {(0,), (1,), (2,), *combinations(range(3), 2)}
    monkeypatch.setattr(mixed, "LARGEST", 12 + 12 + 15)
    assert set(fit_cells(*sums(codes, y)).between) == {(0,), (1,), (2,), (1, 2), (0, 2)}  # 5 x 4 has no room any more


def test_few_people_and_people_who_all_say_the_same():
    for seed in range(8):
        codes, y = planted(seed, people=30)
        fit = fit_cells(*sums(codes, y))
        assert fit.converged and np.isfinite(fit.fitted).all() and fit.within > 0 and abs(fit.fitted.mean() - y.mean()) < 1
    same = fit_cells([[0], [1]], [3, 2], [12, 8], [48, 32])
    assert same.fitted.tolist() == [4, 4] and same.within == 0 and same.converged


def test_what_does_not_fit_is_said():
    with pytest.raises(ValueError, match="没有人回答"):
        fit_cells([[0], [1]], [0, 0], [0, 0], [0, 0])
    with pytest.raises(ValueError, match="对不上"):
        fit_cells([[0], [1]], [1], [1], [1])

"""Figures for all customers held against what every visitor of a planted world would have answered."""

from __future__ import annotations

import polars as pl
import pytest

from voc_lib.evaluate import evaluate_answers
from voc_lib.evaluate.silent import _metric, truth_of
from voc_lib.measure import metrics


def visits(*rows):
    return pl.DataFrame(rows, schema={"iso_week": pl.String, "customer_id": pl.String, "nps": pl.Float64}, orient="row")


def test_the_truth_counts_a_person_once():
    # ann 100 and 0, averaged 50; bob -100; cat came in another week
    rows = visits(("2026-W01", "ann", 9), ("2026-W02", "ann", 7), ("2026-W01", "bob", 3), ("2026-W09", "cat", 10))
    assert truth_of(rows, metrics.metric("nps"), ["2026-W01", "2026-W02"]) == -25
    assert truth_of(rows, metrics.metric("nps"), ["2026-W05"]) is None


def test_what_is_said_of_two_windows_by_hand():
    def window(heard, weighted, low, high, least, most):
        return pl.DataFrame([("heard", heard, None, None), ("heard_linked", heard, None, None), ("weighted", weighted, low, high), ("range", None, least, most)],
                            schema={"kind": pl.String, "estimate": pl.Float64, "conf_low": pl.Float64, "conf_high": pl.Float64}, orient="row")

    rows = visits(("2026-W01", "ann", 10), ("2026-W02", "bob", 0))  # truth: 100, then -100
    windows = [(["2026-W01"], window(40, 80, 70, 90, 60, 100)), (["2026-W02"], window(-40, -80, -120, -40, -130, 0))]
    times, holds, ranged = _metric(metrics.metric("nps"), rows, windows)
    assert times[1] == pytest.approx(3) and (holds[1], ranged[1]) == (0.5, 1.0) and "2 段" in holds[3]
    hidden = [(weeks, found.with_columns(pl.when(pl.col("kind") != "weighted").then(pl.col(name)).alias(name) for name in ("estimate", "conf_low", "conf_high"))) for weeks, found in windows]
    assert [row[0] for row in _metric(metrics.metric("nps"), rows, hidden)] == ["折算：净推荐值的沉默影响区间含真值"]  # no single figure was given


def test_a_planted_world_is_judged(small_world, monkeypatch, tmp_path):
    monkeypatch.setenv("VOC_HOME", str(small_world))
    found = {row["measure"]: row for row in evaluate_answers("sample").iter_rows(named=True)}
    ranges = [row["found"] for measure, row in found.items() if "沉默影响区间" in measure]
    assert len(ranges) == 3 and min(ranges) >= 0.5 and {row["reach"] for row in found.values()} == {None}  # four windows of some twenty answers
    assert evaluate_answers("sample", tmp_path).is_empty()  # a world that does not tell

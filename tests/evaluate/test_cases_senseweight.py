"""The case of senseweight: the shared one agrees to 1e-6; any other survey laid out the same way is read by the names in its targets."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from voc_lib.evaluate.cases_senseweight import senseweight_rows
from voc_lib.evaluate.found import EvaluateError


def test_every_figure_of_the_package_is_found(shared):
    folder = shared / "cases" / "weighting" / "senseweight"
    if not folder.is_dir():
        pytest.skip("旁边的 shared/ 里没有 cases")
    rows = list(senseweight_rows(folder))
    assert max(difference for *_, difference, _ in rows) < 1e-6
    want = json.loads((folder / "expected.json").read_text("utf-8"))
    assert len(rows) == 1 + len(want["summary"][0]) + 3 * len(want["benchmark"]) + 4 and all(row[0] == "senseweight" for row in rows)


def write(folder, people, **told):
    folder.mkdir()
    people.write_csv(folder / "survey.csv")
    (folder / "expected.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    return folder


PEOPLE = pl.DataFrame({"score": [1.0, 2, 4, 5, 7, 9], "age": [30.0, 40, 50, 35, 45, 60], "age_group": ["y", "y", "o", "y", "o", "o"], "member": [True, False, True, True, False, False]})


def test_names_are_read_off_the_targets(tmp_path):
    """A column that is the beginning of another one's name, truth values in R's capitals, a mean, an answer under any name, and a threshold of the case."""
    folder = write(tmp_path / "panel", PEOPLE, targets={"(Intercept)": 1, "age_groupy": 0.4, "age": 44, "memberTRUE": 0.55}, summary={"RV": 0.1, "Estimate": 4, "SE": 1}, n=6, **{"bias_rho-.5_R2.2": 0.5, "odd": 1}, threshold=3)
    rows = {row[1]: row for row in senseweight_rows(folder)}
    assert list(rows) == ["Estimate", "SE", "RV", "n", "bias_rho-.5_R2.2", "odd"] and rows["n"][0] == "senseweight/panel" and rows["odd"][5] == "不认识这个例子"
    assert rows["RV"][5] is None and rows["bias_rho-.5_R2.2"][3] < 0
    # the margins are met: solve for the weights of the four covariates by hand from what the estimate must be
    from voc_lib.measure.weighting.weights import calibrate

    frame = calibrate(PEOPLE, {"age_group": {"y": 2400, "o": 3600}, "age": 44 * 6000, "member": {"true": 3300, "false": 2700}})
    assert rows["Estimate"][3] == pytest.approx(float(np.average(PEOPLE["score"], weights=frame["weight"])))


def test_a_share_without_a_threshold_is_held_against_half_and_that_is_said(tmp_path):
    people = PEOPLE.select((pl.col("score") > 4).cast(pl.Int64).alias("Y"), "age_group", pl.lit("x").alias("unused"))
    rows = list(senseweight_rows(write(tmp_path / "poll", people, targets={"age_groupy": 0.4}, summary=[{"RV": 0.1}])))
    assert rows[0][5] == "例子没有记下门槛，这里用 0.5"


def test_a_table_that_does_not_fit_is_said(tmp_path):
    with pytest.raises(EvaluateError, match="目标「cityB」不是表里任何一列的一层"):
        list(senseweight_rows(write(tmp_path / "one", PEOPLE, targets={"cityB": 0.5})))
    with pytest.raises(EvaluateError, match="不知道哪一列是回答"):
        list(senseweight_rows(write(tmp_path / "two", PEOPLE, targets={"age_groupy": 0.4})))
    with pytest.raises(EvaluateError, match="有 2 层没有目标"):
        list(senseweight_rows(write(tmp_path / "three", PEOPLE.select("score", pl.Series("city", list("aabbcc"))), targets={"citya": 0.4})))
    (tmp_path / "two" / "second.csv").write_text("a\n1\n", encoding="utf-8")
    with pytest.raises(EvaluateError, match="现在有 2 张"):
        list(senseweight_rows(tmp_path / "two"))

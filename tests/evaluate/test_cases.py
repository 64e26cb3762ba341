"""`voc evaluate --cases`: figures agree with R survey, what nobody knows here is a line, and a folder without cases is an error."""

from __future__ import annotations

import gzip
import json
from functools import lru_cache

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from voc_lib.cli import app
from voc_lib.evaluate import EvaluateError
from voc_lib.evaluate.cases import evaluate_cases
from voc_lib.evaluate.cases_api import NOT_CASES
from voc_lib.evaluate.cases_paper import ESTIMATORS, VARIANCE, draw, paper_rows
from voc_lib.evaluate.found import UNKNOWN

CLOSE = 1e-6
LOOSE = {"api/pub_rclus1r_jkn": 1e-4, "api/srs_calibrate_logit_bounds_0.5_2.5_w1": 0.02}  # R stops its replicates after four rounds; R leaves its own bounds: both said in the note
SIMULATED, REPETITIONS, SURPRISE = "kang_schafer/", 40, 4


@pytest.fixture
def cases(shared):
    if not (shared / "cases").is_dir():
        pytest.skip("旁边的 shared/ 里没有 cases")
    return shared / "cases"


@pytest.fixture
def figures(cases):
    return computed_once(cases)


@lru_cache
def computed_once(folder):
    return evaluate_cases(folder, REPETITIONS)


def test_every_figure_agrees_with_r(figures):
    computed = figures.filter(~pl.col("case").str.starts_with(SIMULATED))
    assert computed.height > 280
    close = pl.col("case").replace_strict(LOOSE, default=CLOSE, return_dtype=pl.Float64)
    assert computed.filter(pl.col("difference").is_null() | ~(pl.col("difference") < close)).to_dicts() == []
    assert computed.filter(pl.col("case").is_in(list(LOOSE)))["note"].null_count() == 0


def test_simulations_differ_as_two_simulations_do(figures):
    ours = figures.filter(pl.col("case").str.starts_with(SIMULATED) & pl.col("found").is_not_null())
    assert ours.height == 8 * 6 and set(ours["quantity"]) == {f"RMSE {name}" for name in ESTIMATORS}
    calm = ours.filter(pl.col("quantity") != "RMSE ipw_hajek")  # of which a few draws make the whole
    unsure = calm["note"].str.extract(r"会差 ([\d.]+)%").cast(pl.Float64) / 100
    assert (calm["difference"] < SURPRISE * unsure).all() and (unsure < 0.2).all()


def test_every_case_is_there(figures, cases):
    told = json.loads((cases / "weighting" / "api" / "expected.json").read_text("utf-8"))
    assert {f"api/{case}" for case in told if case not in NOT_CASES} <= {"/".join(case.split("/")[:2]) for case in figures["case"]}
    assert figures.filter(pl.col("note") == UNKNOWN).to_dicts() == []


def test_the_weights_of_simulated_customers_agree(figures):
    for group in ("mar_main", "mar_inter", "mnar_angry"):
        assert figures.filter(pl.col("case") == f"simvoc/{group}").height == 25


def test_the_people_of_the_paper_are_as_it_says():
    z, seen, y, speaks = draw(40_000, np.random.default_rng(1))
    assert y.mean() == pytest.approx(210, abs=0.8) and y.var() == pytest.approx(VARIANCE, rel=0.03) and speaks.mean() == pytest.approx(0.5, abs=0.01)
    assert y[speaks].mean() == pytest.approx(200, abs=1)  # Kang & Schafer: half speak, ten too low
    assert seen[:, 0] == pytest.approx(np.exp(z[:, 0] / 2))


def test_a_setting_of_the_paper_without_a_measured_file(tmp_path):
    file = tmp_path / "kang_schafer_measured.json"
    file.write_text(json.dumps({"n200_pok_ywrong": {"rake": {"rmse": 2.6, "reps": 100}, "ipw_ht": {"rmse": 13.0, "reps": 100}, "_fails": {}}, "seconds": 3}), "utf-8")
    ours, theirs = paper_rows(file, 30)
    assert ours[:3] == ("kang_schafer/n200_pok_ywrong", "RMSE rake", 2.6) and 2 < ours[3] < 3.2 and ours[4] == pytest.approx(abs(ours[3] / 2.6 - 1))
    assert theirs[1:5] == ("RMSE ipw_ht", 13.0, None, None) and "这里没有" in theirs[5]


def test_a_folder_without_cases_is_an_error(tmp_path):
    with pytest.raises(EvaluateError, match="没有认识的例子.*weighting/api"):
        evaluate_cases(tmp_path)
    (tmp_path / "topics").mkdir()
    with pytest.raises(EvaluateError, match="没有认识的例子"):
        evaluate_cases(tmp_path)


def test_the_command_prints_rows_for_people_and_machines(tmp_path):
    place = tmp_path / "weighting" / "simvoc"
    place.mkdir(parents=True)
    pl.DataFrame({"region": [0, 1], "N": [60, 40]}).write_csv(place / "population_cells.csv")
    people = pl.DataFrame({"region": [0, 0, 1, 1], "y": [1.0, 3.0, 5.0, 9.0]})
    (place / "speakers_few.csv.gz").write_bytes(gzip.compress(people.write_csv().encode()))
    # by hand: 0.6 * 2 + 0.4 * 7 = 4; R would have said 5 here
    (place / "expected_R_raking.json").write_text(json.dumps({"few": {"mean": {"y": 5.0}, "by_region": {"mean": [2.0, 7.0], "se": [1.0, 2.0]}}}), "utf-8")
    (tmp_path / "topics").mkdir()
    done = CliRunner().invoke(app, ["evaluate", "--cases", str(tmp_path), "--json"])
    assert done.exit_code == 0, done.output
    found = {row["quantity"]: row for row in json.loads(done.stdout)["figures"]}
    assert found["mean y"]["found"] == pytest.approx(4) and found["mean y"]["difference"] == pytest.approx(0.2)
    assert found["mean y region=1"]["found"] == pytest.approx(7) and found[None]["note"] == UNKNOWN and found[None]["case"] == "topics"
    table = CliRunner().invoke(app, ["evaluate", "--cases", str(tmp_path)]).stdout
    assert "simvoc/few" in table and "2.0e-01" in table and UNKNOWN in table

"""The measures of coding: pair F1 by hand, complaints as laid out in the public set, and what is missing is said."""

from pathlib import Path

import polars as pl
import pytest

from voc_lib.enrich.domain import load_domain
from voc_lib.evaluate.real_codes import code_measures, pair_f1, primary_leaves, single_fault, without_car

PROJECT = Path(__file__).parents[2]
REAL = PROJECT.parent / "shared" / "data"


@pytest.fixture(scope="module")
def auto():
    return load_domain(PROJECT / "data" / "domains", "auto")


def complaints():
    return pl.DataFrame(
        [
            ("1", "甲牌", "一号", "甲牌一号变速箱漏油", "B22,"),
            ("2", "甲牌", "一号", "一号变速箱渗油", "B22,"),
            ("3", "乙牌", "二号", "乙牌二号天窗异响", "H89,"),
            ("4", "乙牌", "二号", "空调不凉且异响", "H1,H2,"),  # two faults: not in
            ("5", "乙牌", "二号", "无故障码", ""),
        ],
        schema=["id", "brand", "car_model", "desc", "problem"],
        orient="row",
    )


def test_pair_f1_by_hand():
    # true pairs: ab ac bc; found pairs: ab cd; in common: ab. 2 x 1 / (3 + 2)
    assert pair_f1(["1", "1", "1", "2"], ["x", "x", "y", "y"]) == pytest.approx((0.4, 0.5, 1 / 3))
    assert pair_f1(["1", "1"], ["x", "x"]) == (1.0, 1.0, 1.0)
    assert pair_f1(["1", "2"], ["x", "y"]) == (0.0, 0.0, 0.0)
    assert pair_f1([], []) == (0.0, 0.0, 0.0)


def test_complaints_with_one_fault_and_without_their_car():
    found = single_fault(complaints())
    assert found["text"].to_list() == ["变速箱漏油", "变速箱渗油", "天窗异响"]
    assert found["fault"].to_list() == ["B22", "B22", "H89"]
    assert set(found["half"]) <= {0, 1}
    assert without_car(None, "一号", None) == ""


def test_an_unmapped_text_is_a_leaf_of_its_own(auto):
    texts = pl.DataFrame({"feedback_id": ["a", "b", "c", "d"], "text": ["变速箱漏油", "变速器渗油", "嗯嗯", "嗯嗯"]})
    leaves = primary_leaves(texts, auto)["leaf"].to_list()
    assert leaves == ["变速箱-本体-漏油", "变速箱-本体-漏油", "未归类#c", "未归类#d"]


def test_a_folder_is_measured_and_what_is_missing_is_said(tmp_path, auto):
    (tmp_path / "chezhiwang").mkdir()
    complaints().write_csv(tmp_path / "chezhiwang" / "_union_2020.csv")
    found = code_measures(tmp_path, None, None, auto)
    assert (found[0]["found"], found[0]["reach"], found[0]["stretch"]) == (1.0, 0.5, 0.65)
    assert [row["note"] for row in found if "跳过" in row["note"]] == ["没有 bdci2018_car/train.csv，跳过"]
    assert [row["found"] for row in code_measures(tmp_path / "nothing", None, None, auto)] == [None, None]


@pytest.mark.skipif(not REAL.exists(), reason="没有公开数据文件夹 ../shared/data")
def test_real_complaints_reach_what_was_asked(auto):
    real = single_fault(pl.read_csv(REAL / "chezhiwang" / "_union_2020.csv", infer_schema_length=0))
    held = primary_leaves(real.filter(pl.col("half") == 1), auto)
    assert pair_f1(held["fault"].to_list(), held["leaf"].to_list())[0] >= 0.5

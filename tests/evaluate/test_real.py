"""`voc evaluate --real`: a folder laid out like the public data is measured, a missing part is a line, and truth never leaks."""

import json

import numpy as np
import polars as pl
import pytest

from voc_lib.cli import app
from voc_lib.enrich.feelings_tuned import fit_start
from voc_lib.evaluate import EvaluateError, real_bank, real_stars
from voc_lib.evaluate.real import evaluate_real
from voc_lib.evaluate.real_parts import FOLDS, fold_of, read_part
from voc_lib.evaluate.real_subjects import Comments

GOOD, BAD = ["很好用，很喜欢", "连接快，界面漂亮", "非常满意，推荐"], ["总是闪退，太差了", "绑定不上，浪费时间", "更新以后根本打不开"]


def encode(texts):
    return np.array([[text.count(letter) for letter in "好快差不闪退"] for text in texts], dtype=np.float32)


def app_store(folder, name, low, high):
    rows = [(1, "", f"{BAD[at % 3]}{at}") for at in range(low)] + [(5, "", f"{GOOD[at % 3]}{at}\n开发者回复：很差很抱歉") for at in range(high)]
    (folder / "appstore").mkdir(parents=True, exist_ok=True)
    pl.DataFrame(rows, schema=["评级", "标题", "内容"], orient="row").write_csv(folder / "appstore" / f"{name}.csv")


def test_an_empty_folder_is_a_line_for_each_part_and_a_missing_one_an_error(tmp_path):
    found = evaluate_real(tmp_path)
    assert found["found"].null_count() == found.height >= 4
    assert found["note"].str.contains("跳过").all()
    with pytest.raises(EvaluateError, match="没有文件夹"):
        evaluate_real(tmp_path / "nowhere")


def test_the_command_prints_the_table_for_machines(tmp_path):
    from typer.testing import CliRunner

    said = CliRunner().invoke(app, ["evaluate", "--real", str(tmp_path), "--json"])
    assert said.exit_code == 0
    assert {"measure", "found", "reach", "stretch", "note", "seconds"} == set(json.loads(said.stdout)["measures"][0])


def test_a_column_that_is_missing_is_named(tmp_path):
    (tmp_path / "a.csv").write_text("甲,乙\n1,2\n", "utf-8")
    with pytest.raises(EvaluateError, match="缺少列：丙；现有：甲、乙"):
        read_part(tmp_path, "a.csv", ("甲", "丙"))


def test_the_same_text_is_always_in_the_same_fold():
    texts = [f"第{at}条" for at in range(200)]
    assert np.array_equal(fold_of(texts)[:50], fold_of(texts[:50]))
    assert set(fold_of(texts)) == set(range(FOLDS))


def test_stars_are_told_apart_and_the_shop_s_own_words_are_not_read(tmp_path, monkeypatch):
    reviews = [f"{thing}{said}" for thing in ("书", "酒店", "快递") for said in (*BAD, *GOOD)]
    start = fit_start(reviews, np.array([int(any(said in text for said in BAD)) for text in reviews]))
    monkeypatch.setattr(real_stars, "start_sense", lambda: start)  # the real one takes minutes
    app_store(tmp_path, "甲", 80, 160)
    app_store(tmp_path, "乙", 60, 160)
    found = {row["measure"]: row for row in real_stars.star_measures(tmp_path, None, encode)}
    assert found["低星 AUC，不用标注，最差的应用"]["found"] > 0.9
    assert found["低星 AUC，在别的应用上学，最差的应用"]["found"] > 0.95
    assert 0.9 < found["抽检 100 条后低星份额：区间含真值的比例，最差的应用"]["found"] <= 1
    assert all("开发者回复" not in text for texts, _ in real_stars._apps(tmp_path).values() for text in texts)


def test_bank_comments_are_held_beside_their_baseline(tmp_path):
    rows = [(f"{words}{at}", sign) for at in range(12) for sign, said in (("0", BAD), ("1", GOOD), ("2", ["利率是多少", "几号还款呢", "怎么办卡"])) for words in said]
    (tmp_path / "bdci2021_bank").mkdir()
    pl.DataFrame(rows, schema=["text", "class"], orient="row").write_csv(tmp_path / "bdci2021_bank" / "train.csv")
    (row,) = real_bank.bank_measures(tmp_path, tmp_path, encode)
    assert row["found"] > 0.95 and row["reach"] > 0.9


def test_comments_have_a_mention_per_subject():
    rows = pl.DataFrame({"content": ["甲", "甲", "乙", "甲"], "subject": ["油耗", "外观", "油耗", "油耗"], "sentiment_value": ["-1", "1", "0", "1"]})
    comments = Comments(rows)
    assert comments.texts == ["甲", "乙"] and comments.subjects == [{"油耗", "外观"}, {"油耗"}]
    assert comments.part(np.array([1])) == (["乙"], [{"油耗"}], pytest.approx(np.array([0])), ["油耗"], ["neutral"])

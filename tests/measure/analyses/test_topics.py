"""A look around without codes: planted themes are found again, kept in the store without changing it, and drawn without a model."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

import voc_lib as voc
from voc_lib.enrich.domain import load_domain
from voc_lib.enrich.exploration import cut_words, explore_texts
from voc_lib.measure.analyses import topics as room
from voc_lib.settings import settings

THEMES = {"刹车": "踩刹车的时候吱吱响", "座椅": "座椅又硬又窄坐久了腰疼", "导航": "导航地图老是卡住不动", "空调": "空调出风有霉味",
          "钥匙": "钥匙到了车边开不了门", "轮胎": "轮胎侧面鼓了个包", "大灯": "晚上大灯太暗看不清路", "充电": "充电充到一半跳枪"}
EACH = 20


@pytest.fixture
def domain(home):
    return load_domain(settings().domains, "auto")


@pytest.fixture
def planted():
    """160 texts of eight themes and vectors that lie around eight far corners."""
    dice = np.random.default_rng(3)
    texts = [f"{words}，第{at}次" for words in THEMES.values() for at in range(EACH)]
    corners = np.repeat(np.eye(8, 16, dtype=np.float32), EACH, axis=0)
    vectors = corners + dice.normal(0, 0.02, corners.shape).astype(np.float32)
    return texts, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_planted_themes_are_found_again_with_their_words(planted, domain):
    points, tree = explore_texts(*planted, domain, smallest=10, seed=1)
    assert points.height == 8 * EACH and tree.filter(pl.col("distance") == 0)["documents"].sum() == points.filter(pl.col("topic") >= 0).height
    for place, theme in enumerate(THEMES):
        (topic, count), *_ = points[place * EACH : (place + 1) * EACH]["topic"].value_counts(sort=True).rows()
        assert topic >= 0 and count >= 0.9 * EACH
        assert theme in tree.filter(pl.col("node") == topic)["words"].item()
    # Ward joins eight leaves in seven steps, the root last.
    assert tree.height == 15 and tree["parent"].null_count() == 1


def test_too_few_texts_give_nothing(planted, domain):
    texts, vectors = planted
    points, tree = explore_texts(texts[:49], vectors[:49], domain, smallest=10, seed=1)
    assert points.is_empty() and tree.is_empty()


def test_words_are_chinese_or_latin_without_masks_numbers_and_stopwords():
    assert cut_words("〔手机号〕来电，方向盘抖动app闪退3次", stopwords=frozenset(["来电"])) == ["方向盘", "抖动", "app", "闪退"]
    assert cut_words("胎压监测报警", words=("胎压监测",)) == ["胎压监测", "报警"]


def test_an_exploration_is_fitted_once_and_leaves_the_snapshot_alone(sample, monkeypatch):
    lake = voc.open_store("sample")
    feedback = voc.feedback(lake, None, "complaint_site")
    points, topics = voc.explore(lake, feedback)
    assert points.height > 100 and voc.open_store("sample").snapshot == lake.snapshot
    monkeypatch.setattr(room, "explore_texts", lambda *given: pytest.fail("fitted again"))
    again = voc.explore(voc.open_store("sample"), feedback)
    assert again[0].select("feedback_id", "x", "y", "topic").equals(points.select("feedback_id", "x", "y", "topic")) and again[1].equals(topics)
    with pytest.raises(BaseException, match="fitted again"):
        voc.explore(lake, feedback, seed=2)


def test_a_page_of_a_kept_exploration_loads_no_model(sample):
    lake = voc.open_store("sample")
    voc.explore(lake, voc.feedback(lake, None, "complaint_site"))
    assert "bertopic" in sys.modules, "fitting loads what reading must not"
    code = "import sys, voc_lib as voc; lake = voc.open_store('sample'); voc.chart_topic_map(*voc.explore(lake, voc.feedback(lake, None, 'complaint_site'))); " \
           "print(sorted({m.split('.')[0] for m in sys.modules} & {'bertopic', 'umap', 'hdbscan', 'torch', 'sentence_transformers'}))"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "VOC_HOME": str(sample)}, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_parameters_out_of_range_are_refused(sample):
    lake = voc.open_store("sample")
    with pytest.raises(ValueError, match="documents 应不小于 1"):
        voc.explore(lake, voc.feedback(lake), documents=0)


def test_typical_feedback_is_one_per_person_and_text():
    points = pl.DataFrame({"feedback_id": list("abcde"), "topic": [0, 0, 0, 0, -1], "probability": [1.0] * 5, "x": [0.0, 0.1, 5.0, 0.2, 0.0], "y": [0.0] * 5,
                           "text_hash": ["1", "1", "2", "3", "4"], "person": ["p", "q", "p", "r", "s"]})
    # The middle is at 0.15, b and d are as near; a says the same as b, c is far, e is in no topic.
    drawn = room.typical(points, 3)["feedback_id"].to_list()
    assert set(drawn[:2]) == {"b", "d"} and drawn[2:] == ["c"]

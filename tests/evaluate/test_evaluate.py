"""Planted against found, a row a truth; where there is no method it says so."""

import importlib.util
import json
from pathlib import Path

import pytest

from voc_lib.collect.ingest import ingest
from voc_lib.evaluate import EvaluateError, evaluate

STANDIN = Path(__file__).resolve().parents[1] / "sample" / "conftest.py"


@pytest.fixture(scope="module")
def world(kept_home):
    """A small world in the store `planted`, coded but not embedded."""
    from voc_lib.enrich import run
    from voc_lib.enrich.coding import coder_version
    from voc_lib.enrich.domain import load_domain
    from voc_lib.sample import World, plant
    from voc_lib.settings import settings

    spec = importlib.util.spec_from_file_location("sample_conftest", STANDIN)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = kept_home / "世界"
    plant(World("auto", 600, 20), folder, module.standin()("auto"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOC_HOME", str(kept_home))
        ingest("planted", folder, "auto")
        domain = load_domain(settings().domains, "auto")
        run._code("planted", domain, coder_version(domain))
    return folder


@pytest.fixture
def planted(kept, world):
    return world


def test_a_row_for_every_truth(planted):
    found = evaluate("planted").rows_by_key("truth", named=True, unique=True)
    truth = {path.stem: json.loads(path.read_text("utf-8")) for path in (planted / "_truth").glob("*.json") if path.stem != "identities"}
    assert set(found) == {name for name, content in truth.items() if "truth" in content} | {"topic_life_new", "topic_life_ledger"}
    assert "还没有主题模型" in found["topic_life_ledger"]["found"] and found["topic_life_ledger"]["planted"] > 20
    burst = found["ac_noise"]
    assert (burst["planted"], burst["in_store"]) == (36, 36)
    assert burst["first_week"] in ("2026-W45", "2026-W46") and "第一次" in burst["found"]
    assert found["deletions"]["found"] == "尚无方法" and found["escalations"]["found"] == found["mood_curve"]["found"] == "见人的关联"
    assert found["escalations"]["in_store"] == 129


def test_a_truth_can_be_named_and_its_absence_is_said(planted, tmp_path):
    assert evaluate("planted", planted / "_truth").height == 13
    with pytest.raises(EvaluateError, match="voc sample"):
        evaluate("planted", tmp_path / "nowhere")


def test_a_store_that_was_not_planted_has_nothing_to_compare(sample):
    with pytest.raises(EvaluateError, match="_truth"):
        evaluate("sample")

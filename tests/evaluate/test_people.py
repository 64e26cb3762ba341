"""People linked in a planted world, against who truly spoke: the goals of linking, held in a world small enough for the suite."""

from __future__ import annotations

import polars as pl
import pytest

from voc_lib.evaluate import evaluate_people
from voc_lib.evaluate.people import pair_counts


def told(*rows):
    return pl.DataFrame(rows, schema={"who": pl.String, "person_id": pl.String}, orient="row")


def test_pairs_are_counted_by_hand():
    # ann is found whole (three pairs), bob's second feedback is lost, cat is taken for ann
    rows = told(("ann", "A"), ("ann", "A"), ("ann", "A"), ("bob", "B"), ("bob", None), ("cat", "A"))
    assert pair_counts(rows) == (6, 3, 4)
    assert pair_counts(rows.clear()) == (0, 0, 0)


@pytest.fixture(scope="module")
def found(small_world):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOC_HOME", str(small_world))
        return {row["measure"]: row for row in evaluate_people("sample").iter_rows(named=True)}


# Of forty stories two cannot be told here: their accounts were registered with a phone that a relative shares. At 4,000 customers 39 are.
@pytest.mark.parametrize(("measure", "holds"), [
    ("关联：配对精确率", lambda value, reach: value >= reach == 0.995), ("关联：配对召回率（带键的反馈之间）", lambda value, reach: value >= reach == 0.95),
    ("误并：经门店电话", lambda value, reach: value == reach == 0), ("误并：经卖掉的车", lambda value, reach: value == reach == 0), ("误并：经家人电话", lambda value, reach: value == reach == 0),
    ("误并：两个客户编号成一人", lambda value, reach: value == reach == 0), ("升级：重建的三步", lambda value, reach: value >= 36 and reach == 38), ("升级：跨人的", lambda value, reach: value == reach == 0),
    ("情绪曲线：拐点最多差几步", lambda value, reach: value <= reach == 1)])
def test_the_planted_world_is_found(found, measure, holds):
    assert holds(found[measure]["found"], found[measure]["reach"]), found[measure]


def test_what_cannot_be_linked_is_said_too(found):
    assert 0 < found["关联：配对召回率（全部客户反馈，含没有键的）"]["found"] < found["关联：配对召回率（带键的反馈之间）"]["found"]

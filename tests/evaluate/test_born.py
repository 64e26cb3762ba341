"""The row of a newborn topic: found when a candidate is mostly its planted feedback, and every candidate of a quiet week is false."""

import polars as pl
import pytest

from voc_lib.evaluate import born

PLANTED = {
    "truth": "topic_life", "quiet_weeks": ["2026-W35", "2026-W40"],
    "new": {"leaf": "方言", "week": "2026-W43", "sizes": {"2026-W43": 3, "2026-W44": 4}},
    "feedback": [{"channel": "forum", "source_id": f"n{at}", "customer_id": f"c{at % 3}", "leaves": ["方言" if at < 4 else "语音"]} for at in range(6)],
}  # fmt: skip
SAID = {"n0": "2026-W43", "n1": "2026-W43", "n2": "2026-W44", "n4": "2026-W44", "x0": "2026-W40", "x1": "2026-W35"}
ROWS = pl.DataFrame([{"feedback_id": f"f-{name}", "channel": "forum", "source_id": name, "iso_week": week} for name, week in SAID.items()])


@pytest.fixture
def answer(monkeypatch):
    """What `new_topics` says, by week: (feedback, known code) of each candidate; W35 has too short a past."""
    def given(rows=ROWS, **weeks):
        def said(store, week):
            listed = [{"feedback_ids": [f"f-{name}" for name in ids], "known_code": code} for ids, code in weeks.get(week[5:], [])]
            return pl.DataFrame(listed, schema={"feedback_ids": pl.List(pl.String), "known_code": pl.String})

        monkeypatch.setattr(born, "new_topics", said)
        monkeypatch.setattr(born, "weeks_known", lambda store, week: 7 if week == "2026-W35" else 26)
        return born.born_row(PLANTED, None, rows)

    return given


def test_found_a_week_late_and_quiet_weeks_are_counted(answer):
    row = answer(W43=[(["x0", "x1", "n0"], None)], W44=[(["n0", "n1", "x0"], None)], W40=[(["x0"], "车机-语音-识别差")])
    assert (row["first_week"], row["weeks_late"]) == ("2026-W44", 1) and (row["planted"], row["customers"], row["in_store"]) == (4, 3, 3)
    assert row["found"] == "2026-W44 列入新话题候选，晚 1 周；无事的 1 周里误报 0 个"


def test_a_known_code_is_not_the_new_topic_and_a_false_one_is_told(answer):
    row = answer(W43=[(["n0", "n1"], "车机-语音-识别差")], W40=[(["x0"], None), (["x1"], None)], W35=[(["x0"], None)])
    assert row["first_week"] is None and row["found"] == "没有成为新话题候选；无事的 1 周里误报 2 个"


def test_weeks_that_the_store_does_not_have_are_not_asked_about(answer):
    row = answer(ROWS.filter(pl.col("iso_week") == "2026-W44"), W44=[(["n2"], None)])
    assert row["first_week"] == "2026-W44" and row["found"].endswith("历史太短，没有看")


def test_a_truth_without_a_newborn_topic_has_no_such_row():
    assert born.born_row({"truth": "ac_noise", "feedback": []}, None, ROWS) is None

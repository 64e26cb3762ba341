"""The row of a planted split and merge: found only where the machine's event names the topics the planted texts lay in."""

import polars as pl
import pytest

from voc_lib.evaluate import parted

PLANTED = {"truth": "topic_life", "split": {"leaves": ["听不懂", "误唤醒"], "week": "2026-W38"}, "merge": {"leaves": ["跳枪", "充不满"], "week": "2026-W41"},
           "feedback": [{"channel": "forum", "source_id": f"s{at}", "customer_id": None, "leaves": leaves} for at, leaves in enumerate(
               [["听不懂", "误唤醒"], ["听不懂", "误唤醒"], ["跳枪"], ["充不满"], *[["听不懂"]] * 3, *[["误唤醒"]] * 3, *[["跳枪", "充不满"]] * 3])]}
ROWS = pl.DataFrame({"feedback_id": [f"f{at}" for at in range(13)], "channel": ["forum"] * 13, "source_id": [f"s{at}" for at in range(13)]})
TOPICS = {"f0": "T0001", "f1": "T0001", "f2": "T0002", "f3": "T0003"}
SINCE = {"f4": "T0004", "f5": "T0004", "f6": "T0009", "f7": "T0005", "f8": "T0005", "f9": "T0004",  # one lies elsewhere, one in the wrong half
         "f10": "T0008", "f11": "T0008", "f12": "T0002", "x": "T0008"}  # of the merged: one elsewhere, and one of another kind in their topic


class Lake:
    def __init__(self, versions):
        self.versions = versions

    def sql(self, query):
        if "topic_models" in query:
            return pl.DataFrame({"version": self.versions}, schema={"version": pl.String})
        assert ("iso_week <" in query and "'v1'" in query) or ("iso_week >=" in query and "'v2'" in query)
        lie = TOPICS if "iso_week <" in query else SINCE
        return pl.DataFrame({"feedback_id": list(lie), "topic_id": list(lie.values())})


def said(monkeypatch, events, versions=("v1", "v2")):
    told = pl.DataFrame([{"event": at, "who": who, "action": action, "topic_id": topic, "others": others} for at, (who, action, topic, others) in enumerate(events, 1)],
                        schema={"event": pl.Int64, "who": pl.String, "action": pl.String, "topic_id": pl.String, "others": pl.String})
    monkeypatch.setattr(parted, "events_of", lambda store: told)
    return parted.parted_row(PLANTED, Lake(list(versions)), ROWS)["found"]


def test_a_split_of_the_right_topic_and_a_merge_of_the_right_ones(monkeypatch):
    found = said(monkeypatch, [("机器", "split", "T0001", "T0004 T0005"), ("机器", "merge", "T0006", "T0002 T0003")])
    assert found == "分裂在台账第 1 条（分开后单说一件的 6 条，5 条在这两半里，其中 80% 各归各半）；台账共有 1 次分裂、0 次疑似；合并在台账第 2 条；台账共有 1 次合并、0 次疑似"


def test_a_merge_of_parts_taken_out_of_the_right_topics_counts_and_says_what_it_holds(monkeypatch):
    taken = [("机器", "split", "T0002", "T0002 T0006"), ("机器", "split", "T0003", "T0003 T0007")]
    found = said(monkeypatch, [*taken, ("机器", "merge", "T0008", "T0006 T0007")])
    assert found.endswith("合并在台账第 3 条（合并后说这些的 3 条，2 条在合并成的主题里，占它的 67%）；台账共有 1 次合并、0 次疑似") and "共有 0 次分裂" in found
    assert "合并没有记入" in said(monkeypatch, [taken[0], ("机器", "merge", "T0008", "T0006 T0009")])  # of one of them with another


@pytest.mark.parametrize("events", [[], [("机器", "split", "T0009", "T0004 T0005")], [("王工", "split", "T0001", "T0004 T0005")]])
def test_other_topics_and_other_hands_do_not_count(monkeypatch, events):
    assert said(monkeypatch, events).startswith("分裂没有记入")


def test_a_suspicion_is_told_as_one(monkeypatch):
    assert said(monkeypatch, [("机器", "apart", "T0001", None)]).startswith("分裂只作为疑似记在台账第 1 条；台账共有 0 次分裂、1 次疑似")


def test_one_fit_cannot_tell(monkeypatch):
    assert "只拟合过一次" in said(monkeypatch, [], ("v1",)) and "还没有主题模型" in said(monkeypatch, [], ())
    assert parted.parted_row({"truth": "ac_noise", "feedback": []}, None, ROWS) is None

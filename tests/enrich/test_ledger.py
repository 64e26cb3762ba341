"""The ledger: ids that stay, and what stands after merges, splits and renames."""

import numpy as np
import polars as pl
import pytest

from voc_lib.enrich.ledger import EVENTS_SCHEMA, LedgerError, check_edit, event, match, moves, new_ids, replay


def told(*events):
    rows = [found | {"event": number, "who": found.get("who", "甲")} for number, found in enumerate(events, 1)]
    return pl.DataFrame(rows, schema=EVENTS_SCHEMA | {"event": pl.Int64, "who": pl.String})


def standing(*events):
    return {row["topic_id"]: (row["goes_to"], row["name"], row["is_noise"]) for row in replay(told(*events)).iter_rows(named=True)}


def test_an_id_is_never_used_again():
    assert new_ids(["T0003", "T0012", "其他"], 2) == ["T0013", "T0014"]
    assert new_ids([], 1) == ["T0001"]


def test_the_same_partition_keeps_its_ids_whatever_its_numbers_are():
    before = np.array(["T0001"] * 5 + ["T0002"] * 3 + ["T0003"] * 4, dtype=object)
    ids, events = match(before, np.array([2] * 5 + [0] * 3 + [1] * 4), before)
    assert ids == {2: "T0001", 0: "T0002", 1: "T0003"} and events == []


def test_a_split_a_merge_a_birth_and_an_end():
    before = np.array(["T0001"] * 20 + ["T0002"] * 6 + ["T0003"] * 6 + ["T0004"] * 4 + [None] * 7, dtype=object)
    #                  halves of T0001        T0002 and T0003 together   T0004 scattered  texts never seen
    after = np.array([0] * 10 + [1] * 10 + [2] * 12 + [0, 1, 2, 3] + [3] * 7)
    ids, events = match(before, after, ["T0001", "T0002", "T0003", "T0004", "T0009"])
    happened = {(found["action"], found["topic_id"], found["others"]) for found in events}
    assert ids[3] == "T0011" and ("birth", "T0011", None) in happened
    one_part = next(group for group in (0, 1) if ids[group] != "T0001")
    assert ids[one_part] == "T0010" and ("split", "T0001", "T0010") in happened
    assert ids[2] in ("T0002", "T0003")
    assert ("merge", ids[2], "T0003" if ids[2] == "T0002" else "T0002") in happened
    assert ("retire", "T0004", None) in happened


def test_merges_of_merges_are_followed_and_names_and_noise_stand():
    found = standing(event("birth", "T0001"), event("birth", "T0002"), event("birth", "T0003"), event("merge", "T0002", ["T0001"]), event("merge", "T0003", ["T0002"]),
                     event("rename", "T0003", name="刹车异响"), event("noise", "T0003"))
    assert found == {"T0001": ("T0003", None, True), "T0002": ("T0003", None, True), "T0003": ("T0003", "刹车异响", True)}


def test_a_split_ends_its_topic_unless_it_goes_on_as_a_part():
    assert standing(event("birth", "T0001"), event("split", "T0001", ["T0002", "T0003"]))["T0001"][0] is None
    assert standing(event("birth", "T0001"), event("split", "T0001", ["T0001", "T0002"]))["T0001"][0] == "T0001"
    assert standing(event("birth", "T0001"), event("retire", "T0001"))["T0001"][0] is None


def test_a_part_taken_out_of_a_topic_and_merged_leaves_the_rest_where_it_was():
    out = [event("split", "T0001", ["T0001", "T0003"]), event("split", "T0002", ["T0002", "T0004"]), event("merge", "T0005", ["T0003", "T0004"])]
    found = standing(event("birth", "T0001"), event("birth", "T0002"), *out)
    assert {name: found[name][0] for name in found} == {"T0001": "T0001", "T0002": "T0002", "T0003": "T0005", "T0004": "T0005", "T0005": "T0005"}
    born = [event("birth", f"T000{at}") for at in (1, 2, 9)]
    found = standing(*born, event("merge", "T0009", ["T0001"]), *out)  # what an analyst had merged before stays so
    assert found["T0001"][0] == "T0009"


def test_what_analysts_merged_or_called_noise_stays_so_when_a_fit_splits_or_merges_it():
    born = [event("birth", f"T000{at}") for at in (1, 2, 3, 4)]
    found = standing(*born, event("merge", "T0001", ["T0002"]), event("noise", "T0003"), event("split", "T0002", ["T0005", "T0006"]), event("split", "T0003", ["T0007", "T0008"]))
    assert [found[name][0] for name in ("T0005", "T0006")] == ["T0001", "T0001"] and [found[name][2] for name in ("T0007", "T0008")] == [True, True]
    found = standing(*born, event("merge", "T0001", ["T0002"]), event("merge", "T0001", ["T0003"]), event("merge", "T0009", ["T0002", "T0003"]))
    assert [found[name][0] for name in ("T0009", "T0002", "T0003")] == ["T0001"] * 3
    assert standing(*born, event("merge", "T0009", ["T0002", "T0003"]))["T0002"][0] == "T0009"


def test_order_is_that_of_the_numbers_not_of_the_rows():
    log = told(event("birth", "T0001"), event("rename", "T0001", name="先"), event("rename", "T0001", name="后"))
    assert replay(log.reverse()).equals(replay(log)) and replay(log)["name"].to_list() == ["后"]


def test_the_last_word_of_an_analyst_on_a_feedback_counts():
    log = told(event("move", "T0001", ["f1"]) | {"who": "甲"}, event("move", "T0002", ["f1"]) | {"who": "甲"}, event("move", "T0001", ["f1"]) | {"who": "乙"})
    assert set(moves(log).select("who", "topic_id").rows()) == {("甲", "T0002"), ("乙", "T0001")}


@pytest.mark.parametrize(("action", "topic", "others", "name", "who", "why", "said"), [
    ("merge", "T0001", ["T0009"], None, "甲", "同一件事", "没有主题「T0009」"),
    ("merge", "T0001", ["T0001"], None, "甲", "同一件事", "不能并入自己"),
    ("merge", "T0002", ["T0003"], None, "甲", "同一件事", "已经并入 T0001"),
    ("rename", "T0001", [], " ", "甲", "太长", "新的名字"),
    ("noise", "T0001", [], None, "甲", "", "原因"),
    ("noise", "T0001", [], None, "", "广告", "谁"),
])
def test_edits_that_cannot_be_made_say_why(action, topic, others, name, who, why, said):
    state = replay(told(event("birth", "T0001"), event("birth", "T0002"), event("birth", "T0003"), event("merge", "T0001", ["T0002"])))
    with pytest.raises(LedgerError, match=said):
        check_edit(state, action, topic, others, name, who, why)

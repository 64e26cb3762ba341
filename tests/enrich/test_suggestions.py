"""What labels teach: whose labels count, how many are enough, and that only feedback without code and label is suggested for."""

import polars as pl

from voc_lib.enrich.labels import LABELS_SCHEMA, label_feedback
from voc_lib.enrich.suggestions import enough_labels, suggest_codes, taught_codes
from voc_lib.measure.feedback import feedback
from voc_lib.store import open_store

SHAKE, PULL = "转向-方向盘-抖动", "转向-方向盘-跑偏"


def labels(*rows):
    return pl.DataFrame([(at, who, codes, "", "") for at, who, codes in rows], schema=LABELS_SCHEMA, orient="row")


def test_only_feedback_on_which_the_main_codes_agree_teaches():
    found = taught_codes(labels(("1", "甲", [SHAKE]), ("1", "乙", [SHAKE, PULL]), ("2", "甲", [SHAKE]), ("2", "乙", [PULL]), ("3", "甲", [PULL])))
    assert found.rows() == [("1", SHAKE), ("3", PULL)]


def test_ten_labels_are_enough_and_nine_are_not():
    found = enough_labels(labels(*[(f"a{at}", "甲", [SHAKE]) for at in range(10)], *[(f"b{at}", "甲", [PULL]) for at in range(9)]))
    assert found.rows() == [(SHAKE, 10, True), (PULL, 9, False)]


def test_suggestions_are_for_unmapped_feedback_and_near_to_a_label(sample):
    lake = open_store("sample")
    assert suggest_codes(lake).is_empty()
    everything = feedback(lake).filter(pl.col("verbatim").is_not_null())
    unmapped = everything.filter(pl.col("codes").list.len() == 0)["feedback_id"].to_list()
    for code, taught in ((SHAKE, unmapped[:10]), (PULL, unmapped[10:20])):
        for one in taught:
            label_feedback(lake, one, [code], who="甲")
    found = suggest_codes(lake, top=200)
    assert found.height and set(found["feedback_id"]) <= set(unmapped[20:]) and set(found["code"]) <= {SHAKE, PULL}
    assert found["confidence"].min() >= 0.5 and found["nearest"].null_count() == 0
    assert found.equals(suggest_codes(lake, top=200)), "the same labels suggest the same"

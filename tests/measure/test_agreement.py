"""Who labelled what alike: main codes over all, systems as yes or no, disagreements by how grave they are."""

import polars as pl
import pytest

from voc_lib.enrich.labels import LABELS_SCHEMA
from voc_lib.measure.agreement import agreement, disagreements

SHAKE, NOISE, BRAKE = "转向-方向盘-抖动", "转向-方向盘-异响", "制动-刹车-异响"


def labels(*rows):
    return pl.DataFrame([(at, who, codes, source, "2026-11-20T08:00:00+00:00") for at, who, codes, source in rows], schema=LABELS_SCHEMA, orient="row")


def given(first, second, source=""):
    """Four feedback labelled by two analysts."""
    return labels(*[(str(at), "甲", codes, "") for at, codes in enumerate(first)], *[(str(at), "乙", codes, source) for at, codes in enumerate(second)])


def test_kappa_over_all_and_by_system_by_hand():
    found = agreement(given([[SHAKE], [SHAKE], [BRAKE], [BRAKE]], [[SHAKE], [NOISE], [BRAKE], [BRAKE, SHAKE]]))
    rows = {row["system"]: row for row in found.iter_rows(named=True)}
    assert list(rows) == [None, "制动", "转向"] and {(row["first"], row["second"], row["n"]) for row in rows.values()} == {("甲", "乙", 4)}
    # main codes: 3 of 4 alike; by chance .5 x .25 + .5 x .5 = .375
    assert rows[None]["agree_share"] == 0.75 and rows[None]["kappa"] == pytest.approx((0.75 - 0.375) / 0.625)
    assert rows["制动"]["kappa"] == rows["制动"]["alpha"] == 1 and rows["制动"]["named"] == 2
    # turned: the first twice, the second three times, alike on 3 of 4: by chance .5 x .75 + .5 x .25 = .5
    assert rows["转向"]["named"] == 3 and rows["转向"]["kappa"] == pytest.approx(0.5)


def test_an_accepted_suggestion_is_no_evidence():
    assert agreement(given([[SHAKE]], [[SHAKE]], source="suggestion")).is_empty()
    assert agreement(labels(("1", "甲", [SHAKE], ""), ("2", "乙", [SHAKE], ""))).is_empty()
    assert agreement(labels()).is_empty() and disagreements(labels()).is_empty()


def test_of_three_analysts_every_two_are_compared_and_alpha_is_of_all():
    found = agreement(labels(*[(at, who, [code], "") for who, codes in (("甲", (SHAKE, BRAKE)), ("乙", (SHAKE, BRAKE)), ("丙", (SHAKE, SHAKE)))
                               for at, code in zip("12", codes, strict=True)]))
    whole = found.filter(pl.col("system").is_null())
    assert whole.select("first", "second").rows() == [("甲", "乙"), ("甲", "丙"), ("乙", "丙")]
    # within: sss 0, bbs 4 of 2; n = 6, s 4, b 2: 1 - 5 x 2 / (36 - 20)
    assert whole["alpha"].unique().to_list() == [pytest.approx(1 - 10 / 16)]


def test_disagreements_are_listed_by_gravity():
    found = disagreements(given([[SHAKE, BRAKE], [SHAKE], [SHAKE], [BRAKE]], [[SHAKE], [NOISE], [BRAKE], [BRAKE]]))
    assert found.select("feedback_id", "differs").rows() == [("2", "system"), ("1", "code"), ("0", "rest")]
    assert found["second_codes"].to_list() == [[BRAKE], [NOISE], [SHAKE]]

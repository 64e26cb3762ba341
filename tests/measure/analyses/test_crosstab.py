"""Two segments crossed: numbers counted by hand, noise told from difference, nothing of fewer than ten people."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from voc_lib.measure.analyses.crosstab import MOST_COLUMNS, CrosstabError, crosstab
from voc_lib.measure.analyses.channel_codes import channel_codes

# Of 100 people in the east 60 name the noise, of 100 in the north 20, of 100 in the west 22; of each 10 the cold, one of five west.
SAID = """
    region  channel  rating  codes        times
    东      forum    1       空调-异响    60
    东      forum    5       空调-不冷    10
    东      forum    5       .            30
    北      forum    1       空调-异响    20
    北      app      5       空调-不冷    10
    北      app      3       .            70
    西      app      1       空调-异响    22
    西      app      5       空调-不冷    4
    西      app      3       .            74
"""


def cell(table: pl.DataFrame, row: str | None, column: str | None) -> dict:
    first, second = table.columns[:2]
    return table.filter(pl.col(first).eq_missing(pl.lit(row, pl.String)) & pl.col(second).eq_missing(pl.lit(column, pl.String))).row(0, named=True)


def people_named(frame: pl.DataFrame) -> pl.DataFrame:
    """Each row a person of its own."""
    return frame.with_columns(pl.format("p{}", pl.int_range(pl.len())).alias("person")).with_columns(author_key="person", feedback_id="person", thread="person")


def test_shares_are_counted_by_hand_and_each_cell_is_held_against_the_rest_of_its_row(rows):
    table = crosstab(people_named(rows(SAID)), "code", "region")
    noise = cell(table, "空调-异响", "东")
    assert noise["estimate"] == pytest.approx(0.6) and noise["people"] == 60 and noise["whole"] == pytest.approx(102 / 300)
    assert noise["difference"] == pytest.approx(0.6 - 42 / 200) and noise["verdict"] == "above" and noise["p_adjusted"] < 1e-6
    assert noise["conf_low"] == pytest.approx(0.5020, abs=1e-3) and noise["conf_high"] == pytest.approx(0.6906, abs=1e-3)  # Wilson, 60 of 100
    assert cell(table, "空调-异响", "北")["verdict"] == "below" and cell(table, "空调-不冷", "东")["verdict"] == "within_error"
    few = cell(table, "空调-不冷", "西")
    assert few["people"] is None and few["estimate"] is None and few["difference"] is None and few["verdict"] == "suppressed"


def test_turned_round_the_numbers_stay(rows):
    frame = people_named(rows(SAID))
    turned = crosstab(frame, "region", "code")
    for row in crosstab(frame, "code", "region").iter_rows(named=True):
        other = cell(turned, row["region"], row["code"])
        assert [other[name] for name in ("people", "estimate", "difference", "p_adjusted", "verdict")] == [row[name] for name in ("people", "estimate", "difference", "p_adjusted", "verdict")]
    assert cell(turned, "东", "空调-异响")["whole"] == pytest.approx(0.7)  # people of the east who name any code


def test_cells_agree_with_the_page_of_channels(rows):
    frame = people_named(rows(SAID))
    ours = crosstab(frame, "code", "channel").drop_nulls("estimate")
    theirs = channel_codes(frame).join(ours, on=["code", "channel"], suffix="_ours")
    assert theirs.height == ours.height > 1 and np.allclose(theirs["estimate"], theirs["estimate_ours"])
    assert theirs.filter(pl.col("verdict") != pl.col("verdict_ours")).is_empty()


def test_means_of_ratings(rows):
    table = crosstab(people_named(rows(SAID)), "channel", "region", "mean_rating")
    assert cell(table, "forum", "东")["estimate"] == pytest.approx((60 * 1 + 40 * 5) / 100) and cell(table, "forum", "北")["estimate"] == 1.0
    assert cell(table, "app", "北")["whole"] == pytest.approx((10 * 5 + 70 * 3 + 22 + 4 * 5 + 74 * 3) / 180)


def test_counts_are_held_against_the_mix_of_their_column(rows):
    table = crosstab(people_named(rows(SAID)), "channel", "region", "people")
    east, north = cell(table, "forum", "东"), cell(table, "forum", "北")
    assert east["estimate"] == 100 and east["difference"] == pytest.approx(100 / 100 - 20 / 200) and east["verdict"] == "above"
    assert north["estimate"] == 20 and north["difference"] == pytest.approx(20 / 100 - 100 / 200) and north["verdict"] == "below" and north["whole"] == 120
    same = crosstab(people_named(rows(SAID)), "region", "channel", "volume")
    assert cell(same, "西", "app")["estimate"] == 100 and cell(same, "西", "app")["difference"] == pytest.approx(100 / 180)


def test_a_total_does_not_give_away_a_withheld_count(rows):
    frame = people_named(rows("region channel times\n 东 forum 50\n 东 app 9\n 西 forum 50\n 西 app 40"))
    table = crosstab(frame, "region", "channel", "people")
    assert cell(table, "东", "app")["estimate"] is None and cell(table, "东", "forum")["whole"] is None and cell(table, "西", "app")["whole"] == 90


def test_one_person_in_two_cells_is_one_person_in_each_and_loud_people_are_no_more(rows):
    loud = pl.concat([people_named(rows(SAID))] + [people_named(rows(SAID)).head(1)] * 200).with_columns(pl.format("f{}", pl.int_range(pl.len())).alias("feedback_id"))
    assert cell(crosstab(loud, "code", "region"), "空调-异响", "东")["people"] == 60 and cell(crosstab(loud, "channel", "region", "people"), "forum", "东")["estimate"] == 100


def test_in_noise_alone_at_most_one_table_in_twenty_has_a_finding(rows):
    lot, found = np.random.default_rng(5), 0
    base = people_named(rows("region times\n 东 200\n 西 200\n 北 200"))
    for _ in range(20):
        codes = [[name for name, share in (("a-b-c", 0.3), ("d-e-f", 0.1), ("g-h-i", 0.5)) if lot.random() < share] for _ in range(base.height)]
        found += crosstab(base.with_columns(pl.Series("codes", codes, pl.List(pl.String))), "code", "region")["verdict"].is_in(["above", "below"]).any()
    assert found <= 3  # one of 20 is expected at most; 4 or more have a chance of one in sixty


def test_missing_values_are_a_segment_and_an_empty_frame_is_an_empty_table(rows):
    frame = people_named(rows("region channel rating times\n - forum 1 30\n 东 forum 5 30\n - app 5 30\n 东 app 1 30"))
    assert cell(crosstab(frame, "region", "channel", "mean_rating"), None, "forum")["verdict"] == "suppressed"  # everybody says the same: no spread to test
    assert cell(crosstab(frame, "channel", "region", "people"), "forum", None)["verdict"] == "within_error"
    assert crosstab(frame.clear(), "code", "region").is_empty()


def test_what_cannot_be_crossed_is_said(rows):
    frame = people_named(rows(SAID))
    for asked, said in ((("code", "regoin"), "是否想写「region」"), (("region", "region"), "重复"), (("code", "region", "npss"), "没有名为「npss」的指标"), (("region", "channel", "mean_rating"), None)):
        if said:
            with pytest.raises(CrosstabError, match=said):
                crosstab(frame, *asked)
    many = frame.with_columns(pl.format("城{}", pl.int_range(pl.len())).alias("city"))
    with pytest.raises(CrosstabError, match=f"「city」有 300 个不同的值，最多比较 {MOST_COLUMNS} 个。请换成"):
        crosstab(many, "region", "city")


def test_a_saved_selection_is_crossed_by_name(told):
    from voc_lib.measure.selections import save_selection

    store = told(*({"verbatim": "异响" if at % 2 else "好", "region": "东" if at < 30 else "西"} for at in range(60)))
    save_selection("异响", "异响", store=store)
    table = crosstab("异响", "region", "channel", "people", store=store)
    assert table["estimate"].to_list() == [15, 15]

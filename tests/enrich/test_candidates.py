"""Bursting terms become candidates: joined by their feedback, named without repetition, and held against known codes."""

import polars as pl

from voc_lib.enrich.candidates import find_candidates

NEW = [["方言包", "下架"]] * 8 + [["方言包"]] * 6
CODE, BROAD = "车机-语音-识别差", "车机-车机-卡顿"


def talk(name: str, lists: list[list[str]], codes: list[list[str]] | None = None, stretch: int = 0) -> pl.DataFrame:
    rows = pl.DataFrame({"feedback_id": [f"{name}{at}" for at in range(len(lists))], "words": lists, "codes": codes or [[]] * len(lists)},
                        schema={"feedback_id": pl.String, "words": pl.List(pl.String), "codes": pl.List(pl.String)})  # fmt: skip
    return rows.with_columns(person=pl.col("feedback_id"), stretch=pl.lit(stretch))


def base(codes: list[str] = (), coded: int = 0) -> pl.DataFrame:
    """Eight stretches of 60 people; `coded` of each have the codes."""
    return pl.concat(talk(f"b{at}-", [["油耗"]] * 60, [list(codes)] * coded + [[]] * (60 - coded), at) for at in range(8))


def window(new: list[list[str]], codes: list[str] = (), others: int = 0) -> pl.DataFrame:
    """60 usual people, `others` of whom have the codes, and the new ones, who all have them."""
    return talk("w", [["油耗"]] * 60 + new, [list(codes)] * others + [[]] * (60 - others) + [list(codes)] * len(new)).drop("stretch")


def test_terms_of_the_same_feedback_are_one_candidate_and_others_another():
    found = find_candidates(window(NEW + [["充不满", "跳枪"]] * 12), base())
    assert sorted(found["name"]) == ["充不满跳枪", "方言包下架"]
    born = found.filter(pl.col("name") == "方言包下架").row(0, named=True)
    assert born["people"] == 14 and born["terms"][0] == "方言包" and set(born["terms"]) == {"方言包", "下架", "方言包下架"}
    assert born["feedback_ids"] == sorted(f"w{at}" for at in range(60, 74)) and born["lift"] > 3 and born["q_value"] <= 0.01 and born["known_code"] is None


def test_a_term_of_both_does_not_tie_two_topics_together():
    found = find_candidates(window([["方言包"]] * 12 + [["方言包", "无法使用"]] * 4 + [["跳枪"]] * 12 + [["跳枪", "无法使用"]] * 4), base())
    assert {"方言包", "跳枪"} == {name.split("、")[0] for name in found["name"]} and found.height == 2


def test_a_name_repeats_no_part():
    """下架 is said right after 方言包, which is the first part; 会员 is said by 8 of 36 only."""
    found = find_candidates(window(NEW + [["方言包", "", "会员"]] * 8 + [["方言包", "", "普通话"]] * 14), base())
    assert found["name"].to_list() == ["方言包、普通话"] and {"会员", "下架"} <= set(found["terms"].to_list()[0])


def test_a_rise_of_a_known_code_is_marked_and_not_dropped():
    found = find_candidates(window(NEW, [CODE], 2), base([CODE], 2))
    assert found["known_code"].to_list() == [CODE]


def test_a_code_that_is_no_more_frequent_than_before_explains_nothing():
    """Fourteen people under a broad code that has as many as ever: its other subjects were fewer, and these are new."""
    found = find_candidates(window(NEW, [BROAD], 4), base([BROAD], 15))
    assert found["known_code"].to_list() == [None]


def test_a_plain_mention_is_no_known_code():
    assert find_candidates(window(NEW, ["车机-车机-评价"], 2), base(["车机-车机-评价"], 2))["known_code"].to_list() == [None]


def test_candidates_of_one_known_code_are_one_and_come_last():
    both = window(NEW + [["听不懂"]] * 12, [CODE]).with_columns(codes=pl.when(pl.col("words").list.contains("油耗")).then(pl.lit([], pl.List(pl.String))).otherwise("codes"))
    new = talk("x", [["跳枪"]] * 10).drop("stretch")
    found = find_candidates(pl.concat([both, new]), base())
    assert found["known_code"].to_list() == [None, CODE] and found["people"].to_list() == [10, 26] and found["terms"].to_list()[1][0] == "方言包"


def test_without_codes_nothing_is_called_known():
    found = find_candidates(window(NEW, [CODE], 2).drop("codes"), base([CODE], 2).drop("codes"))
    assert found["known_code"].to_list() == [None]


def test_nothing_new_is_an_empty_frame():
    quiet = find_candidates(window([]), base())
    assert quiet.is_empty() and quiet.columns == find_candidates(window(NEW), base()).columns

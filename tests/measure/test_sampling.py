"""The draw is fair, the same again, and says what it left out."""

import polars as pl

from voc_lib.measure.sampling import draw_labels, sample_verbatims


def test_one_per_person_same_again_in_any_order(rows):
    frame = rows("person verbatim codes times\n a 刹车异响 刹车 1").head(0)
    many = [{"feedback_id": f"f{at}", "person": f"p{at % 20}", "verbatim": f"第{at}次说"} for at in range(200)]
    frame = pl.concat([frame, pl.DataFrame(many)], how="diagonal")
    drawn = sample_verbatims(frame, 8, "2020-W24")
    assert drawn.height == 8 and drawn["person"].n_unique() == 8 and drawn["eligible_people"].to_list() == [20] * 8
    assert drawn.equals(sample_verbatims(frame.sample(fraction=1, shuffle=True, seed=5), 8, "2020-W24"))
    assert not drawn.equals(sample_verbatims(frame, 8, "2020-W25"))
    # a smaller draw is the head of a larger one
    assert sample_verbatims(frame, 3, "2020-W24").equals(drawn.head(3))


def test_who_writes_often_is_not_drawn_more_often(rows):
    loud = [{"feedback_id": f"l{at}", "person": "loud", "verbatim": f"第{at}次"} for at in range(50)]
    quiet = [{"feedback_id": f"q{at}", "person": f"q{at}", "verbatim": f"一次{at}"} for at in range(9)]
    frame = pl.DataFrame(loud + quiet)
    hits = sum(sample_verbatims(frame, 1, f"week {seed}")["person"].item() == "loud" for seed in range(300))
    # one of ten people: 30 of 300 expected, standard deviation 5.2; by posts it would be 254
    assert 10 < hits < 50


def test_empty_and_default_praise_are_left_out_and_counted(rows):
    frame = rows("""
        person  verbatim          times
        a       此用户没有填写！  5
        b       此用户没有填写。  1
        c       -                 3
        d       ？！              1
        e       很好              4
        f       方向盘抖          1
    """)
    drawn = sample_verbatims(frame, 10, "k")
    # four different people may say 很好 in their own right; six say the default
    assert sorted(drawn["verbatim"]) == ["很好"] * 4 + ["方向盘抖"]
    assert drawn.select("eligible_people", "skipped_empty", "skipped_template").row(0) == (5, 4, 6)


def test_one_person_repeating_himself_is_not_a_template():
    frame = pl.DataFrame({"feedback_id": [f"f{at}" for at in range(9)], "person": ["a"] * 9, "verbatim": ["又黑屏了"] * 9})
    assert sample_verbatims(frame, 5, "k").height == 1


def test_per_channel_and_per_code(rows):
    frame = rows("""
        channel  person  codes      verbatim
        site     a       刹车,异响  一
        site     b       刹车       二
        shop     c       异响       三
        shop     d       .          四
    """)
    assert sample_verbatims(frame, 1, "k", by="channel")["channel"].to_list() == ["shop", "site"]
    coded = sample_verbatims(frame, 9, "k", by="code")
    assert coded.group_by("code").len().sort("code").rows() == [("刹车", 2), ("异响", 2)]
    assert coded.columns == [*frame.columns, "code", "eligible_people", "skipped_empty", "skipped_template"]


def test_nothing_to_draw_from(rows):
    assert sample_verbatims(rows("person verbatim\n a -"), 3, "k").height == 0
    assert sample_verbatims(rows("person verbatim\n a -").clear(), 3, "k", by="channel").height == 0


def test_what_analysts_label_is_the_same_for_the_same_seed():
    frame = pl.DataFrame({"feedback_id": [f"f{at}" for at in range(40)], "person": [f"p{at}" for at in range(40)], "verbatim": [f"第{at}句" for at in range(40)],
                          "codes": [["转向-方向盘-抖动"] if at % 2 else [] for at in range(40)]})
    assert draw_labels(frame, 5, 1).equals(draw_labels(frame.reverse(), 5, 1)) and not draw_labels(frame, 5, 1).equals(draw_labels(frame, 5, 2))
    assert draw_labels(frame, 99, 1, only_unmapped=True)["codes"].list.len().to_list() == [0] * 20

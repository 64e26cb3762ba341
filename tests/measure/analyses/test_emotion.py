"""The mood along a journey: numbering, means, where it turns, how often chance is called a turn."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from voc_lib.measure.analyses.emotion import EmotionError, chance_gain, journey, mood_curve, mood_turns


def walked(moods: dict[str, list]) -> pl.DataFrame:
    return pl.DataFrame([(person, step, mood) for person, line in moods.items() for step, mood in enumerate(line, 1)], schema={"person_id": pl.String, "step": pl.Int64, "mood": pl.Float64}, orient="row")


def drawn(seed: int, levels: tuple[float, ...], people: int = 60, silent: float = 0.2) -> pl.DataFrame:
    """People whose mood has a given mean at each step; a fifth of the voices without a mood."""
    rng = np.random.default_rng(seed)
    line = lambda: [None if rng.random() < silent else float(rng.choice([-1, 0, 1], p=[0.7 * (0.5 - level / 2), 0.3, 0.7 * (0.5 + level / 2)])) for level in levels]    # noqa: E731
    return walked({f"p{at:02d}": line() for at in range(people)})


def test_voices_are_numbered_by_time_and_the_same_people_stand_behind_every_step(said):
    feedback = said("a 9 forum -", "a 1 hotline -", "a 5 forum -", "b 1 forum -", "b 2 forum -", "- 1 forum -").with_columns(pl.lit(None, pl.Float64).alias("mood"))
    assert journey(feedback, least=2).select("person_id", "step", "feedback_id").rows() == [("a", 1, "f1"), ("a", 2, "f2"), ("b", 1, "f3"), ("b", 2, "f4")]
    assert journey(feedback, "a", least=3)["feedback_id"].to_list() == ["f1", "f2", "f0"] and journey(feedback, least=4).is_empty()


def test_a_step_without_a_mood_keeps_its_number_and_counts_nobody():
    curve = mood_curve(walked({f"p{at}": [1.0, None if at < 2 else -1.0] for at in range(12)}))
    assert curve.select("step", "mood", "people").rows() == [(1, 1.0, 12), (2, -1.0, 10)] and curve["conf_low"][0] == 1.0
    assert mood_curve(walked({f"p{at}": [1.0, None if at < 3 else -1.0] for at in range(12)})).height == 1    # nine people: not shown
    assert mood_curve(walked({})).is_empty() and mood_curve(walked({"p": [1.0, None, 0.0]})).rows() == [(1, 1.0, None, None, 1), (3, 0.0, None, None, 1)]


def test_the_interval_is_that_of_people():
    """Half +1 and half -1 of a hundred: the standard error of the mean is a tenth."""
    curve = mood_curve(walked({f"p{at}": [1.0 if at % 2 else -1.0] * 2 for at in range(100)}), resamples=2_000)
    assert curve["mood"].to_list() == [0, 0] and curve["conf_high"].to_list() == pytest.approx([0.196] * 2, abs=0.03) and curve["conf_low"].to_list() == pytest.approx([-0.196] * 2, abs=0.03)


def test_the_order_of_rows_changes_nothing():
    rows = drawn(3, (0, 0, 0, -0.8, -0.8, -0.8))
    assert mood_curve(rows.sample(fraction=1, shuffle=True, seed=1)).equals(mood_curve(rows))


def test_the_penalty_is_what_the_best_turn_of_chance_gains():
    """Of nine steps the best of six splits gains less than 7.6 (95 % of chi-square for 6 independent ones) and more than 3.84 (for one alone)."""
    assert 3.84 < chance_gain(9) < 7.6 and chance_gain(9) < chance_gain(30)


def test_the_planted_turns_are_found_where_they_are():
    pytest.importorskip("ruptures")
    turns = mood_turns(drawn(0, (0, 0, 0, -0.8, -0.8, -0.8, 0.5, 0.5, 0.5)))
    assert turns["step"].to_list() == [4, 7] and (turns["share"] > 0.9).all()
    assert turns["before"][0] > turns["after"][0] < turns["after"][1] and (turns["earliest"] <= turns["step"]).all() and (turns["latest"] >= turns["step"]).all()


def test_chance_is_seldom_called_a_turn():
    pytest.importorskip("ruptures")
    assert sum(mood_turns(drawn(1_000 + seed, (0,) * 9), resamples=1).height > 0 for seed in range(100)) <= 11


def test_one_person_turns_too():
    pytest.importorskip("ruptures")
    turns = mood_turns(walked({"a": [1, 1, 0, 1, None, -1, -1, -1, -1, 0, -1]}))
    assert turns["step"].to_list() == [6] and turns["before"][0] == 0.75 and turns["share"][0] > 0.8    # the step without a mood keeps its number
    assert mood_turns(walked({"a": [1.0] * 8})).is_empty()


@pytest.mark.parametrize(("moods", "said"), [({"a": [1.0] * 5}, "这位客户只有 5 步"), ({"a": [1.0] * 5 + [None]}, "能判断情绪的只有 5 步"), ({f"p{at}": [1.0] * 8 for at in range(9)}, "10 人以上的只有 0 步"), ({}, "0 步")])
def test_what_is_too_short_is_refused(moods, said):
    with pytest.raises(EmotionError, match=said):
        mood_turns(walked(moods))

"""Every file in the folder is a metric, and a misspelt name is answered."""

import polars as pl
import pytest

from voc_lib.measure.metrics import metric, metric_names


@pytest.mark.parametrize("name", metric_names())
def test_every_file_is_a_metric_that_says_what_it_is(name):
    found = metric(name)
    assert found.name == name and found.label and found.definition and found.base_definition and found.floor > 0
    if found.unit == "share":
        assert found.floor == 0.02


def test_first_release_has_its_five_numbers():
    assert {"code_share", "low_rating_share", "mean_rating", "people", "volume"} <= set(metric_names())


def test_unknown_name_is_answered_with_the_list_and_the_nearest():
    with pytest.raises(ValueError, match="没有名为「mean_ratng」的指标。是否想写「mean_rating」？.*code_share、csat、low_rating_share"):
        metric("mean_ratng")
    with pytest.raises(ValueError) as caught:
        metric("zzz")
    assert "是不是" not in str(caught.value)


def test_a_metric_passes_through():
    people = metric("people")
    assert metric(people) is people


@pytest.mark.parametrize(("rating", "scale", "low"), [(2, 5, 1), (3, 5, 0), (4, 10, 1), (5, 10, 0), (1, 3, 1), (2, 3, 0)])
def test_low_is_at_most_two_fifths_of_the_scale(rating, scale, low):
    frame = pl.DataFrame({"rating": [rating], "rating_scale": [scale]})
    assert frame.select(metric("low_rating_share").value).item() == low

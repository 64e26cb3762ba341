"""Filters, each by itself and together; what is not there is answered with what is."""

from __future__ import annotations

import polars as pl
import pytest

from voc_lib.measure.search import FilterError, search_feedback, weeks_until


@pytest.fixture
def found(rows):
    frame = rows("""
        person  codes           region  rating  verbatim
        a       空调-运转-异响  华东    1       开ＡＣ就异响
        b       空调-制冷-差    华南    4       制冷差，有异响
        c       空调器-x-y      华东    2       x
        d       .               -       -       -
    """).with_columns(product=pl.Series(["A7", "S5", "A7", None]), title=pl.lit(None, pl.String), followup=pl.Series([None, None, "后来异响了", None]))
    return lambda **filters: "".join(search_feedback(frame, **filters)["person"])


@pytest.mark.parametrize(("filters", "people"), [
    ({}, "abcd"), ({"code": "空调"}, "ab"), ({"code": "空调-运转"}, "a"), ({"code": "空调-运转-异响"}, "a"), ({"product": "A7"}, "ac"),
    ({"region": "华东"}, "ac"), ({"rating": (0.0, 2.0)}, "ac"), ({"rating": (4.0, 5.0)}, "b"), ({"word": "异响"}, "abc"), ({"word": "异响 制冷"}, "b"),
    ({"word": "ac"}, "a"), ({"word": "."}, ""), ({"region": "华东", "rating": (2.0, 5.0), "word": "异响"}, "c")])
def test_each_filter(found, filters, people):
    assert found(**filters) == people


def test_ratings_of_every_scale_meet_on_five_points(rows):
    frame = rows("person rating rating_scale verbatim\n a 3 10 x\n b 2 5 x\n c 1 - x").with_columns(title=pl.lit(None, pl.String), followup=pl.lit(None, pl.String))
    assert search_feedback(frame, rating=(0.0, 1.5))["person"].to_list() == ["a"]


@pytest.mark.parametrize(("filters", "said"), [
    ({"product": "A8"}, "没有产品「A8」.*是否想写「A7」"), ({"code": "空条"}, "没有问题「空条」.*空调"), ({"region": "西藏"}, "现有：华东、华南"),
    ({"rating": (4.0, 2.0)}, "下限不高于上限"), ({"rating": (1.0,)}, "下限,上限")])
def test_what_is_not_there_is_said(found, filters, said):
    with pytest.raises(FilterError, match=said):
        found(**filters)


def test_weeks_until():
    assert weeks_until("2021-W01", 2) == ["2020-W53", "2021-W01"] and weeks_until("2021-W01", 1) == ["2021-W01"]
    assert weeks_until("", 8) is None and weeks_until("undated", 8) == ["undated"]
    with pytest.raises(ValueError, match="不是一周"):
        weeks_until("2021-01", 2)

import pytest

from voc_lib.report.theme import (
    DARK, LIGHT, count_text, day_label, number_text, points_text, score_text, share_text, week_label, week_short)


@pytest.mark.parametrize("value, text", [
    (0, "0"), (9_999, "9,999"), (10_000, "1万"), (12_340, "1.2万"), (99_999_499, "9,999.9万"), (99_999_500, "1亿"),
    (123_456_789, "1.2亿"), (-1_234, "−1,234"), (-0.2, "0"), (None, "—"), (float("nan"), "—"), (float("inf"), "—"), (True, "—")])
def test_counts_in_chinese(value, text):
    assert count_text(value) == text


@pytest.mark.parametrize("value, text", [
    (0, "0%"), (1, "100%"), (0.5, "50%"), (0.2345, "23.4%"), (0.0002, "<0.1%"), (0.99981, ">99.9%"), (-0.1, "−10%"), (None, "—")])
def test_shares_never_round_to_nothing_or_all(value, text):
    assert share_text(value) == text


def test_a_difference_of_shares_is_in_points_not_per_cent():
    assert points_text(-0.0312) == "3.1 个百分点"
    assert "%" not in points_text(0.5)


def test_number_by_unit():
    assert [number_text(0.5, unit) for unit in ("share", "points", "count")] == ["50%", "0.50", "0"]
    assert score_text(-9, 0) == "−9"


@pytest.mark.parametrize("period, label", [
    ("2020-W24", "2020年第24周（6月8日—14日）"), ("2020-W27", "2020年第27周（6月29日—7月5日）"),
    ("2020-W53", "2020年第53周（2020年12月28日—2021年1月3日）"), ("2026-W01", "2026年第1周（2025年12月29日—2026年1月4日）"),
    ("undated", "无日期")])
def test_week_labels(period, label):
    assert week_label(period) == label


@pytest.mark.parametrize("wrong", ["2020-24", "2021-W53", "2020-W00", "", "2020-W24x"])
def test_what_is_not_a_week_is_refused_in_chinese(wrong):
    with pytest.raises(ValueError, match="ISO 周"):
        week_label(wrong)


def test_short_labels():
    assert week_short("2020-W05") == "第5周" and week_short("undated") == "无日期" and day_label(None) == "无日期"


def test_light_colours_are_distinct_so_that_the_page_can_exchange_them():
    assert LIGHT.keys() == DARK.keys() and len(set(LIGHT.values())) == len(LIGHT)


def _luminance(colour):
    parts = [int(colour[place:place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colours", [LIGHT, DARK])
@pytest.mark.parametrize("name, least", [("ink", 7), ("soft", 4.5), ("red", 4.5), ("green", 4.5), ("amber", 4.5), ("blue", 4.5), ("faint", 3.5)])
def test_text_colours_can_be_read_on_paper(colours, name, least):
    """WCAG 2 contrast: 4.5 for text, 7 for the main text."""
    light, dark = sorted((_luminance(colours[name]), _luminance(colours["paper"])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= least

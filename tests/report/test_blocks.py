import datetime as dt

import polars as pl
import pytest

from voc_lib.report.blocks import card, cards, headline, lead, note, status_line, verbatim_list
from voc_lib.report.markup import MIME, block_html
from voc_lib.report.sparkline import band_line


def bundle(block):
    return block._repr_mimebundle_()


def test_a_block_is_a_description_and_the_same_html_in_jupyterlab():
    shown = bundle(lead("刹车<异响>"))
    assert shown[MIME] == {"kind": "lead", "sentences": [[["刹车<异响>", ""]]]}
    assert str(block_html(shown[MIME])) in shown["text/html"] and "<异响>" not in shown["text/html"]


def test_a_card_from_a_comparison(comparison):
    item = card("低分", comparison())
    assert (item["text"], item["change"], item["before"], item["tone"]) == ("23.5%", "↑ 上升", "上周 20.4%", "worse")
    drawn = item["range"]    # half the interval of the difference, around the value before
    assert (round(drawn["low"], 3), round(drawn["high"], 3)) == (0.183, 0.225) and drawn["least"] < 0.183 and drawn["most"] > 0.235


@pytest.mark.parametrize("metric, verdict, tone", [
    ("mean_rating", "rise", "better"), ("mean_rating", "fall", "worse"), ("low_rating_share", "fall", "better"), ("people", "rise", "strong"),
    ("people", "within_error", "flat")])
def test_good_and_bad_follow_the_metric(comparison, metric, verdict, tone):
    assert card("x", comparison(metric=metric, verdict=verdict))["tone"] == tone


def test_a_card_of_a_suppressed_or_plain_number(comparison, estimates):
    suppressed = card("x", comparison(verdict="suppressed", estimate=None, baseline=None, conf_low=None, conf_high=None))
    assert suppressed["text"] == "不足10人" and "range" not in suppressed and (suppressed["change"], suppressed["before"]) == ("", "")
    assert 'class="big few"' in block_html({"kind": "cards", "items": [suppressed]})
    assert card("x", 12_345)["text"] == "1.2万" and card("x", None)["text"] == "—"
    assert "range" in card("", estimates(a=0.3)) and card("", estimates(a=0.3))["name"] == "低分占比"
    with pytest.raises(ValueError, match="要一行"):
        card("x", estimates(a=0.3, b=0.4))


def test_a_headline_has_three_to_five_numbers():
    assert headline([card("x", 1)] * 3).description["kind"] == "headline"
    for wrong in (2, 6):
        with pytest.raises(ValueError, match="3 到 5"):
            headline([card("x", 1)] * wrong)


def test_quotes_are_cut_joined_and_placed():
    frame = pl.DataFrame({"verbatim": ["好" * 200, None], "title": ["题", "只有\n标题"], "followup": [None, "追"], "channel": ["shop", "x"],
                          "product": [None, "A7"], "region": ["江苏", None], "local_date": [dt.date(2020, 6, 9), None]})
    first, second = verbatim_list(frame, {"shop": "网店"}).description["items"]
    assert len(first["quote"]) == 160 and first["quote"].endswith("…") and first["where"] == ["网店", "江苏", "6月9日"]
    assert second == {"quote": "只有 标题", "followup": "追", "where": ["x", "A7", "无日期"]}
    assert "没有可引用" in verbatim_list(frame.clear()).description["note"]


def test_status_and_note():
    items = status_line(渠道=12_000, 迟到="✓ 无", 未归类="! 38%").description["items"]
    assert [(item["text"], item["tone"]) for item in items] == [("1.2万", ""), ("✓ 无", "better"), ("! 38%", "worse")]
    assert 'class="note warn"' in block_html(note("x", "warn").description) and 'class="note"' in block_html(note("x", "<b>").description)


def test_a_forged_block_is_escaped_or_refused():
    attack = '"><script>x</script>'
    html = block_html({"kind": "cards", "items": [{"name": attack, "text": attack, "change": attack, "tone": attack, "note": attack}]})
    assert "<script" not in html and 'class="change flat"' in html
    for forged in ({"kind": "html", "html": attack}, {"kind": "cards"}, {"kind": "movers", "legend": "", "rows": ["x"]}):
        with pytest.raises(ValueError, match="展示内容"):
            block_html(forged)
    with pytest.raises(ValueError):
        block_html({"kind": "chart", "title": "", "height": attack})


def test_cards_keep_their_order():
    assert [item["name"] for item in cards([card("乙", 1), card("甲", 2)]).description["items"]] == ["乙", "甲"]


def test_a_sparkline_breaks_at_a_gap_and_draws_the_band():
    drawn = band_line({"series": [1, 2, None, 4, None, 6], "low": 1, "high": 3}, "flat")
    assert drawn.count("<polyline") == 3 and drawn.count('class="speck') == 2 and drawn.count('class="band"') == 1
    assert "正常波动1～3人" in drawn and "近6周" in drawn
    empty = band_line({"series": [], "low": None, "high": None}, "flat")
    assert "<polyline" not in empty and "band" not in empty

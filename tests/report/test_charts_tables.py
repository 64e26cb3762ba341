import datetime as dt

import polars as pl
import pytest

from voc_lib.report import charts
from voc_lib.report.charts import chart_bars, chart_channels, chart_movers, chart_trend, tally
from voc_lib.report.markup import MIME, block_html
from voc_lib.report.tables import table, table_channels, table_estimates


def test_every_chart_counts_itself(overview, estimates):
    before = tally().description["charts"]
    first, second = chart_channels(overview), chart_bars(estimates(a=0.2))
    assert [first.description["number"], second.description["number"]] == [before + 1, before + 2]
    assert tally().description["charts"] == before + 2


def test_a_chart_shows_in_jupyterlab_with_its_title(overview):
    shown = chart_channels(overview)._repr_mimebundle_()
    assert shown[charts.PLOTLY_MIME]["layout"]["title"]["text"] == "各渠道听到多少人" and "title" not in shown[MIME]["figure"]["layout"]


def test_channels_largest_on_top_with_the_week_before(overview):
    bars, ticks, numbers = chart_channels(overview, {"app_store": "应用<b>商店"}).figure["data"]
    axis = chart_channels(overview, {"app_store": "应用<b>商店"}).figure["layout"]["yaxis"]
    assert bars["x"] == [644, 1180] and axis["ticktext"] == ["complaint_site", "应用&lt;b&gt;商店"]
    assert ticks["x"] == [None, 1240] and numbers["x"] == [644, 1240]    # the number stands beyond bar and tick
    assert "上周无数据" in bars["hovertext"][0]


def test_a_withheld_channel_is_not_drawn_as_nobody(overview):
    few = overview.with_columns(people=pl.when(pl.col("channel") == "app_store").then(pl.col("people")))
    bars, _, numbers = chart_channels(few).figure["data"]
    assert bars["x"] == [None, 1180] and numbers["text"][0].strip() == "不足10人" and "本周 不足10人" in bars["hovertext"][0]
    assert table_channels(few).description["rows"][1][1]["text"] == "不足10人"


def test_the_trend_breaks_where_a_week_is_missing_or_suppressed(estimates):
    series = estimates("iso_week", **{"2020-W20": 0.1, "2020-W21": 0.2, "2020-W23": 0.3, "2020-W24": None, "undated": 0.9})
    *bands, alone, line, last = chart_trend(series).figure["data"]
    assert alone["x"] == ["2020-06-01"] * 2 and [round(value) for value in alone["y"]] == [27, 34]    # a week by itself has its interval too
    assert line["x"] == ["2020-05-11", "2020-05-18", "2020-05-25", "2020-06-01", "2020-06-08"]
    assert line["y"] == [10, 20, None, 30, None] and line["connectgaps"] is False
    assert len(bands) == 1 and bands[0]["x"] == ["2020-05-11", "2020-05-18", "2020-05-18", "2020-05-11"]
    assert last["x"] == ["2020-06-01"] and last["text"] == ["<b>30%</b>"]


def test_the_trend_of_nothing_is_refused(estimates):
    with pytest.raises(ValueError, match="趋势图"):
        chart_trend(estimates("iso_week", undated=0.2))


def test_few_labels_on_the_time_axis(estimates):
    weeks = {f"2020-W{week:02d}": 0.1 for week in range(1, 41)}
    ticks = chart_trend(estimates("iso_week", **weeks)).figure["layout"]["xaxis"]["tickvals"]
    assert len(ticks) <= charts.TICKS and ticks[-1] == "2020-09-28"    # Monday of W40


def test_bars_have_whiskers_and_name_who_is_withheld(estimates):
    chart = chart_bars(estimates(甲=0.1, 乙=0.3, 丙=None))
    dots = chart.figure["data"][0]
    assert chart.figure["layout"]["yaxis"]["ticktext"] == ["甲", "乙"] and dots["x"] == [10, 30]    # plotly draws upwards
    assert [round(value, 6) for value in dots["error_x"]["array"]] == [4, 4] and [round(v, 6) for v in dots["error_x"]["arrayminus"]] == [3, 3]
    assert chart.description["note"] == "不足10人，不单列：丙"


def test_two_groups_of_one_shortened_name_stay_two(estimates):
    chart = chart_bars(estimates(**{"很长很长很长很长很长很长的名字" + end: 0.2 for end in "甲乙"}))
    assert chart.figure["data"][0]["y"] == [0, 1] and chart.figure["layout"]["yaxis"]["ticktext"] == ["很长很长很长很长很长很长的…"] * 2
    assert {text[3:19] for text in chart.figure["data"][0]["hovertext"]} == {"很长很长很长很长很长很长的名字甲", "很长很长很长很长很长很长的名字乙"}


def test_movers_say_direction_by_word_and_arrow_and_hide_the_withheld(mover):
    block = chart_movers(pl.DataFrame([mover(), mover(verdict="suppressed", people=4.0, people_baseline=3.0, note="<新>")]))
    first, second = block.description["rows"]
    assert (first["title"], first["word"], first["people"], first["before"], first["tone"]) == ("方向盘抖动", "↑ 上升", "21 人", "上周不足10人", "worse")
    assert (second["people"], second["before"], second["series"], second["high"]) == ("不足10人", "", [], None)
    html = block_html(block.description)
    assert "第13周到第24周" in html and "&lt;新&gt;" in html and html.count("<li>") == 2
    assert block_html(chart_movers(pl.DataFrame([mover()]).clear()).description).count("<li>") == 0


def test_a_note_of_every_mover_is_said_once(mover):
    together = chart_movers(pl.DataFrame([mover(note="历史不足"), mover(note="历史不足")]))
    assert block_html(together.description).count("历史不足") == 1
    apart = chart_movers(pl.DataFrame([mover(note="甲渠道停了"), mover()]))
    assert apart.description["note"] == "" and block_html(apart.description).count("甲渠道停了") == 1


def test_a_withheld_number_says_so_in_tables(estimates):
    description = table_estimates(estimates(甲=0.25, 丙=None)).description
    assert [cell["text"] for cell in description["rows"][0]] == ["甲", "25%", "48", ""]
    assert description["rows"][0][1]["small"] == "22%～29%"
    assert [cell["text"] for cell in description["rows"][1]] == ["丙", "不足10人", "不足10人", "不足10人，不单列"]
    assert [column["title"] for column in table_estimates(estimates(甲=0.25)).description["columns"]] == ["产品", "低分占比", "人数"]


def test_the_table_of_channels(overview):
    rows = table_channels(overview, {"app_store": "应用商店"}).description["rows"]
    assert [cell["text"] for cell in rows[0]] == ["应用商店", "1,180", "≈ 在误差范围内", "23.5%", "应用·登录失败", "42%", "2%"]
    assert rows[1][3]["text"] == "无评分或不足10人" and rows[1][2]["small"] == "" and rows[1][4]["text"] == "—"


def test_a_range_and_a_number_with_its_unit_stay_on_one_line():
    def drawn(text, small, tone="number"):
        return block_html({"kind": "table", "columns": [{"title": "数"}], "rows": [[{"text": text, "tone": tone, "small": small}]], "caption": "", "note": ""})

    assert '<td class="number short" data-label="数"><span>−35.39～51.52</span>' in drawn("−35.39～51.52", None)
    assert "<small><span>−6.15～24.49，</span><span>112 人，</span><span>等效 104 &lt;b&gt;</span></small>" in drawn("9.17", "−6.15～24.49，112 人，等效 104 <b>")
    assert "<small>要分成几行才写得下的一句很长的话，</small>" in drawn("9.17", "要分成几行才写得下的一句很长的话，")
    assert "<small>一处，另一处</small>" in drawn("这一格里是很长的一句话", "一处，另一处", None) and "short" not in drawn("没有一处是数的一句话，写在数的一列里", None)


def test_any_frame_as_a_table():
    frame = pl.DataFrame({"channel": ["<b>", None], "share": [0.5, None], "rows": [12_345, 0], "ok": [True, False],
                          "last_seen": [dt.datetime(2020, 6, 8, 9, 5), None], "codes": [["a", "b"], []]})
    description = table(frame, titles={"ok": "可用"}, most=1).description
    assert [column["title"] for column in description["columns"]] == ["渠道", "占发声者", "行数", "可用", "last_seen", "问题"]
    assert [cell["text"] for cell in description["rows"][0]] == ["<b>", "50%", "12,345", "是", "2020-06-08 09:05", "a、b"]
    assert description["note"] == "共 2 行，这里列出前 1 行。" and "&lt;b&gt;" in block_html(description)

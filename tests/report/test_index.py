"""`reports/index.html`: all weeks by store, how the numbers went, draft or signed; and it trusts no folder."""

from __future__ import annotations

import json
import os
import re
from datetime import datetime

import pytest

from voc_lib.report.index import index_page, read_manifest


@pytest.fixture
def reports(tmp_path):
    folder = tmp_path / "报 告"
    folder.mkdir()
    return folder


def week(reports, name, manifest):
    (reports / name).mkdir()
    (reports / name / "manifest.json").write_text(manifest if isinstance(manifest, str) else json.dumps(manifest, ensure_ascii=False), "utf-8")
    return reports / name


def number(value, text, name="听到的人", unit="人"):
    return {"name": name, "value": value, "text": text, "unit": unit}


def plain(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html[html.index("<main>"):]))


def test_weeks_by_store_and_year_the_latest_first_and_escaped(reports):
    for label in ("2019-W52", "2020-W01", "2020-W02"):
        week(reports, label, {"store": "mine", "week": label, "headline": [number(12, "12", "<b>人"), "坏"]})
    week(reports, "2020-W03-银行", {"store": "银行", "week": "2020-W03", "notice": "合成样例数据"})
    week(reports, "undated-forum", {"store": "forum", "week": None, "headline": [number(40, "40")]})
    html = index_page(reports).read_text("utf-8")
    said = plain(html)
    order = ["库 银行 合成样例数据", "2020年第3周（1月13日—19日）", "库 mine", "2020年，2 周", "2020年第2周", "2020年第1周（2019年12月30日—2020年1月5日）", "2019年，1 周", "2019年第52周",
             "库 forum", "最新 ：不分周"]
    place = 0
    for part in order:  # each after the one before it
        place = said.index(part, place)
    assert "已发布 4 周" in html
    assert 'href="2020-W03-银行/index.html"' in html and "&lt;b&gt;人" in html and "<script" not in html
    assert html == index_page(reports).read_text("utf-8")


def test_the_trend_is_a_line_and_words_and_breaks_where_a_week_is_missing(reports):
    for label, share in (("2020-W20", 0.2), ("2020-W21", 0.35), ("2020-W23", 0.3), ("2020-W24", 0.25)):
        week(reports, label, {"store": "mine", "week": label, "headline": [number(share, f"{share:.0%}", "低分占比", ""), number(None, "不足10人", "听到的人", "")]})
    html = index_page(reports).read_text("utf-8")
    assert "4 周里最低 20%（第20周），最高 35%（第21周）" in plain(html)
    trend = re.search(r'<ul class="trends">.*?</ul>', html)[0]
    assert trend.count("<li>") == 1 and trend.count("<polyline") == 2 and "低分占比：4 周里最低" in trend  # a number never known has no line
    points = [tuple(map(float, pair.split(","))) for line in re.findall(r'points="([^"]+)"', trend) for pair in line.split()]
    # five weeks, 57.5 apart; from nought at 40 to the most (0.35) at 8: 40 - 32 * 0.2 / 0.35 = 21.7
    assert points == [(4, 21.7), (61.5, 8), (176.5, 12.6), (234, 17.1)]


def test_draft_or_signed_by_whom_and_whether_notes_changed_since(reports):
    at = datetime(2020, 6, 15, 9, 30)
    for label, since in (("2020-W23", -60), ("2020-W24", 60)):
        folder = week(reports, label, {"store": "mine", "week": label, "signed": {"by": "王<b>丽", "at": at.isoformat()}})
        (folder / "notes.yaml").write_text("x", "utf-8")
        os.utime(folder / "notes.yaml", (at.timestamp() + since,) * 2)
    week(reports, "2020-W25", {"store": "mine", "week": "2020-W25"})
    week(reports, "2020-W22", {"store": "mine", "week": "2020-W22", "signed": {"by": "李", "at": "昨天"}})
    said = plain(index_page(reports).read_text("utf-8"))
    rows = dict(zip((25, 24, 23, 22), re.split(r"2020年第2\d周（[^）]+）", said)[2:], strict=True))  # the first is that of 最新一周
    assert "草稿" in rows[25] and "定稿" not in rows[25]
    assert "定稿 王&lt;b&gt;丽 2020-06-15 09:30 ，定稿后笔记有改动" in rows[24]
    assert "定稿 王&lt;b&gt;丽 2020-06-15 09:30" in rows[23] and "改动" not in rows[23]
    assert "定稿 李 昨天" in rows[22]


def test_what_is_not_ours_is_named_and_nothing_falls(reports):
    week(reports, "2020-W24", {"store": "mine", "week": "2020-W24", "headline": "x", "signed": "yes"})
    week(reports, "2020-W23", "{坏")
    week(reports, "别人的", {"a": 1})
    week(reports, "list", "[1]")
    week(reports, "odd", {"store": "odd", "week": 7, "headline": [{"name": "a", "text": 3, "value": "x"}, 5], "signed": {"by": 1, "at": 2}})
    (reports / ".failed" / "2020-W21").mkdir(parents=True)
    (reports / ".failed" / "2020-W21" / "manifest.json").write_text("{}", "utf-8")
    html = index_page(reports).read_text("utf-8")
    named = re.findall(r'class="note alarm">(.+?)：清单', html)
    assert named == ["2020-W23", "list", "别人的"] and ".failed" not in html and "草稿" in html and "库 odd" in html
    assert read_manifest(reports / "2020-W23") is None and read_manifest(reports / "none") is None


def test_the_latest_of_each_store_and_of_the_usual_one(reports, home):
    for name, store, label in (("2020-W24", "sample", "2020-W24"), ("2020-W25-银行", "银行", "2020-W25"), ("2020-W23", "sample", "2020-W23")):
        week(reports, name, {"store": store, "week": label})
    (reports / "latest-gone.html").write_text("x", "utf-8")
    index_page(reports)
    leads = {path.name: re.search(r'content="0; url=([^"]+)"', path.read_text("utf-8"))[1] for path in reports.glob("latest*.html")}
    usual = "2020-W24/index.html"  # the store of voc.toml, not the newest of all
    assert leads == {"latest.html": usual, "latest-sample.html": usual, "latest-银行.html": "2020-W25-银行/index.html"}
    assert "default-src &#x27;none&#x27;" in (reports / "latest.html").read_text("utf-8")


def test_a_pdf_beside_the_page_is_linked(reports):
    folder = week(reports, "2020-W24", {"store": "mine", "week": "2020-W24"})
    assert "PDF" not in index_page(reports).read_text("utf-8")
    (folder / "2020-W24.pdf").write_bytes(b"%PDF-")
    assert 'href="2020-W24/2020-W24.pdf"' in index_page(reports).read_text("utf-8")


def test_no_weeks_at_all(reports):
    assert "还没有发布过周报" in index_page(reports).read_text("utf-8") and not list(reports.glob("latest*"))

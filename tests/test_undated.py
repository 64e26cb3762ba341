"""A store without a single date: a page of its own that says so, from exports to HTML."""

from __future__ import annotations

import json
import re

import pytest

from voc_lib import pipeline
from voc_lib.collect.ingest import ingest
from voc_lib.enrich.run import enrich
from voc_lib.pipeline import RunError

CONTRACT = """
channel: forum
title: 车友论坛
owner: 质量部
base: vehicles
solicited: false
cannot_tell: 没有日期和作者。
timezone: Asia/Shanghai
read: {glob: "forum/*.csv"}
columns: {source_id: "id", verbatim: '"text"', author_kind: "'unknown'"}
"""


@pytest.fixture
def forum(home):
    """A store of 40 feedback, 30 of them about the brakes' noise, none dated."""
    (home / "data" / "domains" / "auto" / "channels" / "forum.yaml").write_text(CONTRACT, "utf-8")
    folder = home / "exports" / "forum"
    folder.mkdir(parents=True)
    lines = [f"{at},第{at}次刹车异响，踩下去有声音" for at in range(30)] + [f"{at},<script>alert({at})</script>路过看看" for at in range(30, 40)]
    (folder / "posts.csv").write_text("\n".join(["id,text", *lines]), "utf-8")
    ingest("forum", home / "exports", "auto")
    return home


def test_weekly_gives_a_page_without_weeks_that_says_so(forum):
    run = pipeline.weekly("forum")
    assert run.week is None and run.page == forum / "reports" / "undated-forum" / "index.html"
    html = run.page.read_text("utf-8")
    text = re.sub(r"<script.*?</script>|<[^>]+>", "", html, flags=re.S)
    assert "总览（无日期）" in text and "没有日期，不分周" in text and "这 40 条反馈都没有日期" in text and "比不出升降" in text
    assert "刹车异响" in text and "75%" in text    # 30 of 40
    assert not re.search(r"第\d+周|上周 |\d{4}-W\d\d", text)
    assert "<script>alert" not in html and "没有任何带日期的反馈" in (run.page.parent / "data_health.html").read_text("utf-8")
    manifest = json.loads((run.page.parent / "manifest.json").read_text("utf-8"))
    assert manifest["week"] is None and [item["name"] for item in manifest["headline"]] == ["反馈", "听到的人", "说到具体问题的人"]
    listed = (forum / "reports" / "index.html").read_text("utf-8")
    assert 'href="undated-forum/index.html"' in listed and "库 forum" in listed and "不分周" in listed and "已发布 0 周" in listed


def test_a_week_of_a_store_without_dates_is_refused_with_what_to_do(forum):
    with pytest.raises(RunError, match="40 条反馈都没有日期.*不写 --week"):
        pipeline.weekly("forum", "2026-W46")
    assert not (forum / "reports" / "undated-forum").exists()


def test_a_notebook_with_filters_reads_the_undated_too(forum):
    enrich("forum")
    run = pipeline.render("verbatims", {"store": "forum", "period": "undated", "word": "刹车"})
    text = run.page.read_text("utf-8")
    assert run.headline[0]["text"] == "30" and "没有日期，不分周" in text


def test_the_real_bank_forum_gets_its_page(shared, home):
    ingest("real_bank", shared / "data", "public_bank")
    run = pipeline.weekly("real_bank")
    text = run.page.read_text("utf-8")
    assert run.page.parent.name == "undated-real_bank" and "条反馈都没有日期" in text and "信用卡" in text
    assert run.headline[0]["value"] > 5_000

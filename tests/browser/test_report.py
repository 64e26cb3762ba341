"""The pages of a week as `voc weekly` publishes them, made from the bundled sample, in Debian's Chromium with no network."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser
WIDE, PHONE = {"width": 1200, "height": 900}, {"width": 390, "height": 844}
FIGURES = {"index": 3, "data_health": 1}


@pytest.fixture
def pages(drafted):
    """The folder reports/<week> of the sample."""
    return drafted / "reports" / "2026-W46"


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize(("viewport", "scheme"), [(WIDE, "light"), (WIDE, "dark"), (PHONE, "light")])
def test_every_figure_is_drawn_and_nothing_scrolls_sideways(pages, visit, name, viewport, scheme):
    seen = visit(pages / f"{name}.html", viewport=viewport, color_scheme=scheme)
    assert seen.page.locator(".js-plotly-plot").count() == FIGURES[name]
    assert seen.page.evaluate("document.body.dataset.drawn") == str(FIGURES[name])
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert seen.console == [] and len(seen.requests) == 1 and "合成样例数据" in seen.page.locator("header").text_content()


def test_contents_and_neighbouring_pages_can_be_reached(pages, visit):
    seen = visit(pages / "index.html", viewport=WIDE)
    links = seen.page.locator("nav.contents ol a")
    assert links.count() == 10
    for link in links.all():
        link.click()
        seen.page.wait_for_function("href => decodeURIComponent(location.hash) === href", arg=link.get_attribute("href"))
        assert seen.page.evaluate("document.getElementById(decodeURIComponent(location.hash.slice(1))) !== null")
    seen.page.get_by_role("link", name="数据体检").first.click()
    seen.page.wait_for_url("**/data_health.html")
    seen.page.get_by_role("link", name="客户之声周报").first.click()
    seen.page.wait_for_url("**/index.html")


def test_the_planted_story_leads_the_page(pages, visit):
    text = visit(pages / "index.html", viewport=WIDE).page.locator("main").text_content()
    assert "变化最大的是空调·运转异响" in text and "疑似异常" in text and "谁没有被代表" in text


@pytest.mark.parametrize("viewport", [WIDE, PHONE])
def test_every_number_opens_in_the_page_and_closes_again(pages, visit, viewport):
    seen = visit(pages / "index.html", viewport=viewport)
    numbers = seen.page.locator("main .card .opens, main .movers .opens, main .issue .opens")
    assert numbers.count() >= 9
    for number in numbers.all():
        number.click()
        box = seen.page.locator(".source:popover-open")
        inside = box.bounding_box()
        assert inside["x"] >= 0 and inside["x"] + inside["width"] <= viewport["width"] and inside["height"] > 150
        text = box.text_content()
        assert "SELECT feedback_id" in text and "快照" in text and "定义" in text
        assert box.locator("li").count() <= 20
        box.get_by_role("button", name="关闭").click()
        assert seen.page.locator(".source:popover-open").count() == 0
    seen.page.emulate_media(media="print")
    assert not any(box.is_visible() for box in seen.page.locator(".source").all()) and seen.console == []


def test_the_page_prints_on_a4_without_cutting_a_figure(pages, visit, tmp_path):
    seen = visit(pages / "index.html", viewport=WIDE, color_scheme="dark")
    seen.page.emulate_media(media="print")
    seen.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    seen.wait()
    widths = seen.page.evaluate("[...document.querySelectorAll('.js-plotly-plot .main-svg')].map(e => e.getBoundingClientRect().width)")
    assert widths and max(widths) <= 700
    seen.page.pdf(path=tmp_path / "page.pdf", format="A4", print_background=True)
    assert (tmp_path / "page.pdf").stat().st_size > 20_000


@pytest.mark.parametrize("name", FIGURES)
def test_no_table_is_wider_than_paper(pages, visit, name):
    seen = visit(pages / f"{name}.html", viewport={"width": 672, "height": 900})    # A4 less 2 x 16 mm
    seen.page.emulate_media(media="print")
    assert seen.page.locator("table").count() > 0
    assert seen.page.evaluate("Math.max(...[...document.querySelectorAll('table')].map(t => t.getBoundingClientRect().width - t.parentElement.getBoundingClientRect().width))") <= 0

"""What a manager's browser does with a page: draws everything, scrolls one way, asks nobody, runs nothing of strangers."""

import json
import re

import pytest

pytestmark = pytest.mark.browser
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"    # the one thing a page carries to be saved
WIDE, PHONE = {"width": 1200, "height": 900}, {"width": 390, "height": 844}
LOOKS = [(WIDE, "light"), (WIDE, "dark"), (PHONE, "light"), (PHONE, "dark")]
FIGURES = 4


@pytest.mark.parametrize("viewport, scheme", LOOKS)
def test_drawn_quiet_and_no_wider_than_the_screen(hostile, visit, viewport, scheme):
    seen = visit(hostile, viewport=viewport, color_scheme=scheme)
    assert seen.page.locator(".js-plotly-plot .main-svg:first-of-type").count() == FIGURES
    assert seen.page.evaluate("document.body.dataset") == {"figures": str(FIGURES), "drawn": str(FIGURES)}
    assert seen.page.locator(".note.alarm").count() == 0
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    too_wide = "[...document.querySelectorAll('main *:not(svg *)')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"
    assert seen.page.evaluate(too_wide) == []
    assert seen.console == [] and seen.requests == [hostile.as_uri()[:100]] and seen.dialogs == []


def test_nothing_of_strangers_runs_even_when_everything_is_touched(hostile, visit):
    seen = visit(hostile, viewport=WIDE)
    for link in seen.page.locator("main a, nav a").all():
        address = (link.get_attribute("href") or "").lower()
        assert not address.startswith("javascript") and (not address.startswith("data") or address.startswith(f"data:{XLSX};base64,"))
    for plot in seen.page.locator(".js-plotly-plot .nsewdrag").all():
        plot.scroll_into_view_if_needed()
        box = plot.bounding_box()
        for step in range(1, 8):
            seen.page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + box["height"] * step / 8)
            seen.wait()
    assert seen.page.evaluate("[typeof window.pwned, document.querySelectorAll('main script:not([type=\"application/json\"]), iframe, main svg[onload]').length]") == ["undefined", 0]
    assert seen.requests == [hostile.as_uri()[:100]] and seen.dialogs == [] and seen.console == []


def test_hostile_words_are_shown_as_words(hostile, visit):
    text = visit(hostile, viewport=WIDE).page.evaluate("document.querySelector('main').textContent")
    assert text.count("<script>window.pwned=1</script>") > 5 and "\u202e" not in text and "好评差" in text


def test_the_hover_of_a_chart_shows_the_label_as_words(hostile, visit):
    seen = visit(hostile, viewport=WIDE)
    bar = seen.page.locator(".js-plotly-plot .point path").first
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    seen.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    seen.page.wait_for_selector(".hoverlayer text")
    assert "<img src=x onerror=window.pwned=1>" in seen.page.locator(".hoverlayer").first.text_content()


def test_contents_links_lead_to_their_headings(hostile, visit):
    seen = visit(hostile, viewport=WIDE, reduced_motion="reduce")
    links = seen.page.locator("nav.contents ol a")
    assert links.count() == 5
    for link in links.all():
        link.click()
        seen.page.wait_for_function("href => decodeURIComponent(location.hash) === href", arg=link.get_attribute("href"))    # a busy machine goes there a moment later
        anchor = seen.page.evaluate("decodeURIComponent(location.hash.slice(1))")
        assert "%" not in link.get_attribute("href") and link.text_content() == seen.page.evaluate("id => document.getElementById(id).textContent", anchor)
        seen.page.wait_for_function("id => { const top = document.getElementById(id).getBoundingClientRect().top; return top > -5 && top < innerHeight }", arg=anchor)


def test_dark_reaches_into_the_figures_and_follows_a_change(hostile, visit):
    seen = visit(hostile, viewport=WIDE, color_scheme="light")
    colour = "getComputedStyle(document.querySelector('.js-plotly-plot .point path')).fill"
    light = seen.page.evaluate(colour)
    seen.page.emulate_media(color_scheme="dark")
    seen.page.wait_for_function(f"() => {colour} !== '{light}'")
    assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 22, 27)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_print_is_light_has_no_contents_and_no_figure_is_cut(hostile, visit, scheme, tmp_path):
    seen = visit(hostile, viewport=WIDE, color_scheme=scheme)
    seen.page.evaluate("""() => addEventListener('beforeprint', () => {
        window.printed = [...document.querySelectorAll('.main-svg:first-of-type')].map(svg => Number(svg.getAttribute('width')))})""")
    assert seen.page.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True)[:5] == b"%PDF-"
    assert seen.page.evaluate("window.printed") == [672] * FIGURES    # A4 less 2 x 16 mm = 178 mm = 672 px
    seen.page.wait_for_function("() => Number(document.querySelector('.main-svg').getAttribute('width')) !== 672")    # and back again
    seen.page.emulate_media(media="print")
    assert seen.page.evaluate("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector('nav')).display]") == \
        ["rgb(255, 255, 255)", "none"]


SANKEY = {"data": [{"type": "sankey", "arrangement": "snap", "node": {"label": ["论坛", "热线", "工单"], "pad": 22}, "link": {"source": [0, 1], "target": [1, 2], "value": [3, 2]}}], "layout": {"height": 220}}


def test_a_sankey_is_whole_on_paper_at_once(hostile, visit, tmp_path):
    """Redrawn, it would glide to its new place for half a second, and paper shows it half-way: bands not yet there, the last node beyond the edge."""
    other = tmp_path / "sankey.html"
    other.write_text(re.sub(r'(<figure class="chart.*?<script type="application/json">).*?(</script>)', lambda found: found[1] + json.dumps(SANKEY) + found[2],
                            hostile.read_text(encoding="utf-8"), count=1, flags=re.DOTALL), encoding="utf-8")
    seen = visit(other, viewport=WIDE)
    seen.page.wait_for_timeout(1000)  # until it stands still on the screen
    seen.page.evaluate("""() => addEventListener('beforeprint', () => {
        const right = Math.max(...[...document.querySelectorAll('.sankey .node-rect')].map(node => node.getBoundingClientRect().right));
        const bands = [...document.querySelectorAll('.sankey-link')].map(band => getComputedStyle(band).opacity);
        window.printed = [right <= document.querySelector('.sankey').closest('.main-svg').getBoundingClientRect().right, bands]})""")
    seen.page.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True)
    assert seen.page.evaluate("window.printed") == [True, ["1", "1"]]


def test_the_policy_stops_a_script_that_got_in_all_the_same(hostile, visit, tmp_path):
    """The second lock by itself: as if the escaping door had failed."""
    broken = tmp_path / "broken.html"
    broken.write_text(hostile.read_text(encoding="utf-8").replace("</main>", "<script>window.pwned=1</script><img src=x onerror=window.pwned=1></main>"), encoding="utf-8")
    seen = visit(broken, viewport=WIDE)
    assert seen.page.evaluate("typeof window.pwned") == "undefined"
    assert any("Content Security Policy" in line for line in seen.console)


def test_a_figure_that_cannot_be_drawn_is_said_on_the_page(hostile, visit, tmp_path):
    broken = tmp_path / "broken.html"
    broken.write_text(hostile.read_text(encoding="utf-8").replace('<script type="application/json">{"data"', '<script type="application/json">{data', 1), encoding="utf-8")
    seen = visit(broken, viewport=WIDE)
    assert f"本页应有 {FIGURES} 张图，只画出 {FIGURES - 1} 张" in seen.page.locator("[role=alert]").text_content()


def test_the_list_of_weeks_opens_too(visit, tmp_path):
    from voc_lib.report.index import index_page
    from voc_lib.report.site import publish

    (tmp_path / "a.html").write_text("<title>第24周</title>", encoding="utf-8")
    for week, people in ((23, 1_234), (24, 12)):
        numbers = [{"name": "<svg onload=window.pwned=1>", "text": str(people), "value": people, "unit": "人"}]
        publish({"index": tmp_path / "a.html"}, {"store": "mine", "week": f"2020-W{week}", "headline": numbers}, tmp_path / "reports" / f"2020-W{week}")
    seen = visit(index_page(tmp_path / "reports"), viewport=PHONE, color_scheme="dark")
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 390 and seen.console == [] and len(seen.requests) == 1
    assert seen.page.locator("svg.drawn .trace").count() == 1 and seen.page.locator("caption").bounding_box()["height"] < 60
    assert seen.page.evaluate("typeof window.pwned") == "undefined"
    seen.page.get_by_role("link").first.click()
    seen.page.wait_for_url("**/2020-W24/index.html")


@pytest.mark.parametrize("name", ["latest", "latest-mine"])
def test_the_latest_week_is_opened_by_itself(visit, tmp_path, name):
    from voc_lib.report.index import index_page
    from voc_lib.report.site import publish

    (tmp_path / "a.html").write_text("<title>第24周</title>", encoding="utf-8")
    publish({"index": tmp_path / "a.html"}, {"store": "mine", "week": "2020-W24"}, tmp_path / "报 告" / "2020-W24")
    index_page(tmp_path / "报 告")
    seen = visit(tmp_path / "报 告" / f"{name}.html", viewport=PHONE)
    seen.page.wait_for_url("**/2020-W24/index.html")
    assert seen.page.title() == "第24周" and seen.console == []

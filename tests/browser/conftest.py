"""Debian's Chromium without a network, and a page full of hostile words."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def required(what: str) -> None:
    """Skip for want of `what`; where VOC_REQUIRE_ALL=1 says that everything is installed, fail."""
    if os.environ.get("VOC_REQUIRE_ALL") == "1":
        pytest.fail(f"{what} is missing and VOC_REQUIRE_ALL=1")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="session")
def chromium():
    if not CHROMIUM.exists():
        required("Chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        required("playwright")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


class Visit:
    """A page opened offline, with all that it tried: requests, console messages, dialogs."""

    def __init__(self, browser, path: Path, **settings) -> None:
        self.context = browser.new_context(offline=True, **settings)
        self.page = self.context.new_page()
        self.requests, self.console, self.dialogs = [], [], []
        self.page.on("request", lambda request: self.requests.append(request.url[:100]))
        self.page.on("console", lambda message: self.console.append(message.text))
        self.page.on("pageerror", lambda error: self.console.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        self.page.goto(path.as_uri())
        self.page.wait_for_function("() => !Number(document.body.dataset.figures) || document.body.dataset.drawn !== undefined")

    def wait(self) -> None:
        """Two frames: plotly has drawn again."""
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.fixture
def visit(chromium):
    """Open a file: `visit(path, viewport={...}, color_scheme=...)`."""
    visits = []

    def opened(path, **settings):
        visits.append(Visit(chromium, path, **settings))
        return visits[-1]
    yield opened
    for one in visits:
        one.context.close()


FRAMES = r'''
import datetime as dt, polars as pl
from voc_lib.report.blocks import *; from voc_lib.report.charts import *; from voc_lib.report.sentences import *; from voc_lib.report.tables import *
bad = ["<script>window.pwned=1</script>", "</script><img src=x onerror=window.pwned=1>", "\"><svg onload=window.pwned=1>",
       "[x](javascript:window.pwned=1)", "`<iframe srcdoc='<script>parent.pwned=1</script>'>`", "好\u202e评\u200b差", "<a href='javascript:window.pwned=1'>点</a>"]
titles = {"shop": bad[1], "app": "应用商店"}
weeks = [f"2020-W{week}" for week in range(20, 25)]
movers = pl.DataFrame([{"code": f"系统-{text}-坏", "people": 20., "people_baseline": 3., "verdict": "rise", "share": .1, "series": [1., 2., None, 3., 20.],
                        "series_weeks": weeks, "band_low": 0., "band_high": 6., "note": text} for text in bad])
overview = pl.DataFrame({"channel": ["shop", "app"], "volume": [20, 30], "people": [18, 29], "people_baseline": [11, None], "verdict": ["rise", "within_error"],
                         "low_rating_share": [.2, None], "top_code": [bad[2], None], "coded_share": [.5, .6], "linked_share": [0., 0.], "no_author_share": [1., 0.]})
def estimates(by, names):
    return pl.DataFrame([{"metric": "low_rating_share", by: name, "kind": "heard", "estimate": .1 + .02 * i, "std_error": .01, "conf_low": .08 + .02 * i,
                          "conf_high": .13 + .02 * i, "n": 50, "people": 50, "effective_n": 50., "linked_share": 0., "note": bad[0], "provenance": "{}"}
                         for i, name in enumerate(names)])
quotes = pl.DataFrame({"verbatim": bad, "followup": bad, "channel": ["shop"] * 7, "product": bad, "region": bad, "local_date": [dt.date(2020, 6, 9)] * 7})
'''
CELLS = [
    ("md", "# 页\n\n答什么？"), ("parameters", 'name = "x"'), ("", FRAMES), ("", "status_line(来源=bad[0])"),
    ("headline", "headline([card(bad[1], 12), card('乙', 3), card('丙', None, note=bad[2])], say_movers(movers))"),
    ("md", "## 哪些变了？\n\n<script>window.pwned=1</script> [x](javascript:window.pwned=1) ![](https://example.org/a.png) <img src=x onerror=window.pwned=1>"),
    ("", "chart_movers(movers)"), ("md", "## 各渠道 <b>一样</b>吗？"), ("", "chart_channels(overview, titles)"), ("", "table_channels(overview, titles)"),
    ("", "chart_bars(estimates('product', bad), title=bad[0])"), ("", "table_estimates(estimates('product', bad))"), ("md", "## 按周如何？"),
    ("", "chart_trend(estimates('iso_week', weeks))"), ("md", "## 原话"), ("", "verbatim_list(quotes, titles)"),
    ("", "from IPython.display import display, HTML, Markdown, Javascript\nfor text in bad: display(HTML(text), Markdown(text), Javascript('window.pwned=1'))\nquotes"),
    ("", "import plotly.graph_objects as go\ngo.Figure(go.Bar(x=bad, y=[1] * 7, text=bad, hovertext=bad), {'title': bad[2], 'images': [{'source': 'https://example.org/b.png'}]})"),
    ("md", "## 方法与局限"), ("", "note(bad[1])"), ("", "name"),
]
FIGURES = 4


@pytest.fixture(scope="session")
def hostile(tmp_path_factory):
    """The path of a page whose every corner holds a stranger's markup."""
    from voc_lib.report.execute import execute
    from voc_lib.report.render import to_html

    folder = tmp_path_factory.mktemp("页 面")
    made = [nbformat.v4.new_markdown_cell(source) if kind == "md" else nbformat.v4.new_code_cell(source, metadata={"tags": [kind]} if kind else {})
            for kind, source in CELLS]
    nbformat.write(nbformat.v4.new_notebook(cells=made), folder / "source.ipynb")
    attack = "</title><script>window.pwned=1</script>"
    out = execute(folder / "source.ipynb", {"name": attack}, folder / "out.ipynb")
    return to_html(out, folder / "page.html", attack, nav=[(attack, "javascript:window.pwned=1")], footer_facts={attack: attack},
                   subtitle=attack, notice='"><svg onload=window.pwned=1>')

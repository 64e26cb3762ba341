"""Notebooks run in real kernels and become pages; no browser here (see tests/browser)."""

from concurrent.futures import ThreadPoolExecutor

import nbformat
import pytest

from voc_lib.report.execute import ExecutionError, execute
from voc_lib.report.render import FIGURE, PageError, to_html
from voc_lib.report.site import read_headline

MAKE = "from voc_lib.report.charts import Chart\nchart = Chart({'data': [{'type': 'bar', 'x': [1], 'y': ['a']}], 'layout': {'height': 200}}, '图<题>')"


@pytest.fixture
def page(tmp_path):
    """Execute a notebook and render it; the HTML."""
    def made(path, parameters=None, **facts):
        out = execute(path, parameters or {}, tmp_path / "run" / "out.ipynb")
        return to_html(out, tmp_path / "page.html", "页", **facts).read_text(encoding="utf-8")
    return made


def test_a_page_of_words(notebook, page):
    html = page(notebook(
        ("md", "# 题\n\n为什么问？"), ("parameters", "name = 'x'"), ("md", "## 有哪些 <问题>？\n\n为什么看。"), "print('看'); name", ("md", "## 有哪些 <问题>？"),
        "import polars as pl\npl.DataFrame({'a': ['<script>alert(1)</script>']})"), {"name": "<b>乙</b>"}, nav=[("体检", "data_health.html")],
        footer_facts={"快照": "<7>"}, subtitle="某周", notice="样例")
    assert "&lt;b&gt;乙&lt;/b&gt;" in html and "<pre>看\n</pre>" in html and "name = " not in html
    assert '<a href="#有哪些-问题">有哪些 &lt;问题&gt;？</a>' in html and 'id="有哪些-问题-2"' in html
    assert '<a href="data_health.html">体检</a>' in html and "&lt;7&gt;" in html and "<script" not in html
    assert "script-src 'none'" in html and len(html) < 40_000    # no chart: no plotly.js


def test_a_page_with_a_chart_inlines_plotly_once_and_allows_only_our_scripts(notebook, page):
    html = page(notebook(MAKE, "chart", "chart"))
    assert html.count(FIGURE) == 2 and html.count("plotly.js v") >= 1 and 4_000_000 < len(html) < 6_000_000
    policy = html.split('http-equiv="Content-Security-Policy" content="')[1].split('"')[0]
    assert policy.startswith("default-src 'none'") and policy.count("sha256-") == 2 and "unsafe-eval" not in policy
    assert "script-src &#39;unsafe" not in policy and "<script src" not in html and "<link" not in html
    assert "<b>图&lt;题&gt;</b>" in html


def test_a_chart_that_is_made_but_not_shown_stops_the_page(notebook, page, tmp_path):
    with pytest.raises(PageError, match="画了 1 张图，只展示了 0 张"):
        page(notebook(MAKE, "1"))
    assert not (tmp_path / "page.html").exists()


def test_a_notebook_that_was_not_run_by_us_stops(notebook, tmp_path):
    with pytest.raises(PageError, match="没有图的清点"):
        to_html(notebook("1"), tmp_path / "page.html", "页")


def test_a_plain_plotly_figure_is_drawn_and_cleaned(notebook, page):
    html = page(notebook("import plotly.graph_objects as go\ngo.Figure(go.Bar(x=['<img src=x>'], y=[1]))"))
    assert html.count(FIGURE) == 1 and "<img src=x" not in html


def test_what_display_shows_and_what_is_last_both_arrive(notebook, page):
    html = page(notebook("from IPython.display import display, Markdown, HTML, Javascript\ndisplay(Markdown('**粗** <i>x</i>'))\n"
                         "display(HTML('<table><tr><td onclick=1>格</td></tr></table><script>1</script>'))\ndisplay(Javascript('window.pwned=1'))\n'末'"))
    assert "<strong>粗</strong> &lt;i&gt;x&lt;/i&gt;" in html and "<td>格</td>" in html and "&#x27;末&#x27;" in html
    assert "onclick" not in html and "<script" not in html and "pwned" not in html


def test_same_notebook_same_bytes(notebook, page):
    path = notebook(MAKE, "chart", "from voc_lib.report.blocks import lead\nlead('甲')")
    assert page(path) == page(path)


def test_a_failing_cell_names_itself_keeps_the_notebook_and_makes_no_page(notebook, tmp_path):
    path, out = notebook(("parameters", "a = 1"), "1 / 0", "b = 2", name="brief"), tmp_path / "run" / "brief.ipynb"
    with pytest.raises(ExecutionError, match="笔记本 brief 第 2 格出错：ZeroDivisionError") as failed:
        execute(path, {"a": 3}, out)
    assert failed.value.partial == out and "ZeroDivisionError" in out.read_text(encoding="utf-8")
    with pytest.raises(PageError, match="不生成页面"):
        to_html(out, tmp_path / "page.html", "页")
    assert not (tmp_path / "page.html").exists()


def test_a_kernel_that_dies_is_an_error_of_the_run(notebook, tmp_path):
    with pytest.raises(ExecutionError, match="没有跑完"):
        execute(notebook("import os\nos._exit(3)"), {}, tmp_path / "out.ipynb")


def test_several_kernels_at_once_each_with_its_own_environment_and_no_port(notebook, tmp_path, monkeypatch):
    path = notebook("import os\nos.environ['VOC_TEST'], get_ipython().kernel.parent.transport, os.getcwd()")
    monkeypatch.delenv("VOC_TEST", raising=False)

    def run(name):
        out = execute(path, {}, tmp_path / f"{name}.ipynb", env={"VOC_TEST": name})
        return nbformat.read(out, 4).cells[0].outputs[0].data["text/plain"]

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(run, ["一", "二"]))
    assert [text.split("'")[1] for text in said] == ["一", "二"] and all("'ipc'" in text and str(tmp_path) in text for text in said)


def test_the_executed_notebook_carries_no_times_and_no_random_ids(notebook, tmp_path):
    path = notebook(("parameters", "n = 1"), "n")
    texts = [execute(path, {"n": 2}, tmp_path / f"{name}.ipynb").read_text(encoding="utf-8") for name in "ab"]
    assert texts[0] == texts[1] and "start_time" not in texts[0] and '"n": 2' in texts[0]


def test_the_headline_is_read_back(notebook, tmp_path):
    path = notebook(("headline", "from voc_lib.report.blocks import card, headline\nheadline([card('甲', 12_000), card('乙', 2), card('丙', None)])"))
    out = execute(path, {}, tmp_path / "out.ipynb")
    assert read_headline(out) == [{"name": "甲", "value": 12000, "text": "1.2万"}, {"name": "乙", "value": 2, "text": "2"},
                                  {"name": "丙", "value": None, "text": "—"}]

"""The notebooks as an analyst meets them: JupyterLab on the sample, every cell run, figures and tables drawn, nothing asked of the network.

That every notebook runs to its end is what nbval says; here are as many as it takes to see every form of chart, list and panel on the screen.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest

pytestmark = pytest.mark.browser
NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
EXHIBIT = re.compile(r"chart_\w+|panel_\w+|show_\w+|\w+_or_note|browse")  # what JupyterLab has to draw: figures, widgets, tables to search
PLOTLY = "application/vnd.plotly.v1+json"
START_SECONDS, RUN_SECONDS = 90, 240
TOKEN = "only-for-this-test"
LOOKED_AT_AGAIN = {"verbatims.ipynb", "taxonomy_studio.ipynb"}  # by a test of its own, without running it once more
READY = """() => { const kernel = window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel;
                   return kernel?.connectionStatus === 'connected' && kernel.status === 'idle' }"""
ASK = """command => { window.said = undefined;
                     window.jupyterapp.commands.execute(command).then(said => window.said = String(said), wrong => window.said = String(wrong)) }"""
FAILED = '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"], .jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"]'


def exhibits(notebook: Path) -> set[str]:
    code = [cell.source for cell in nbformat.read(notebook, 4).cells if cell.cell_type == "code"]
    return {node.attr for source in code for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute) and EXHIBIT.fullmatch(node.attr)}


def enough(notebooks: list[Path]) -> list[str]:
    """The fewest notebooks in which every form of exhibit is seen (whoever shows most of what is left comes next), and those looked at again; all of them where pictures are asked for."""
    if os.environ.get("VOC_PICTURES"):
        return [path.name for path in notebooks]
    shown = {path.name: exhibits(path) for path in notebooks}
    chosen = [name for name in shown if name in LOOKED_AT_AGAIN]
    while left := set().union(*shown.values()) - set().union(*(shown[name] for name in chosen)):
        chosen.append(max(shown, key=lambda name: len(shown[name] & left)))
    return sorted(chosen)


def test_every_form_of_exhibit_is_seen():
    chosen = enough(NOTEBOOKS)
    assert set().union(*map(exhibits, NOTEBOOKS)) == set().union(*(exhibits(path) for path in NOTEBOOKS if path.name in chosen)) and LOOKED_AT_AGAIN < set(chosen)


@pytest.fixture(scope="module")
def lab(explored_world, tmp_path_factory):
    """Address and home of a JupyterLab as `make lab` starts it, with settings of its own; every cell is kept on the screen."""
    home = shutil.copytree(explored_world, tmp_path_factory.mktemp("lab") / "分析 台")
    own = home / ".jupyter"
    tracker = own / "settings" / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    tracker.parent.mkdir(parents=True)
    tracker.write_text('{"windowingMode": "none"}', "utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    variables = {"VOC_HOME": str(home), "JUPYTER_CONFIG_DIR": str(own / "config"), "JUPYTER_DATA_DIR": str(own / "data"), "JUPYTER_RUNTIME_DIR": str(own / "runtime"),
                 "JUPYTERLAB_SETTINGS_DIR": str(own / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(own / "workspaces")}
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}", f"--IdentityProvider.token={TOKEN}", "--LabApp.expose_app_in_browser=True",
         f"--notebook-dir={home / 'notebooks'}"],
        env={**os.environ, **variables}, cwd=home, stdout=(home / "lab.log").open("w"), stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + START_SECONDS
        while not answers(f"{address}/api?token={TOKEN}"):
            assert server.poll() is None and time.monotonic() < until, (home / "lab.log").read_text("utf-8")[-2000:]
            time.sleep(0.5)
        yield address, home
    finally:
        server.terminate()
        server.wait(30)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="module")
def run_all(lab, chromium):
    """Open a notebook, run every cell, save; gives the page, the saved notebook and every foreign host that was asked.

    A page that a later test looks at again stays open; the others are closed when the next one is opened.
    """
    address, home = lab
    opened = {}

    def run(name):
        if name in opened:
            return opened[name]
        for other in opened.keys() - LOOKED_AT_AGAIN:
            close(other)
        page, foreign = chromium.new_context(viewport={"width": 1300, "height": 950}).new_page(), []
        page.set_default_timeout(RUN_SECONDS * 1000)
        page.on("request", lambda request: urlsplit(request.url).hostname in ("127.0.0.1", None, "") or foreign.append(request.url))
        try:
            opened[name] = page, executed(page, name), foreign
        except BaseException:
            page.context.close()
            raise
        return opened[name]

    def executed(page, name):
        page.goto(f"{address}/lab/tree/{name}?token={TOKEN}&reset")
        page.wait_for_function(READY)  # what is asked of a kernel that is still being connected to is lost, a part of it or all
        ask(page, "notebook:run-all-cells")
        ask(page, "docmanager:save")
        return nbformat.read(home / "notebooks" / name, 4)

    def ask(page, command):
        """What the menus `Run` and `File` do, and wait until it is done."""
        page.evaluate(ASK, command)
        page.wait_for_function("() => window.said !== undefined")

    def close(name):
        page = opened.pop(name)[0]
        if pictures := os.environ.get("VOC_PICTURES"):  # a folder: what was seen is kept for people to look at
            page.screenshot(path=Path(pictures) / f"lab-{name.split('.')[0]}.png")
        page.context.close()

    yield run
    for name in list(opened):
        close(name)


@pytest.mark.parametrize("name", enough(NOTEBOOKS))
def test_the_notebook_runs_to_its_end_and_shows_what_it_made(run_all, name):
    page, saved, foreign = run_all(name)
    cells = [cell for cell in saved.cells if cell.cell_type == "code"]
    outputs = [output for cell in cells for output in cell.outputs]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert [output for output in outputs if output.output_type in ("error", "stream")] == []
    assert page.locator(FAILED).count() == 0
    made = sum(PLOTLY in output.get("data", {}) for output in outputs)
    page.wait_for_function("made => document.querySelectorAll('.jp-OutputArea .js-plotly-plot .main-svg:first-of-type').length === made", arg=made)
    assert page.locator(".jp-OutputArea .voc").count() >= 3
    assert foreign == []


def test_feedback_can_be_searched_in_the_table(run_all):
    page, _, _ = run_all("verbatims.ipynb")
    rows = page.locator(".dt-container tbody tr")
    page.locator(".dt-container input[type=search]").fill("没有人会写的词")
    page.wait_for_function("() => document.querySelectorAll('.dt-container tbody tr').length === 1")
    assert "没有符合的反馈" in rows.first.text_content()
    page.locator(".dt-container input[type=search]").fill("异响")
    page.wait_for_function("() => document.querySelectorAll('.dt-container tbody tr').length > 1")
    assert page.locator(".dt-container tbody script, .dt-container tbody img").count() == 0


def test_a_click_adds_a_synonym_to_the_log_and_says_so(run_all, lab):
    page, _, foreign = run_all("taxonomy_studio.ipynb")
    log = lab[1] / "data" / "domains" / "auto" / "edits.jsonl"
    assert not log.exists(), "nothing is written before somebody clicks"
    row = page.locator(".studio-row").first
    term = row.locator(".studio-term b").text_content()
    row.get_by_role("button", name="加为说法").click()
    row.locator(".studio-said", has_text="请先在上面写上您的名字").wait_for()
    assert not log.exists()
    name = page.get_by_label("您的名字").first
    name.fill("分析师甲")
    name.press("Enter")
    row.locator("input").fill("转向-方向盘-抖动")
    row.locator("input").press("Tab")
    row.get_by_role("button", name="加为说法").click()
    row.locator(".studio-said", has_text="已记下：加说法").wait_for()
    line = json.loads(log.read_text("utf-8"))
    assert (line["action"], line["code"], line["wording"], line["who"]) == ("add_synonym", "转向-方向盘-抖动", term, "分析师甲")
    assert page.get_by_label("您的名字").nth(2).input_value() == "分析师甲" and foreign == []

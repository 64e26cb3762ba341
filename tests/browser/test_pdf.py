"""A page as PDF by the Chromium of this machine, and what is said where there is none."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from voc_lib.report import pdf
from voc_lib.report.pdf import PdfError, find_browser, print_page

pytestmark = pytest.mark.browser


@pytest.fixture
def page(hostile, tmp_path):
    folder = tmp_path / "周 报" / "2020-W24"
    folder.mkdir(parents=True)
    (folder / "index.html").write_bytes(hostile.read_bytes())
    return folder / "index.html"


def test_the_page_is_printed_on_a4_with_its_charts(page, chromium):
    made = print_page(page)
    content = made.read_bytes()
    assert made == page.with_name("2020-W24.pdf") and content[:5] == b"%PDF-" and sorted(path.name for path in made.parent.iterdir()) == ["2020-W24.pdf", "index.html"]
    boxes = {tuple(round(float(side)) for side in box.split()) for box in re.findall(rb"/MediaBox \[([\d. ]+)\]", content)}
    assert boxes == {(0, 0, 595, 842)} and content.count(b"/Type /Page\n") >= 2  # A4 in points
    empty = page.with_name("empty.html")
    empty.write_text(re.sub(r'<script type="application/json">\{"data".*?</script>', "", page.read_text("utf-8"), flags=re.S), "utf-8")
    (page.parent / "index.html").write_bytes(empty.read_bytes())
    assert len(print_page(page).read_bytes()) < len(content) - 5_000  # without the charts there is less on paper


def test_where_there_is_no_browser_it_is_said_and_the_page_stands(page, monkeypatch, tmp_path):
    monkeypatch.delenv(pdf.VARIABLE, raising=False)
    monkeypatch.setattr(pdf.shutil, "which", lambda name: None)
    with pytest.raises(PdfError, match="没有找到 Chromium、Chrome 或 Edge.*VOC_CHROMIUM"):
        print_page(page)
    monkeypatch.undo()
    monkeypatch.setenv(pdf.VARIABLE, str(tmp_path / "none"))
    with pytest.raises(PdfError, match="VOC_CHROMIUM 指向.*没有可运行的程序"):
        find_browser(page)
    monkeypatch.setenv(pdf.VARIABLE, sys.executable)  # a program that is no browser
    with pytest.raises(PdfError, match="没有写出文件（退出码 2）"):
        print_page(page)
    assert [path.name for path in page.parent.iterdir()] == ["index.html"]


def test_the_command_prints_it_beside_the_page_and_a_new_page_has_no_old_pdf(sample, chromium):
    voc = [sys.executable, "-c", "from voc_lib.cli import main; main()", "report", "data_health"]
    lines = subprocess.run([*voc, "--pdf"], capture_output=True, text=True, check=True).stdout.splitlines()
    made = sample / "reports" / "pages" / "data_health" / "data_health.pdf"
    assert lines[-2:] == [str(made), str(made.with_name("index.html"))] and made.read_bytes()[:5] == b"%PDF-"
    done = subprocess.run([*voc, "--pdf"], capture_output=True, text=True, check=False, env={"PATH": "/nowhere", "VOC_HOME": str(sample), "PYTHONPATH": ":".join(sys.path)})
    assert done.returncode == 1 and "PDF 没有做成：本机没有找到" in done.stderr and done.stdout.splitlines()[-1] == str(made.with_name("index.html")) and not made.exists()

"""A published page as a PDF beside it, printed by the Chromium, Chrome or Edge of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from voc_lib.messages import Told

VARIABLE = "VOC_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge", "microsoft-edge", "microsoft-edge-stable")
PLACES = {    # where browsers are that are on no path
    "darwin": ("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
               "/Applications/Chromium.app/Contents/MacOS/Chromium"),
    "win32": (r"%ProgramFiles%\Google\Chrome\Application\chrome.exe", r"%ProgramFiles(x86)%\Google\Chrome\Application\chrome.exe",
              r"%LocalAppData%\Google\Chrome\Application\chrome.exe", r"%ProgramFiles(x86)%\Microsoft\Edge\Application\msedge.exe",
              r"%ProgramFiles%\Microsoft\Edge\Application\msedge.exe"),
}
SECONDS = 180        # a page takes some two seconds; a cold machine with a virus scanner much longer
PATIENCE = 20_000    # ms of the page's own clock, which runs as fast as the page does: everything is drawn by then
# The page asks for nothing; the browser must not either: no name is looked up, nothing is reported or updated.
OPTIONS = ("--headless", "--disable-gpu", "--no-first-run", "--no-default-browser-check", "--disable-background-networking", "--disable-component-update",
           "--disable-sync", "--disable-breakpad", "--host-resolver-rules=MAP * ~NOTFOUND", "--no-pdf-header-footer", f"--virtual-time-budget={PATIENCE}")


class PdfError(Told):
    """The PDF was not made; the page stands all the same."""


def print_page(page: Path) -> Path:
    """Print `<folder>/index.html` as `<folder>/<folder's name>.pdf`, whole or not at all. Raises PdfError."""
    pdf = page.with_name(f"{page.parent.name}.pdf")
    browser = find_browser(page)
    with tempfile.TemporaryDirectory(prefix="voc-pdf-", ignore_cleanup_errors=True) as folder:
        made = Path(folder) / "page.pdf"
        root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []    # Chromium refuses root otherwise
        words = [browser, *OPTIONS, *root, f"--user-data-dir={folder}", f"--print-to-pdf={made}", page.resolve().as_uri()]
        try:
            done = subprocess.run(words, capture_output=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise PdfError(f"PDF 没有做成：{browser} 打印了 {SECONDS} 秒还没有完。页面已发布在 {page}，也可以打开它用浏览器打印。") from None
        except OSError:
            raise PdfError(f"PDF 没有做成：{browser} 运行不起来。页面已发布在 {page}；请用环境变量 {VARIABLE} 指明 Chromium、Chrome 或 Edge 的路径。") from None
        if not made.is_file() or made.read_bytes()[:5] != b"%PDF-":
            raise PdfError(f"PDF 没有做成：{browser} 没有写出文件（退出码 {done.returncode}）。页面已发布在 {page}，也可以打开它用浏览器打印。")
        beside = pdf.with_name(f".{pdf.name}.new")
        shutil.copyfile(made, beside)
        os.replace(beside, pdf)
    return pdf


def find_browser(page: Path) -> str:
    """The browser named by VOC_CHROMIUM, else the first one found; PdfError says what to do."""
    if named := os.environ.get(VARIABLE):
        if found := shutil.which(named):
            return found
        raise PdfError(f"PDF 没有做成：环境变量 {VARIABLE} 指向「{named}」，那里没有可运行的程序。页面已发布在 {page}；请改正或取消该变量。")
    for name in (*NAMES, *map(os.path.expandvars, PLACES.get(sys.platform, ()))):
        if found := shutil.which(name):
            return found
    raise PdfError(f"PDF 没有做成：本机没有找到 Chromium、Chrome 或 Edge。页面已发布在 {page}；装一个，或用环境变量 {VARIABLE} 指明它的路径，也可以打开页面用浏览器打印。")

"""The three pictures of the READMEs, made from the planted sample in Debian's Chromium: `make pictures`."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / "reports" / "screenshots"
# name: page, width and height of the window, pixels for each of them
PICTURES = {"weekly_brief": ("weekly", 1200, 900, 1), "weekly_brief_phone": ("weekly", 390, 844, 2), "channels": ("channels", 1200, 1100, 1)}
sys.path[:0] = [str(PROJECT / "tests"), str(PROJECT / "tests" / "browser")]


def main() -> None:
    from conftest import plant_home
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        home = plant_home(Path(folder) / "home")
        os.environ["VOC_HOME"] = str(home)
        from voc_lib import pipeline

        pages = {"weekly": pipeline.weekly("sample").page, "channels": pipeline.render("channels", {}).page}
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
        FOLDER.mkdir(exist_ok=True)
        for name, (page, width, height, scale) in PICTURES.items():
            shown = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=scale)
            shown.goto(pages[page].as_uri())
            shown.wait_for_function("() => document.body.dataset.drawn !== undefined")
            shown.screenshot(path=FOLDER / f"{name}.png")
            print(FOLDER / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()

"""What a reader takes out of a page: every table as Excel, every chart as a picture, from a file on a disk without a network."""

import base64
import struct

import openpyxl
import pytest

pytestmark = pytest.mark.browser
WIDE = {"width": 1200, "height": 900}
TABLES, FIGURES = 2, 4

# The picture's colours, read where no policy forbids it: the four corners, and how many colours there are.
LOOK = """async address => {
  const image = new Image();
  await new Promise((done, failed) => { image.onload = done; image.onerror = failed; image.src = address; });
  const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
  const drawn = canvas.getContext("2d");
  drawn.drawImage(image, 0, 0);
  const pixels = new Uint32Array(drawn.getImageData(0, 0, image.width, image.height).data.buffer);
  const last = pixels.length - 1;
  return [[0, image.width - 1, last - image.width + 1, last].map(place => pixels[place]), new Set(pixels).size];
}"""


def saved(seen, link, folder):
    with seen.page.expect_download() as waiting:
        link.click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def test_every_table_is_saved_as_excel_and_no_cell_is_a_formula(hostile, visit, tmp_path):
    seen = visit(hostile, viewport=WIDE, accept_downloads=True)
    links = seen.page.get_by_role("link", name="下载 Excel")
    assert links.count() == seen.page.locator(".voc table").count() == TABLES
    names = []
    for number, link in enumerate(links.all()):
        (tmp_path / str(number)).mkdir()
        path = saved(seen, link, tmp_path / str(number))
        names.append(path.name)
        sheet = openpyxl.load_workbook(path).active
        shown = seen.page.locator(".voc table").nth(number).locator("thead th").all_text_contents()
        heads = [cell.value for cell in sheet[1]]
        assert [head for head in heads if " · 注" not in head] == shown and sheet.max_row > 1
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}
    assert names == ["各渠道 b 一样 b 吗？.xlsx"] * 2  # no title of their own: the heading they stand under
    assert seen.console == [] and seen.dialogs == [] and all(address.startswith(("file:", "data:application/vnd.openxml")) for address in seen.requests)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_chart_is_saved_as_a_picture_on_white_with_its_title_as_name(hostile, visit, chromium, tmp_path, scheme):
    seen = visit(hostile, viewport=WIDE, color_scheme=scheme, accept_downloads=True)
    buttons = seen.page.get_by_role("button", name="下载 PNG")
    assert buttons.count() == FIGURES
    elsewhere = chromium.new_page()
    names, widths = [], "[...document.querySelectorAll('.main-svg:first-of-type')].map(svg => svg.getAttribute('width'))"
    before = seen.page.evaluate(widths)
    for button in buttons.all():
        path = saved(seen, button, tmp_path)
        names.append(path.name)
        content = path.read_bytes()
        width, height = struct.unpack(">II", content[16:24])
        assert content[:8] == b"\x89PNG\r\n\x1a\n" and width == 2400 and height > 300
        corners, colours = elsewhere.evaluate(LOOK, "data:image/png;base64," + base64.b64encode(content).decode())
        assert set(corners) == {0xFFFFFFFF} and colours > 20
    elsewhere.close()
    assert len(set(names)) == FIGURES and all(name.endswith(".png") for name in names), names
    assert seen.page.evaluate(widths) == before and seen.console == [] and seen.dialogs == []
    assert seen.page.evaluate("typeof window.pwned") == "undefined"


def test_nothing_to_take_on_paper_and_no_button_without_script(hostile, visit):
    seen = visit(hostile, viewport=WIDE)
    seen.page.emulate_media(media="print")
    assert seen.page.locator(".take").count() == TABLES + FIGURES and seen.page.locator(".take:visible").count() == 0
    context = seen.page.context.browser.new_context(offline=True, java_script_enabled=False)
    still = context.new_page()
    still.goto(hostile.as_uri())
    assert still.get_by_role("button", name="下载 PNG").count() == 0 and still.get_by_role("link", name="下载 Excel").count() == TABLES
    context.close()

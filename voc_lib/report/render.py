"""An executed notebook as one self-contained HTML page that asks nothing of any network.

The template is rendered with autoescaping on; only `element` and the cleaners of `escape` return Markup. The page's
policy (CSP) allows exactly our own scripts, by their hash.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from markupsafe import Markup

from voc_lib.report import theme
from voc_lib.report.escape import clean_figure, clean_html, element, markdown_html, neutral, script_json
from voc_lib.report.execute import TALLY_TAG
from voc_lib.report.markup import MIME, block_html

PLOTLY_MIME = "application/vnd.plotly.v1+json"
FIGURE = '<figure class="chart voc">'
_OPENS, _OPENED = re.compile(r' popovertarget="([^"]+)"'), re.compile(r' id="([^"]+)" popover=')
_PICTURES = ("image/png", "image/jpeg", "image/svg+xml")


class PageError(RuntimeError):
    """The page would be wrong or incomplete, so it is not made."""


def to_html(ipynb: Path, out_html: Path, title: str, nav: list[tuple[str, str]] = (), footer_facts: dict[str, str] | None = None,
            subtitle: str = "", notice: str = "", stamp: str = "") -> Path:
    """Write the page of an executed notebook to `out_html` (whole or not at all).

    `nav` are neighbouring pages (title, relative address), `footer_facts` the provenance at the foot, `subtitle` the week
    by name, `notice` a label such as 合成样例数据, `stamp` 草稿 or who signed. The same inputs give the same bytes. Raises PageError when a cell failed
    charts made and charts shown differ, or a number opens nothing.
    """
    content = read_notebook(ipynb)
    _refuse_failed(content, Path(ipynb))
    figures = _count_figures(content, Path(ipynb))
    facts = {"title": title, "subtitle": subtitle, "notice": notice, "stamp": stamp, "nav": list(nav), "facts": footer_facts or {}, "figures": figures}
    page = page_html(content, facts)
    if page.count(FIGURE) != figures:
        raise PageError(f"{Path(ipynb).stem}：应有 {figures} 张图，页面里只有 {page.count(FIGURE)} 张。")
    if nowhere := sorted(set(_OPENS.findall(page)) - set(_OPENED.findall(page))):
        raise PageError(f"{Path(ipynb).stem}：这些数字点开没有来源：{'、'.join(nowhere)}。在笔记本里用 voc.list_sources 列出它们。")
    write_whole(out_html, page)
    return out_html


def read_notebook(ipynb: Path) -> Any:
    import nbformat

    return nbformat.read(ipynb, as_version=4)


def page_html(content: Any, facts: dict) -> str:
    """The template filled with a notebook (or nothing) and the facts; `figures` decides whether plotly is inlined."""
    scripts = [_plotly(), _asset("page.js")] if facts["figures"] else []
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{hash_}'" for hash_ in hashes) or "'none'"
    sections, contents = _sections(content)
    sections += facts.get("body", [])
    page = facts | {
        "policy": Markup(f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"),
        "light": Markup(theme.css_variables(theme.LIGHT)), "dark": Markup(theme.css_variables(theme.DARK)), "font": Markup(theme.FONT),
        "style": Markup(_asset("page.css") + _asset("blocks.css")), "scripts": [Markup(script) for script in scripts],
        "palette": script_json({"light": theme.LIGHT, "dark": theme.DARK}), "sections": sections, "contents": contents}
    html, _ = _exporter().from_notebook_node(content, resources={"page": page})
    return html


def write_whole(path: Path, text: str) -> None:
    """Write beside and rename, so that no reader ever meets half a page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, encoding="utf-8", newline="\n")
    os.replace(beside, path)


def _refuse_failed(content: Any, ipynb: Path) -> None:
    for place, cell in enumerate(content.cells, 1):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                raise PageError(f"{ipynb.stem} 第 {place} 格出错，不生成页面：{neutral(output.ename)}: {neutral(output.evalue)}")


def _count_figures(content: Any, ipynb: Path) -> int:
    """Figures on the page; raises unless every chart the kernel made is among them."""
    made, numbers, foreign = None, [], 0
    for output in (output for cell in content.cells for output in cell.get("outputs", [])):
        bundle = output.get("data", {})
        block = bundle.get(MIME, {})
        if block.get("kind") == "tally":
            made = block["charts"]
        elif block.get("kind") == "chart":
            numbers.append(block["number"])
        elif PLOTLY_MIME in bundle and not block:
            foreign += 1
    if made is None:
        raise PageError(f"{ipynb.stem} 没有图的清点。请用 execute 运行笔记本，再生成页面。")
    if len(set(numbers)) != made:
        raise PageError(f"{ipynb.stem} 画了 {made} 张图，只展示了 {len(set(numbers))} 张。把图放在一格的最后一行，或删去不用的图。")
    return len(numbers) + foreign


def _sections(content: Any) -> tuple[list[Markup], list[tuple[str, str]]]:
    """The page's parts in order, and its contents list (title, anchor). Anchors are the headings themselves."""
    parts: list[Markup] = []
    contents: list[tuple[str, str]] = []
    taken: set[str] = set()
    for cell in content.cells:
        if TALLY_TAG in cell.metadata.get("tags", []):
            continue
        if cell.cell_type == "markdown":
            for level, heading, body in _headed(cell.source):
                if level == 2:
                    anchor = _anchor(heading, taken)
                    contents.append((heading, anchor))
                    parts.append(element("h2", heading, id=anchor))
                if body:
                    kind = {1: "question", 2: "why"}.get(level, "prose")
                    parts.append(element("div", markdown_html(body), class_=kind))
        for output in cell.get("outputs", []):
            parts.append(output_html(output, contents[-1][0] if contents else ""))
    return parts, contents


def _headed(source: str) -> list[tuple[int, str, str]]:
    """Markdown cut at its `#` and `##` headings (not inside code fences): level (0 none), heading, text below."""
    pieces: list[list] = [[0, "", []]]
    fenced = False
    for line in source.splitlines():
        fenced ^= line.lstrip().startswith(("```", "~~~"))
        found = None if fenced else re.fullmatch(r"(#{1,2})\s+(.+?)\s*#*", line)
        if found:
            pieces.append([len(found[1]), neutral(found[2]), []])
        else:
            pieces[-1][2].append(line)
    return [(level, heading, "\n".join(lines).strip()) for level, heading, lines in pieces if heading or "".join(lines).strip()]


def _anchor(heading: str, taken: set[str]) -> str:
    """The heading without marks and spaces: readable Chinese in the address, never percent-encoded by us."""
    base = re.sub(r"[\W_]+", "-", heading).strip("-") or "节"
    anchor, again = base, 2
    while anchor in taken:
        anchor, again = f"{base}-{again}", again + 1
    taken.add(anchor)
    return anchor


def output_html(output: Any, section: str = "") -> Markup:
    """One output as HTML: our blocks by description, figures, then pictures, markdown, HTML and text, all cleaned.

    `section` is the heading it stands under: the name of what is taken out of it, where it has no title of its own.
    """
    if output.output_type == "stream":
        return element("pre", output.text) if output.name == "stdout" else Markup("")
    bundle = output.get("data", {})
    block = bundle.get(MIME)
    if block is not None and block.get("kind") == "chart":
        return _figure(block.get("figure") or {}, block_html(block))
    if block is not None:
        return element("div", block_html({"section": section} | block), class_="voc")
    if PLOTLY_MIME in bundle:
        figure = bundle[PLOTLY_MIME]
        height = (figure.get("layout") or {}).get("height") or 360
        return _figure(figure, element("div", class_="plot", style=f"height:{int(height)}px"))
    for kind in _PICTURES:
        if kind in bundle:
            return element("img", src=_picture(kind, bundle[kind]), alt="")
    if "text/markdown" in bundle:
        return element("div", markdown_html(bundle["text/markdown"]), class_="prose")
    if "text/html" in bundle:
        return element("div", clean_html(bundle["text/html"]), class_="foreign")
    return element("pre", bundle["text/plain"]) if "text/plain" in bundle else Markup("")


def _figure(figure: dict, inside: Markup) -> Markup:
    cleaned = clean_figure(figure)
    cleaned["layout"].pop("title", None)
    data = Markup('<script type="application/json">') + script_json(cleaned) + Markup("</script>")
    return Markup(FIGURE) + inside + data + Markup("</figure>")


def _picture(kind: str, content: str) -> str:
    text = neutral(content)
    packed = base64.b64encode(text.encode()).decode() if kind == "image/svg+xml" else re.sub(r"[^A-Za-z0-9+/=]", "", text)
    return f"data:{kind};base64,{packed}"


@cache
def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    script = get_plotlyjs()
    if "</script" in script.lower() or "<!--" in script:
        raise PageError("这个版本的 plotly.js 不能直接放进页面。请使用 constraints.txt 里的版本。")
    return script


@cache
def _asset(name: str) -> str:
    return files("voc_lib.report").joinpath(f"template/voc/{name}").read_text(encoding="utf-8")


@cache
def _exporter() -> Any:
    from jinja2 import Environment
    from nbconvert.exporters import TemplateExporter

    class PageExporter(TemplateExporter):
        def _create_environment(self) -> Environment:
            environment = super()._create_environment()
            environment.autoescape = True    # what is not Markup from our own door is escaped
            environment.filters["link"] = lambda text, address: element("a", text, href=address)
            return environment

    return PageExporter(template_name="voc", template_file="index.html.j2",
                        extra_template_basedirs=[str(files("voc_lib.report").joinpath("template"))])

"""The one escaping door: everything not ours becomes harmless here, whatever it is shown in.

`element` is the only maker of HTML in the house: text children are escaped, only what `element` itself returned
(Markup) passes. Outputs that did not come from our builders go through `clean_html`, `markdown_html` or
`clean_figure`. The page has a Content Security Policy besides; neither relies on the other.
"""

from __future__ import annotations

import base64
import html
import json
import math
import re
from functools import cache
from typing import Any

from markupsafe import Markup

# Unseen characters that turn, hide or break text: controls, bidi marks and overrides, zero-width, tags, annotations.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_VOID = {"br", "hr", "img", "meta"}
_NAME = re.compile(r"[a-z][a-z0-9-]*", re.IGNORECASE)

# What plain HTML of a notebook (a data frame, a great-tables table, markdown) may keep. No style, no id, no name:
# an id or a name could stand in for an object of the page's own script.
TAGS = frozenset("""a abbr b blockquote br caption code dd del div dl dt em h3 h4 h5 h6 hr i li ol p pre s small span
    strong sub sup table tbody td tfoot th thead tr u ul""".split())
ATTRIBUTES = {"a": ["href"], "td": ["colspan", "rowspan"], "th": ["colspan", "rowspan", "scope"]}
PROTOCOLS = frozenset({"http", "https", "mailto"})
# Trace types that need neither the network (maps) nor `new Function` (WebGL), which the page's policy forbids.
TRACES = frozenset({"scatter", "bar", "box", "violin", "histogram", "heatmap", "funnel", "waterfall", "pie", "sankey"})
# Layout and trace keys that fetch, link or write pseudo-HTML of their own.
_FIGURE_DROPPED = frozenset({"images", "updatemenus", "sliders", "source", "meta", "mapbox", "map", "geo"})
_PSEUDO = re.compile(r"<(?!(?:/?(?:b|i)|br ?/?|/?extra)>)", re.IGNORECASE)


def neutral(text: object) -> str:
    """The text without characters that cannot be seen but act: bidi overrides, zero-width, NUL, lone surrogates."""
    plain = "" if text is None else str(text)
    plain = plain.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return _SURROGATE.sub("\ufffd", _UNSEEN.sub("", plain))


def safe(text: object) -> Markup:
    """Text for HTML, in an element or a quoted attribute.

    >>> str(safe('"><script>'))
    '&quot;&gt;&lt;script&gt;'
    """
    return Markup(html.escape(neutral(text), quote=True))


def element(name: str, *children: object, **attributes: object) -> Markup:
    """One HTML or SVG element. Children: Markup passes, a list is flattened, None is left out, all else is escaped.

    `class_` and `for_` lose their underscore, other underscores become hyphens; None leaves an attribute out.
    Addresses (`href`) may only point inside the page, beside it, or to http(s) and mailto.

    >>> str(element("p", "<b>", class_="x"))
    '<p class="x">&lt;b&gt;</p>'
    """
    written = []
    for key, value in attributes.items():
        if value is None:
            continue
        key = key.rstrip("_").replace("_", "-")
        if not _NAME.fullmatch(key) or key.startswith("on"):
            raise ValueError(f"属性名「{key}」不能用。")
        if key == "href":
            value = _address(value)
        written.append(f' {key}="{safe(value)}"')
    start = f"<{name}{''.join(written)}>"
    return Markup(start if name in _VOID else f"{start}{_inside(children)}</{name}>")


def _inside(children: object) -> str:
    if isinstance(children, list | tuple):
        return "".join(_inside(child) for child in children)
    if children is None:
        return ""
    return str(children) if isinstance(children, Markup) else str(safe(children))


def _address(value: object) -> str:
    plain = neutral(value).strip()
    scheme = re.match(r"[^/?#]*?:", plain)
    return plain if scheme is None or scheme[0][:-1].lower() in PROTOCOLS else "#"


def download(text: str, file_name: str, kind: str, content: bytes) -> Markup:
    """A link that saves `content` as a file; the one place where a `data:` address is made, and never of a kind that a browser shows."""
    if kind.startswith("text/") or "html" in kind or kind.endswith("svg+xml"):
        raise ValueError(f"类型「{kind}」不能作为下载。")
    address = f"data:{kind};base64,{base64.b64encode(content).decode()}"
    return Markup(f'<a download="{safe(file_name)}" href="{safe(address)}">{safe(text)}</a>')


def safe_markdown(text: object) -> str:
    """A stranger's text inside a markdown source: every mark of markdown and HTML loses its meaning; one line."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(neutral(text).split()))


def safe_label(text: object) -> str:
    """A stranger's text for plotly, which reads <b>, <a href> and entities in labels, hover texts and categories."""
    return html.escape(neutral(text), quote=False).replace("\n", " ")


def script_json(value: Any) -> Markup:
    """JSON for a data script: cannot end the script, has sorted keys and no NaN (null instead)."""
    text = json.dumps(_finite(value), ensure_ascii=False, sort_keys=True, allow_nan=False, separators=(",", ":"))
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return Markup(_SURROGATE.sub("\ufffd", text))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@cache
def _cleaner() -> Any:
    from bleach.sanitizer import Cleaner

    def kept(tag: str, name: str, value: str) -> bool:
        great_tables = name == "class" and all(part.startswith("gt_") for part in value.split())
        return great_tables or name in ATTRIBUTES.get(tag, [])

    return Cleaner(tags=TAGS, attributes=kept, protocols=PROTOCOLS, strip=True, strip_comments=True)


def clean_html(source: object) -> Markup:
    """HTML that is not ours, down to text, tables and links; scripts and styles go with their contents.

    Of classes only those of great-tables stay (the page styles them): others could pose as the page's own parts.
    """
    plain = re.sub(r"<(script|style|template)\b.*?</\1\s*>", "", neutral(source), flags=re.IGNORECASE | re.DOTALL)
    return Markup(_cleaner().clean(plain))


@cache
def _markdown() -> Any:
    import mistune

    class Renderer(mistune.HTMLRenderer):
        def image(self, text: str, url: str, title: str | None = None) -> str:
            return str(safe(text))    # a picture would be asked from the network

    return mistune.create_markdown(escape=True, renderer=Renderer(escape=True), plugins=["table", "strikethrough"])


def markdown_html(source: object) -> Markup:
    """Markdown as HTML: raw HTML in it is shown, not obeyed; then the same allow-list as any other HTML."""
    return Markup(_cleaner().clean(_markdown()(neutral(source))))


def clean_figure(figure: dict) -> dict:
    """A plotly figure whose strings hold no markup but <b>, <i>, <br> and which asks nothing of the network.

    Raises ValueError on a trace type that needs map tiles or WebGL.
    """
    traces = [dict(trace) for trace in figure.get("data", [])]
    for trace in traces:
        kind = trace.get("type", "scatter")
        if kind not in TRACES:
            raise ValueError(f"图的类型「{kind}」不能放进离线页面。可用：{'、'.join(sorted(TRACES))}。")
    return {"data": _plain(traces), "layout": _plain(dict(figure.get("layout", {})))}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items() if key not in _FIGURE_DROPPED or (key == "source" and _numbers(inner))}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return _PSEUDO.sub("&lt;", neutral(value)) if isinstance(value, str) else value


def _numbers(value: Any) -> bool:
    """A Sankey names where a flow comes from by number; an address to fetch is never one."""
    return isinstance(value, list) and all(isinstance(one, int) for one in value)

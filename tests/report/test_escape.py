import json

import pytest
from markupsafe import Markup

from voc_lib.report.escape import clean_figure, clean_html, element, markdown_html, neutral, safe, safe_label, safe_markdown, script_json

ATTACKS = [
    "<script>window.pwned=1</script>", "</script><img src=x onerror=window.pwned=1>", '"><svg onload=window.pwned=1>',
    "'><iframe srcdoc='<script>window.pwned=1</script>'>", "[x](javascript:window.pwned=1)", "`<b onclick=window.pwned=1>`",
    "<a href='javascript:window.pwned=1'>x</a>", "<style>*{display:none}</style>", "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "&lt;script&gt;", "<!--<script>-->", "<noscript><p title='</noscript><img src=x onerror=window.pwned=1>'>", "<template><script>1</script></template>"]


def test_unseen_characters_go_and_seen_ones_stay():
    assert neutral("a\u202eb\u200bc\x00d\ufeffe\u2066f\u2069\U000e0041") == "abcdef"
    assert neutral("刹车😀异响\n第二行\t¥1.5万") == "刹车😀异响\n第二行\t¥1.5万"
    assert neutral("\ud83d") == "\ufffd" and neutral(None) == "" and neutral("a\r\nb\u2028c") == "a\nb\nc"


@pytest.mark.parametrize("attack", ATTACKS)
def test_text_has_no_marks_left(attack):
    assert not set('<>"\'') & set(safe(attack))


def test_element_escapes_all_but_what_element_made():
    inner = element("b", "<i>")
    assert element("p", inner, ["<u>", None], title='"x') == '<p title="&quot;x"><b>&lt;i&gt;</b>&lt;u&gt;</p>'
    assert isinstance(inner, Markup)


@pytest.mark.parametrize("address, kept", [
    ("javascript:alert(1)", "#"), ("JaVa\u200bScript:alert(1)", "#"), (" data:text/html,x", "#"), ("vbscript:x", "#"),
    ("data_health.html", "data_health.html"), ("#本周", "#本周"), ("https://example.org/a", "https://example.org/a")])
def test_addresses(address, kept):
    assert f'href="{kept}"' in element("a", "x", href=address)


def test_an_event_handler_is_not_an_attribute_of_ours():
    with pytest.raises(ValueError):
        element("p", onclick="x")
    with pytest.raises(ValueError):
        element("p", **{"a b": "x"})


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("door", [clean_html, markdown_html, lambda text: markdown_html(f"- {text}\n\n| a |\n|---|\n| {text} |")])
def test_foreign_html_and_markdown_keep_no_script_no_handler_no_bad_address(attack, door):
    from html.parser import HTMLParser

    class Seen(HTMLParser):
        def handle_starttag(self, tag, attributes):
            assert tag not in {"script", "style", "svg", "img", "iframe", "math", "template", "noscript", "object"}
            for name, value in attributes:
                assert not name.startswith("on") and name not in ("style", "id", "name", "src")
                assert not (value or "").lower().startswith(("javascript", "data"))
    Seen().feed(door(attack))


def test_foreign_tables_keep_structure_and_the_classes_of_great_tables_only():
    html = clean_html('<style>td{}</style><table class="gt_table" id="x"><tr><td class="gt_row gt_right" style="a">1</td><td class="chart">2</td></tr></table>')
    assert html == '<table class="gt_table"><tbody><tr><td class="gt_row gt_right">1</td><td>2</td></tr></tbody></table>'


def test_markdown_shows_pictures_as_words_and_strangers_text_as_it_was():
    assert "<img" not in markdown_html("![图](https://example.org/a.png)")
    text = "*真*的_不_错 [链接](http://x) `a` <b> 1. # |"
    assert "真" in markdown_html(safe_markdown(text)) and "<em>" not in markdown_html(safe_markdown(text)) and "<a" not in markdown_html(safe_markdown(text))


def test_labels_of_plotly():
    assert safe_label("<b>A</b>&lt;") == "&lt;b&gt;A&lt;/b&gt;&amp;lt;"


def test_figures_keep_our_marks_lose_others_and_ask_nothing_of_the_network():
    figure = {"data": [{"type": "bar", "x": ["<a href='https://x'>A</a>", "<b>B</b>"], "text": "a<br>b"}],
              "layout": {"images": [{"source": "https://x/y.png"}], "height": 3, "title": {"text": "<script>"}}, "frames": [1]}
    cleaned = clean_figure(figure)
    assert cleaned["data"][0]["x"] == ["&lt;a href='https://x'>A&lt;/a>", "<b>B</b>"] and cleaned["data"][0]["text"] == "a<br>b"
    assert cleaned["layout"] == {"height": 3, "title": {"text": "&lt;script>"}} and "frames" not in cleaned
    assert clean_figure(cleaned) == cleaned


def test_a_sankey_keeps_its_numbers_and_no_address():
    link = {"source": [0, 0], "target": [1, 2], "value": [3, 4]}
    assert clean_figure({"data": [{"type": "sankey", "link": link}]})["data"][0]["link"] == link
    assert "source" not in clean_figure({"data": [{"type": "sankey", "link": {"source": ["https://x"], "target": [1]}}]})["data"][0]["link"]


@pytest.mark.parametrize("kind", ["scattermap", "choropleth", "scattergl", "scatter3d", "image"])
def test_figures_that_need_tiles_or_webgl_are_refused(kind):
    with pytest.raises(ValueError, match="离线页面"):
        clean_figure({"data": [{"type": kind}]})


def test_json_cannot_end_its_script_and_comes_back_as_it_was():
    value = {"b": "</script><!-- \u2028 &", "a": [1.5, float("nan"), None]}
    text = script_json(value)
    assert not set("<>&\u2028") & set(text) and text.index('"a"') < text.index('"b"')
    assert json.loads(text) == {"b": value["b"], "a": [1.5, None, None]}

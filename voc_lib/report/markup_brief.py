"""The blocks of a week's page one as HTML: an anomaly, issues, actions, sources of numbers, and what an analyst wrote.

What a person wrote and what the machine found are told apart in words (分析师, 机器), never by colour alone.
"""

from __future__ import annotations

from markupsafe import Markup

from voc_lib.report.escape import element
from voc_lib.report.markup import _runs, _tone, opener, source_id, voices


def anomaly(block: dict) -> Markup:
    """The one finding furthest from usual; the sentence `none` where there is none."""
    if not block["items"]:
        return element("p", block["none"], class_="sentence")
    item = block["items"][0]
    quotes = voices(item["quotes"][:1]) if item["quotes"] else None
    return element("div", element("h3", "疑似：", item["title"]), element("p", _runs(item["data"]), class_="sentence"),
                   element("p", _runs(item["place"]), class_="sentence"), _written(item, ("conclusion", "cause")), quotes, class_="anomaly")


def issues(block: dict) -> Markup:
    """A section for each of the first that moved, and for whatever an analyst chose, however far down it stands."""
    moved = [item for item in block["items"] if item["moved"]][: block["most"]]
    shown = [item for item in block["items"] if item in moved or item.get("chosen")]
    rest = len(block["items"]) - len(shown)
    others = f"{'其余' if shown else '列出的'} {rest} 项都在误差范围内；在 notes.yaml 里置顶或写了意见的，会列在这里。" if rest else ""
    return element("div", [_issue(item) for item in shown], element("p", others, class_="sub") if others else None, class_="issues")


def _issue(item: dict) -> Markup:
    tone = _tone(item.get("tone")) or "flat"
    cause = [element("p", _runs(item["place"])), _said(item, "cause")]
    advice = _said(item, "recommendation") or element("p", item["advice"], class_="machine")
    who = " · ".join(part for part in (item.get("owner") and f"负责：{item['owner']}", item.get("date") and f"期限：{item['date']}") if part)
    parts = [("数据", [element("p", _runs(item["data"])), _said(item, "conclusion")]),
             ("原声", voices(item["quotes"]) if item["quotes"] else element("p", "没有可引用的原声。", class_="machine")),
             ("归因", cause), ("建议", [advice, element("p", who, class_="who") if who else None])]
    return element("section", element("h3", item["title"], element("span", item["word"], class_=f"word {tone}"), opener(item["opens"], "依据") if item.get("opens") else None),
                   element("dl", [[element("dt", name), element("dd", inside)] for name, inside in parts]), class_="issue")


def _said(item: dict, field: str) -> Markup | None:
    """What the analyst wrote, marked as hers."""
    return element("p", element("i", "分析师"), item[field], class_="written") if item.get(field) else None


def _written(item: dict, fields: tuple[str, ...]) -> list[Markup]:
    return [said for field in fields if (said := _said(item, field))]


def actions(block: dict) -> Markup:
    """What is to be done; the machine's own proposals say 建议（机器）."""
    shown = block["items"][: block["most"]]
    if not shown:
        return element("p", "本周没有要新开的行动。", class_="sentence")
    columns = ("要做什么", "谁负责", "期限")
    rows = [element("tr", element("td", element("span", item["what"]), element("small", item["title"] if item.get("decided") else "机器的建议，还没有人认领"), data_label=columns[0]),
                    element("td", item["owner"] or "待指派", data_label=columns[1]), element("td", item["date"] or "待定", data_label=columns[2]))
            for item in shown]
    left = len(block["items"]) - len(shown)
    more = element("p", f"另有 {left} 项见下面各节。", class_="sub") if left > 0 else None
    return element("div", element("table", element("thead", element("tr", [element("th", name, scope="col") for name in columns])), element("tbody", rows), class_="actions"), more, class_="frame")


def leftover(block: dict) -> Markup:
    """Notes on findings that are not there this time: kept and listed, so that no sentence is lost."""
    rows = [element("li", element("b", item["title"]), "：", "；".join(item["texts"]) or "（只有标记，没有文字）") for item in block["items"]]
    hidden = element("p", f"分析师略去：{'、'.join(block['hidden'])}。", class_="sub") if block["hidden"] else None
    listed = [element("p", "notes.yaml 里写过、这一次没有找到的发现（意见都留着）：", class_="sub"), element("ul", rows, class_="left")] if rows else None
    return element("div", hidden, listed, class_="leftover")


def sources(block: dict) -> Markup:
    """A list of the numbers that open, and what opens: popovers, which neither print nor need a script."""
    listed = [element("li", opener(item["number"], item["title"]), element("span", item["size"])) for item in block["items"]]
    return element("div", element("ul", listed, class_="sources"), [_source(item) for item in block["items"]])


def _source(item: dict) -> Markup:
    name = source_id(item["number"])
    facts = [[element("dt", label), element("dd", text)] for label, text in item["facts"]]
    return element("div", element("h3", item["title"]), element("button", "关闭", type="button", class_="close", popovertarget=name, popovertargetaction="hide"),
                   element("dl", facts), element("p", item["told"], class_="sub"), voices(item["items"], numbered=True),
                   element("p", "查询语句", class_="sub"), element("pre", item["sql"]), id=name, popover="auto", class_="source")

"""`reports/index.html`: every published week by store, how its headline numbers went, draft or signed; and what leads to the latest.

It is made anew from the folders at every publishing and trusts none of them: a manifest that cannot be read, or is
somebody else's, is named on the page.
"""

from __future__ import annotations

import json
from datetime import datetime
from itertools import groupby
from pathlib import Path

from markupsafe import Markup

from voc_lib.report import theme
from voc_lib.report.escape import element, neutral
from voc_lib.report.render import page_html, write_whole
from voc_lib.report.site import MANIFEST
from voc_lib.report.sparkline import trend_line
from voc_lib.settings import settings

MOST_WEEKS = 53    # of a trend: a year
SLACK = 2          # seconds that notes saved with a signature may be younger than it
NOTES = "notes*.yaml"


def index_page(reports: Path) -> Path:
    """Write `index.html`, `latest.html` and a `latest-<store>.html` for each store into `reports`."""
    import nbformat

    stores, strange = _by_store(reports)
    body = [part for store, weeks in stores for part in _store(store, weeks, len(stores) > 1)]
    body += [element("p", f"{folder.name}：清单 {MANIFEST} 读不出来，或不是周报的清单。若是周报，请重新生成这一周。", class_="note alarm") for folder in strange]
    count = sum(bool(_period(manifest)) for _, weeks in stores for _, manifest in weeks)
    facts = {"title": "客户之声", "subtitle": f"已发布 {count} 周", "notice": _common_notice(stores), "nav": [], "facts": {}, "figures": 0,
             "body": body or [element("p", "还没有发布过周报。", class_="prose")]}
    write_whole(reports / "index.html", page_html(nbformat.v4.new_notebook(), facts))
    _latest(reports, stores)
    return reports / "index.html"


def manifests(reports: Path) -> list[tuple[Path, dict | None]]:
    """Every folder of `reports` that has a manifest, by name, with it; None where it cannot be read or is not ours."""
    folders = sorted(path.parent for path in reports.glob(f"*/{MANIFEST}") if path.parent.name[0] != ".")
    return [(folder, read_manifest(folder)) for folder in folders]


def read_manifest(folder: Path) -> dict | None:
    """The manifest of a published folder; None where there is none, or none that names a store."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("store"), str) else None


def _by_store(reports: Path) -> tuple[list[tuple[str, list[tuple[Path, dict]]]], list[Path]]:
    """(store, its weeks with the latest first, without weeks last), the store of the latest week first; and the unreadable."""
    found = manifests(reports)
    weeks: dict[str, list[tuple[Path, dict]]] = {}
    for folder, manifest in sorted((pair for pair in found if pair[1]), key=lambda pair: (_period(pair[1]), pair[0].name), reverse=True):
        weeks.setdefault(manifest["store"], []).append((folder, manifest))
    return list(weeks.items()), [folder for folder, manifest in found if manifest is None]


def _period(manifest: dict) -> str:
    """The ISO week, or nothing."""
    try:
        theme.week_monday(manifest.get("week"))
    except (TypeError, ValueError):
        return ""
    return manifest["week"]


def _common_notice(stores: list) -> str:
    """The label that every page bears, such as 合成样例数据; with several stores each says its own."""
    return str(stores[0][1][0][1].get("notice") or "") if len(stores) == 1 else ""


def _store(store: str, weeks: list[tuple[Path, dict]], several: bool) -> list[Markup]:
    dated = [(folder, manifest) for folder, manifest in weeks if _period(manifest)]
    notice = weeks[0][1].get("notice")
    heading = element("h2", f"库 {store}", element("small", f" {notice}") if notice and several else None)
    forward = element("p", element("a", "最新一周" if dated else "最新", href=f"{weeks[0][0].name}/index.html"), f"：{_title(*weeks[0])}，", _state(*weeks[0]), class_="sentence")
    tables = [_table(year, list(members), list(_names(weeks))) for year, members in groupby(weeks, lambda pair: _period(pair[1])[:4])]
    return [heading, element("div", forward, _trends(dated), tables, class_="voc")]


def _title(folder: Path, manifest: dict) -> str:
    period = _period(manifest)
    return theme.week_label(period) if period else "不分周" if folder.name.startswith("undated") else folder.name


def _state(folder: Path, manifest: dict) -> Markup:
    """草稿, or 定稿 with who and when; and whether notes were changed after that."""
    signed = manifest.get("signed")
    if not isinstance(signed, dict):
        return element("span", "草稿", class_="soft")
    who, at = neutral(signed.get("by") or ""), _moment(signed.get("at"))
    when = at.astimezone().strftime("%Y-%m-%d %H:%M") if at else neutral(signed.get("at") or "")
    changed = at is not None and any(path.stat().st_mtime > at.timestamp() + SLACK for path in folder.glob(NOTES))
    return element("span", element("b", "定稿", class_="better"), f" {who} {when}".rstrip(), element("b", "，定稿后笔记有改动", class_="worse") if changed else None)


def _moment(said: object) -> datetime | None:
    try:
        return datetime.fromisoformat(said)
    except (TypeError, ValueError):
        return None


def _items(manifest: dict) -> dict[str, dict]:
    """Headline numbers by name; what is not one is left out."""
    listed = manifest.get("headline")
    return {str(item["name"]): item for item in (listed if isinstance(listed, list) else []) if isinstance(item, dict) and "name" in item and "text" in item}


def _names(weeks: list[tuple[Path, dict]]) -> dict[str, None]:
    """Names of the headline numbers in order of the latest week, then what only earlier weeks had."""
    return {name: None for _, manifest in weeks for name in _items(manifest)}


def _shown(item: dict | None) -> str:
    return " ".join(part for part in (str(item["text"]), str(item.get("unit") or "")) if part) if item else theme.ABSENT


def _trends(dated: list[tuple[Path, dict]]) -> Markup | None:
    """A line for each headline number over the weeks that have a page; with one week there is nothing to draw."""
    by_week = {_period(manifest): _items(manifest) for _, manifest in reversed(dated)}
    if len(by_week) < 2:
        return None
    last = theme.week_monday(max(by_week)).toordinal()
    first = max(theme.week_monday(min(by_week)).toordinal(), last - 7 * (MOST_WEEKS - 1))
    span = [datetime.fromordinal(day).strftime("%G-W%V") for day in range(first, last + 1, 7)]
    rows = [_trend(name, {week: by_week.get(week, {}).get(name) for week in span}) for name in _names(dated[:1])]
    return element("ul", [row for row in rows if row], class_="trends")


def _trend(name: str, items: dict[str, dict | None]) -> Markup | None:
    """The line of one number and the same in words: now, least and most with their weeks."""
    known = {week: item for week, item in items.items() if item and theme.is_number(item.get("value"))}
    if len(known) < 2:
        return None
    least, most = (choose(known, key=lambda week: known[week]["value"]) for choose in (min, max))
    now = list(items)[-1]
    words = f"{len(known)} 周里最低 {_shown(known[least])}（{theme.week_short(least)}），最高 {_shown(known[most])}（{theme.week_short(most)}）"
    values = [known[week]["value"] if week in known else None for week in items]
    return element("li", element("span", name, class_="name"), element("b", _shown(items[now]), class_="now"),
                   trend_line(values, f"{name}：{words}"), element("span", words, class_="sub"))


def _table(year: str, weeks: list[tuple[Path, dict]], names: list[str]) -> Markup:
    """The weeks of a year as rows: name with the links, draft or signed, the headline numbers."""
    head = [element("th", title, scope="col", class_="number" if place > 1 else None) for place, title in enumerate(["周", "状态", *names])]
    rows = []
    for folder, manifest in weeks:
        items = _items(manifest)
        pdf = f"{folder.name}.pdf"
        beside = element("small", element("a", "PDF", href=f"{folder.name}/{pdf}")) if (folder / pdf).is_file() else None
        cells = [element("td", element("a", _title(folder, manifest), href=f"{folder.name}/index.html"), beside, class_="strong", data_label="周"),
                 element("td", _state(folder, manifest), data_label="状态")]
        cells += [element("td", element("span", _shown(items.get(name))), class_="number", data_label=name) for name in names]
        rows.append(element("tr", cells))
    caption = f"{year}年，{len(weeks)} 周" if year else "不分周"
    return element("div", element("table", element("caption", caption), element("thead", element("tr", head)), element("tbody", rows)), class_="frame")


def _latest(reports: Path, stores: list[tuple[str, list]]) -> None:
    """`latest.html` leads to the newest week of the store of voc.toml, `latest-<store>.html` to that of each.

    A page that forwards, because links between files need rights on Windows and get lost on the way through a mail or an archive.
    """
    newest = {store: weeks[0][0].name for store, weeks in stores}
    for old in reports.glob("latest*.html"):
        if old.stem.removeprefix("latest-") not in newest and old.stem != "latest":
            old.unlink()
    usual = newest.get(settings().store) or next(iter(newest.values()), None)
    for name, folder in ({"latest": usual} | {f"latest-{store}": folder for store, folder in newest.items()}).items():
        if folder:
            write_whole(reports / f"{name}.html", _forward(f"{folder}/index.html"))


def _forward(address: str) -> str:
    policy = element("meta", http_equiv="Content-Security-Policy", content="default-src 'none'")
    refresh = element("meta", http_equiv="refresh", content=f"0; url={address}")
    return str(Markup("<!doctype html>\n") + element("html", element("head", Markup('<meta charset="utf-8">'), policy, refresh, element("title", "客户之声 · 最新一周")),
                                                      element("body", element("p", element("a", "打开最新一周", href=address))), lang="zh-CN") + "\n")

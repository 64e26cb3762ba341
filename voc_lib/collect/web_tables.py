"""Tables of a web page, or of Excel's XML of 2003, that a system exported under the name .xls: rows of text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

ROW, CELL = {"tr", "row"}, {"td", "th", "cell"}
SILENT = {"script", "style", "head", "styles"}
MOST_SPAN = 1_000  # a span beyond this is a slip of the exporting system
CHARSET = re.compile(rb"""(?i)charset\s*=\s*["']?([\w-]+)|encoding\s*=\s*["']([\w-]+)""")


def declared_encoding(start: bytes) -> str | None:
    """The encoding a page says it is in; GBK and GB2312 pages often hold more than those, which gb18030 reads."""
    found = CHARSET.search(start)
    name = (found[1] or found[2]).decode().lower() if found else None
    return "gb18030" if name in ("gbk", "gb2312", "gb18030") else name


class _Tables(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[str | None]]] = []
        self.title = ""
        self._open: list[dict] = []  # tables around the present place, the innermost last
        self._silent = self._in_title = 0

    def handle_starttag(self, tag, attributes):
        given = {name.rpartition(":")[2]: value or "" for name, value in attributes}
        self._in_title += tag == "title"
        self._silent += tag in SILENT
        if tag == "table":
            self._open.append({"rows": [], "row": None, "cell": None, "spans": {}})
        if not self._open:
            return
        table = self._open[-1]
        if tag in ROW:
            self._end_row(table)
            table["row"] = {}
        elif tag in CELL and table["row"] is not None:
            self._end_cell(table)
            table["cell"] = ([], _span(given, "colspan") + _span(given, "mergeacross", 0), _span(given, "rowspan") + _span(given, "mergedown", 0), _span(given, "index", 0))
        elif tag in ("br", "p") and table["cell"]:
            table["cell"][0].append("\n")

    def handle_endtag(self, tag):
        self._in_title -= tag == "title" and self._in_title > 0
        self._silent -= tag in SILENT and self._silent > 0
        if not self._open:
            return
        if tag in CELL:
            self._end_cell(self._open[-1])
        elif tag in ROW:
            self._end_row(self._open[-1])
        elif tag == "table":
            table = self._open.pop()
            self._end_row(table)
            self.tables.append(table["rows"])

    def handle_data(self, data):
        if self._in_title:
            self.title += data
        elif self._open and self._open[-1]["cell"] and not self._silent:
            self._open[-1]["cell"][0].append(data)

    def _end_cell(self, table):
        if table["cell"] is None:
            return
        (parts, wide, deep, index), table["cell"] = table["cell"], None
        text = re.sub(r"[ \t\r\xa0]+", " ", "".join(parts)).strip() or None
        row, column = table["row"], max(index - 1, 0)
        while column in row or table["spans"].get(column, (0, None))[0]:
            if column not in row:  # a cell of an earlier row reaches down here
                left, value = table["spans"][column]
                row[column], table["spans"][column] = value, (left - 1, value)
            column += 1
        for place in range(column, column + wide):
            row[place] = text if place == column else None
            if deep > 1:
                table["spans"][place] = (deep - 1, row[place])

    def _end_row(self, table):
        self._end_cell(table)
        row, table["row"] = table["row"], None
        if row is None:
            return
        for place, (left, value) in list(table["spans"].items()):
            if left and place not in row and any(other > place for other in row) or left and place == len(row):
                row[place], table["spans"][place] = value, (left - 1, value)
        table["rows"].append([row.get(place) for place in range(max(row, default=-1) + 1)])

    def close(self):
        super().close()
        while self._open:  # a page cut off: what came is kept
            self.handle_endtag("table")


def _span(given: dict[str, str], name: str, default: int = 1) -> int:
    value = given.get(name, "").strip()
    return min(int(value), MOST_SPAN) if value.isdigit() and (int(value) or not default) else default


def tables_of(text: str) -> tuple[list[list[list[str | None]]], str]:
    """All tables of a page, each a list of rows, and the page's title.

    >>> tables_of("<title>导出</title><table><tr><th>编号<th>话<tr><td rowspan=2>1<td>好<tr><td>坏</table>")
    ([[['编号', '话'], ['1', '好'], ['1', '坏']]], '导出')
    """
    parser = _Tables()
    parser.feed(text)
    parser.close()
    return parser.tables, " ".join(parser.title.split())

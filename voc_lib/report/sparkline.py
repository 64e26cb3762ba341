"""Small drawings in a line of text: people per week with the normal band, one number within its range, a number over weeks.

Inline SVG, so they need no script, follow the page's colours through classes and print as they are.
"""

from __future__ import annotations

from markupsafe import Markup

from voc_lib.report.escape import element
from voc_lib.report.theme import FEWEST, count_text, is_number, people_text

WIDTH, HEIGHT = 240, 46
TOP, BOTTOM, RIGHT = 8, 40, 34    # room for the last dot and the number beside it


def band_line(row: dict, tone: str) -> Markup:
    """`series` (people per week, null = no export that week) as a line over the grey band `low`-`high`.

    The line breaks where a week is missing: a gap is not a zero.
    """
    series = list(row["series"])
    known = [value for value in [*series, row.get("low"), row.get("high")] if is_number(value)]
    top = max([*known, 1])
    step = (WIDTH - RIGHT - 4) / max(len(series) - 1, 1)

    def x(place: int) -> float:
        return 4 + place * step

    def y(value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * value / top

    parts = []
    if is_number(row.get("low")) and is_number(row.get("high")):
        upper, lower = y(row["high"]), y(row["low"])
        parts.append(element("rect", x="0", y=_at(upper), width=_at(WIDTH - RIGHT + 6), height=_at(max(lower - upper, 1.5)), class_="band"))
    parts.append(element("line", x1="0", x2=_at(WIDTH - RIGHT + 6), y1=_at(BOTTOM + .5), y2=_at(BOTTOM + .5), class_="floor"))
    for piece in _pieces(series):
        if len(piece) == 1:
            parts.append(element("circle", cx=_at(x(piece[0][0])), cy=_at(y(piece[0][1])), r="1.6", class_=f"speck {tone}"))
        parts.append(element("polyline", points=" ".join(f"{_at(x(i))},{_at(y(v))}" for i, v in piece), class_=f"trace {tone}"))
    if series and is_number(series[-1]):
        last_x, last_y = x(len(series) - 1), y(series[-1])
        parts.append(element("circle", cx=_at(last_x), cy=_at(last_y), r="3.6", class_=f"dot {tone}"))
        if not 0 < series[-1] < FEWEST:
            parts.append(element("text", count_text(series[-1]), x=_at(last_x + 8), y=_at(min(last_y + 4.5, BOTTOM)), class_=tone))
    return element("svg", parts, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", class_="drawn", aria_label=_spoken(row, series))


def trend_line(values: list[float | None], label: str) -> Markup:
    """Numbers as a plain line from nought (or the least below it), with a dot on the last; `label` says the same in words.

    The line breaks where a week is missing, as in `band_line`.
    """
    known = [value for value in values if is_number(value)]
    low, high = min([*known, 0]), max([*known, 0])
    step = (WIDTH - 10) / max(len(values) - 1, 1)

    def at(place: int, value: float) -> tuple[str, str]:
        return _at(4 + place * step), _at(BOTTOM - (BOTTOM - TOP) * (value - low) / ((high - low) or 1))

    parts = [element("line", x1="0", x2=str(WIDTH), y1=at(0, 0)[1], y2=at(0, 0)[1], class_="floor")]
    for piece in _pieces(values):
        parts.append(element("polyline", points=" ".join(",".join(at(*point)) for point in piece), class_="trace"))
        parts += [element("circle", cx=at(*point)[0], cy=at(*point)[1], r="1.6", class_="speck") for point in piece if len(piece) == 1]
    if values and is_number(values[-1]):
        x, y = at(len(values) - 1, values[-1])
        parts.append(element("circle", cx=x, cy=y, r="3.6", class_="dot"))
    return element("svg", parts, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", class_="drawn", aria_label=label)


def _pieces(series: list) -> list[list[tuple[int, float]]]:
    pieces: list[list[tuple[int, float]]] = [[]]
    for place, value in enumerate(series):
        if is_number(value):
            pieces[-1].append((place, value))
        elif pieces[-1]:
            pieces.append([])
    return [piece for piece in pieces if piece]


def _spoken(row: dict, series: list) -> str:
    told = "、".join(people_text(value).removesuffix(" 人") for value in series)
    band = f"；正常波动{count_text(row['low'])}～{count_text(row['high'])}人" if is_number(row.get("high")) and is_number(row.get("low")) else ""
    return f"近{len(series)}周人数：{told}{band}"


def range_line(range_: dict) -> Markup:
    """One number (`now`, full dot) in the range `low`-`high`, with the number before (`before`, ring) where known.

    Values are drawn between `least` and `most`; what does not fit is drawn at the edge.
    """
    least, most = range_["least"], range_["most"]

    def x(value: float) -> float:
        inside = min(max(value, least), most)
        return 6 + (WIDTH - 12) * (inside - least) / ((most - least) or 1)

    parts = [element("line", x1="0", x2=str(WIDTH), y1="9", y2="9", class_="floor")]
    if is_number(range_.get("low")) and is_number(range_.get("high")):
        left, right = x(range_["low"]), x(range_["high"])
        parts.append(element("rect", x=_at(left), y="5", width=_at(max(right - left, 2)), height="8", rx="4", class_="band"))
    if is_number(range_.get("before")):
        parts.append(element("circle", cx=_at(x(range_["before"])), cy="9", r="4", class_="ring"))
    parts.append(element("circle", cx=_at(x(range_["now"])), cy="9", r="4.6", class_="dot"))
    return element("svg", parts, viewBox=f"0 0 {WIDTH} 18", role="img", class_="drawn range", aria_label=range_["label"])


def _at(value: float) -> str:
    """One decimal is finer than any screen, and the same bytes on every machine."""
    return f"{value:.1f}"

"""How the house looks and how it writes numbers: colours (light, dark), fonts, plotly template, Chinese numerals.

Every colour of a page is one of these. Charts are drawn with the light values; the page exchanges them for the
dark ones in the browser, so each light value is used for one meaning only.
"""

from __future__ import annotations

import math
import re
from datetime import date, timedelta

LIGHT = {
    "paper": "#ffffff", "card": "#f6f7f8", "line": "#dfe3e8", "band": "#e3e7ec", "faint": "#7b8591",
    "soft": "#58626e", "ink": "#171c23", "blue": "#1d5c9f", "red": "#b23327", "green": "#1f7150", "amber": "#8f5c05",
}
DARK = {
    "paper": "#12161b", "card": "#1a2027", "line": "#2d353f", "band": "#303a46", "faint": "#84909d",
    "soft": "#a2adb9", "ink": "#e7ebf0", "blue": "#82b6ef", "red": "#f29182", "green": "#7cc9a2", "amber": "#e2b564",
}
# System fonts only: a page that may not ask the network cannot bring its own Chinese font (8 MB).
FONT = ('-apple-system, "PingFang SC", "Microsoft YaHei", "HarmonyOS Sans SC", "Noto Sans CJK SC", '
        '"Noto Sans SC", "Source Han Sans SC", sans-serif')

FEWEST = 10  # people; a page names no smaller group
SUPPRESSED = f"不足{FEWEST}人"
ABSENT = "—"
_WEEK = re.compile(r"(\d{4})-W(\d{2})")


def css_variables(colours: dict[str, str]) -> str:
    """The colours as CSS custom properties, in a fixed order: `--paper:#ffffff;--card:...`."""
    return "".join(f"--{name}:{value};" for name, value in colours.items())


def chart_layout(height: int) -> dict:
    """The plotly layout every chart starts from: no chrome, hover in ink, axes that make room for Chinese labels."""
    axis = {"showgrid": False, "zeroline": False, "automargin": True, "fixedrange": True, "ticks": "",
            "linecolor": LIGHT["line"], "gridcolor": LIGHT["line"], "tickfont": {"color": LIGHT["soft"], "size": 13}}
    return {
        "height": height, "autosize": True, "showlegend": False, "dragmode": False,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 28}, "template": {},
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 13, "color": LIGHT["ink"]},
        "hoverlabel": {"bgcolor": LIGHT["card"], "bordercolor": LIGHT["line"], "align": "left",
                       "font": {"family": FONT, "size": 13, "color": LIGHT["ink"]}},
        "xaxis": dict(axis), "yaxis": dict(axis),
    }


def is_number(value: object) -> bool:
    """Whether there is a number to show: not None, not NaN, not infinite, not a truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def count_text(value: float | None) -> str:
    """A count as Chinese readers write it: thousands with commas, from ten thousand 万, from a hundred million 亿.

    >>> count_text(9_999), count_text(12_340), count_text(99_999_999), count_text(None)
    ('9,999', '1.2万', '1亿', '—')
    """
    if not is_number(value):
        return ABSENT
    size = round(abs(value))
    sign = "−" if value < 0 and size else ""
    if size < 10_000:
        return f"{sign}{size:,}"
    # 9,999.95万 and more would round to 10,000万
    unit, per = ("亿", 1e8) if size >= 99_999_500 else ("万", 1e4)
    return f"{sign}{size / per:,.1f}".removesuffix(".0") + unit


def people_text(value: float | None) -> str:
    """People as a page may name them: nobody, fewer than ten without saying how many, or the number.

    >>> people_text(0), people_text(3), people_text(12_340), people_text(None)
    ('0 人', '不足10人', '1.2万 人', '—')
    """
    if not is_number(value):
        return ABSENT
    return SUPPRESSED if 0 < value < FEWEST else f"{count_text(value)} 人"


def past_text(before: str, value: float | None) -> str:
    """The period before with its people: 上周 12 人, 上周不足10人.

    >>> past_text("上周", 12), past_text("上周", 3)
    ('上周 12 人', '上周不足10人')
    """
    told = people_text(value)
    return f"{before} {told}" if told[0].isdigit() else f"{before}{told}"


def share_text(value: float | None) -> str:
    """A share (0-1) in per cent with one decimal; what is nearly nothing or nearly all is not rounded to it.

    >>> share_text(0.2346), share_text(0), share_text(0.0002), share_text(0.9999)
    ('23.5%', '0%', '<0.1%', '>99.9%')
    """
    if not is_number(value):
        return ABSENT
    if 0 < value < 0.0005:
        return "<0.1%"
    if 0.9995 <= value < 1:
        return ">99.9%"
    return f"{value * 100:.1f}".removesuffix(".0").replace("-", "−") + "%"


def points_text(difference: float | None) -> str:
    """The size of a difference of two shares: per cent minus per cent is 百分点, never %.

    >>> points_text(-0.031), points_text(0.0001)
    ('3.1 个百分点', '<0.1 个百分点')
    """
    if not is_number(difference):
        return ABSENT
    return f"{'<0.1' if 0 < abs(difference) < 0.0005 else f'{abs(difference) * 100:.1f}'} 个百分点"


def score_text(value: float | None, decimals: int = 2) -> str:
    """A score (rating, NPS) with two decimals and a real minus sign, which nought has not.

    >>> score_text(-0.53), score_text(-0.001), score_text(None)
    ('−0.53', '0.00', '—')
    """
    return f"{value:z.{decimals}f}".replace("-", "−") if is_number(value) else ABSENT


def number_text(value: float | None, unit: str) -> str:
    """A number by the unit of its metric: share, points or count."""
    return {"share": share_text, "points": score_text}.get(unit, count_text)(value)


def week_monday(period: str) -> date:
    """The Monday of an ISO week label `2020-W24`; a Chinese ValueError for anything else."""
    found = _WEEK.fullmatch(period)
    try:
        return date.fromisocalendar(int(found[1]), int(found[2]), 1)
    except (TypeError, ValueError):
        raise ValueError(f"「{period}」不是周标签。请写成 2020-W24 这样的 ISO 周。") from None


def _day(day: date) -> str:
    return f"{day.month}月{day.day}日"


def week_label(period: str) -> str:
    """The name of an ISO week with its days.

    >>> week_label("2020-W24"), week_label("2020-W27")
    ('2020年第24周（6月8日—14日）', '2020年第27周（6月29日—7月5日）')
    """
    if period == "undated":
        return "无日期"
    monday = week_monday(period)
    sunday = monday + timedelta(days=6)
    first, last = _day(monday), f"{sunday.day}日" if sunday.month == monday.month else _day(sunday)
    if sunday.year != monday.year:
        first, last = f"{monday.year}年{first}", f"{sunday.year}年{last}"
    return f"{period[:4]}年第{int(period[6:])}周（{first}—{last}）"


def week_short(period: str) -> str:
    """`第24周`, for axes and sparklines."""
    return "无日期" if period == "undated" else f"第{int(week_monday(period).isocalendar().week)}周"


def date_label(day: str) -> str:
    """An ISO date with its year.

    >>> date_label("2026-11-18")
    '2026年11月18日'
    """
    found = date.fromisoformat(day)
    return f"{found.year}年{_day(found)}"


def day_label(day: date | None) -> str:
    """`6月8日`; 无日期 for none."""
    return _day(day) if day is not None else "无日期"

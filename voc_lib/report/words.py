"""The words of a page: what a verdict, a column, a metric and a code are called in Chinese."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from importlib import import_module
from typing import NamedTuple

from voc_lib.collect.contract_weighting import EVENT
from voc_lib.report import theme

# Arrow and word always go together, so that nothing is said by colour alone.
VERDICTS = {
    "rise": "↑ 上升", "fall": "↓ 下降", "within_error": "≈ 在误差范围内",
    "too_small": "≈ 变化太小", "suppressed": "不比较", "above": "↑ 高于常态", "below": "↓ 低于常态",
}
PLAIN_MENTION = "-评价"
COLUMNS = {
    "metric": "指标", "kind": "口径", "estimate": "数值", "std_error": "标准误", "conf_low": "区间下限", "conf_high": "区间上限",
    "n": "反馈（条）", "people": "人数", "people_baseline": "上期人数", "effective_n": "有效样本", "linked_share": "可关联客户",
    "note": "说明", "channel": "渠道", "code": "问题", "product": "产品", "variant": "型号", "brand": "品牌", "region": "地区",
    "city": "城市", "dealer": "经销商", "iso_week": "周", "verdict": "变化", "volume": "反馈（条）", "baseline": "上期",
    "difference": "差值", "low_rating_share": "低分占比", "top_code": "提到最多", "coded_share": "已归类",
    "no_author_share": "无作者标识", "share": "占发声者", "rows": "行数", "table": "表", "reason": "原因", "file": "文件",
    "first_date": "最早", "last_date": "最近", "stage": "阶段", "person": "人", "codes": "问题",
}
# What the registers know of a customer, with its unit.
FACTS = {"product": "产品", "variant": "版本", "region": "大区", "province": "省份", "city": "城市", "city_tier": "城市级别", "dealer": "门店", "age": "年龄", "spend": "年消费", "app_days": "每月用应用",
         "visits": "近一年进店", "usage": "月均里程或交易", "tenure": "购买至今"}
FACT_UNITS = {"age": "岁", "spend": "元", "app_days": "天", "visits": "次", "usage": "", "tenure": "年"}
BAND, CROSSED = "_band", " × "
UNITS = {"people": "人", "volume": "条", "mean_rating": "分"}


class MetricWords(NamedTuple):
    """What a page needs to know of a metric: its name, unit (share, points, count), word behind, which way is good."""

    label: str
    unit: str
    word: str
    higher_is_better: bool | None


@cache
def metric_words(name: str) -> MetricWords:
    """The words of a metric, from its file in `measure/metrics`; a number without a file is shown as a plain number."""
    try:
        metric = import_module(f"voc_lib.measure.metrics.{name}").METRIC
    except ModuleNotFoundError:
        return MetricWords(COLUMNS.get(name, name), "share" if name.endswith("share") else "count", UNITS.get(name, ""), None)
    return MetricWords(metric.label, metric.unit, UNITS.get(name, ""), metric.higher_is_better)


def fact_title(name: str) -> str:
    """A column that weighs or a behaviour held out, as a reader says it; what is not known here keeps its name.

    >>> fact_title("visits_band"), fact_title("touchpoint:复购"), fact_title("职业")
    ('近一年进店', '复购', '职业')
    """
    return FACTS.get(name.removesuffix(BAND), name.removesuffix(BAND)) if not name.startswith(EVENT) else name.removeprefix(EVENT)


def level_title(covariate: str, level: str) -> str:
    """A level of a column; of two crossed columns their levels alone.

    >>> level_title("visits_band", ">3"), level_title("region × age_band", "华东 × ≤30")
    ('近一年进店 >3 次', '华东 × ≤30 岁')
    """
    names, values = covariate.split(CROSSED), level.split(CROSSED)
    units = [FACT_UNITS.get(name.removesuffix(BAND), "") if name.endswith(BAND) and value != "未知" else "" for name, value in zip(names, values, strict=False)]
    if len(names) > 1:
        return CROSSED.join(f"{value} {unit}".strip() for value, unit in zip(values, units, strict=False))
    return f"{fact_title(names[0])} {values[0]} {units[0]}".strip()


def plain_facts(text: str) -> str:
    """A remark of the weighting with its columns as a reader says them.

    >>> plain_facts("region=西藏 没有人说话")
    '大区 西藏 没有人说话'
    """
    for name, title in sorted(FACTS.items(), key=lambda one: -len(one[0])):
        text = text.replace(f"{name}{BAND}=", f"{title} ").replace(f"{name}=", f"{title} ")
    return text


def change_tone(metric: str, verdict: str, code: str = "") -> str:
    """`worse`, `better`, `flat` or `strong`: more people naming a fault is worse; more people speaking at all is neither.

    A plain mention (…-评价) says what people talk about, not whether they are content: its rise is neither.
    """
    if verdict not in ("rise", "fall", "above", "below"):
        return "flat"
    good = False if metric == "code_share" else metric_words(metric).higher_is_better
    if good is None or code.endswith(PLAIN_MENTION):
        return "strong"
    return "better" if (verdict in ("rise", "above")) == good else "worse"


def finding(row: dict) -> str:
    """What a row of `movers` found: its verdict where it changed since the week before, else `above` or `below` usual."""
    unusual = row.get("unusual")
    return unusual if unusual and row["verdict"] not in ("rise", "fall") else row["verdict"]


def code_title(code: str) -> str:
    """A code read as a phrase: the part and what is wrong with it.

    >>> code_title("操控系统-方向盘-抖动"), code_title("未归类")
    ('方向盘抖动', '未归类')
    """
    parts = str(code).split("-")
    return parts[-1] if len(parts) < 2 else "".join(parts[-2:])


def code_name(code: str) -> str:
    """A code where it stands alone, in a sentence or a table: its system, then the phrase.

    >>> code_name("空调-运转-异响"), code_name("价格-价格-评价"), code_name("未归类")
    ('空调·运转异响', '价格评价', '未归类')
    """
    system, _, rest = str(code).partition("-")
    return f"{system}·{code_title(code)}" if "-" in rest and not rest.startswith(f"{system}-") else code_title(code)


def code_path(code: str) -> str:
    """The code's place in the taxonomy: `操控系统 › 方向盘 › 抖动`; empty for a code without a place."""
    parts = str(code).split("-")
    return " › ".join(parts) if len(parts) > 1 else ""


def channel_title(channel: str | None, titles: dict[str, str] | None) -> str:
    """The channel's Chinese title where one is given, else its name."""
    return (titles or {}).get(channel or "", channel or "")


def group_title(column: str, value: object, titles: dict[str, str] | None = None) -> str:
    """What a group of an estimate is called: channels by title, codes as a phrase, 未注明 for null."""
    if value is None:
        return "未注明"
    return channel_title(str(value), titles) if column == "channel" else code_name(str(value)) if column == "code" else str(value)


def period_before(row: dict, usual: str = "上周") -> str:
    """What to call the period compared with: `usual`, or the week by number where `baseline_period` is an earlier one."""
    period, baseline = row.get("period"), row.get("baseline_period")
    if not period or not baseline or theme.week_monday(period) - theme.week_monday(baseline) == timedelta(days=7):
        return usual
    return theme.week_short(baseline)

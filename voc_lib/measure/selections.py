"""Selections by name: what is being looked at, written down once in `data/domains/<domain>/selections.yaml` and replayed on every snapshot.

A selection is a definition and no list of feedback: what fits it next week belongs to it next week. The file is made to be read and put
under git: name -> what is asked for, who wrote it, when and why.
"""

from __future__ import annotations

import getpass
import os
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path

import polars as pl
import yaml
from filelock import FileLock

from voc_lib.enrich.domain import load_domain
from voc_lib.measure.boolean import condition
from voc_lib.measure.feedback import check_present, listed
from voc_lib.measure.search import BEST, check_known, check_rating, conditions, places, weeks_until
from voc_lib.messages import Told, yaml_words
from voc_lib.settings import settings
from voc_lib.store import Store, open_store

FILE_NAME = "selections.yaml"
HEAD = "# 存好的选取：名字 -> 要什么、谁、何时、为什么。用 voc selection save|list|remove 改，也可以直接编辑。\n"
ASKED = {"query": str, "period": str, "weeks": int, "channel": list, "code": str, "product": str, "region": str, "rating": list}
TOLD = ("who", "when", "why")
KINDS = {str: "文字", int: "整数", list: "列表"}
TITLES = {"query": "检索", "period": "截至", "weeks": "往前周数", "channel": "渠道", "code": "问题", "product": "产品", "region": "地区", "rating": "评分"}


class SelectionError(Told, ValueError):
    """There is no such selection, it cannot be saved as asked, or its file cannot be read."""


def save_selection(
    name: str, query: str = "", period: str = "", weeks: int = 1, channel: str | list[str] = (), code: str = "", product: str = "", region: str = "",
    rating: tuple[float, float] = (0.0, BEST), why: str = "", who: str = "", replace: bool = False, store: Store | str | None = None,
) -> dict:
    """Keep what is asked for under a name, for `selection=` of feedback, find, similar, estimate, compare and movers; gives back what was written.

    `period` is the last of `weeks` ISO weeks; without it the selection holds for whatever period it is used in. The other arguments are
    those of `find` and `search_feedback`, checked against the store and its taxonomy now. Raises SelectionError where nothing is asked
    for, or where the name is taken (`replace=True` writes over it).
    """
    store = store if isinstance(store, Store) else open_store(store)
    if not name.strip() or name != name.strip() or not name.isprintable():
        raise SelectionError(f"选取的名字「{name}」不能用：不能是空的，前后不能有空格，也不能有换行。")
    asked = {"query": query.strip(), "period": period, "weeks": weeks if period and weeks > 1 else None, "channel": listed(channel), "code": code, "product": product, "region": region,
             "rating": [] if tuple(rating) == (0.0, BEST) else list(rating)}
    asked = {key: value for key, value in asked.items() if value}
    if not asked:
        raise SelectionError("选取里什么条件也没有。至少写一个：检索式、周、渠道、问题、产品、地区或评分。")
    _check(store, asked)
    told = {"who": who or getpass.getuser(), "when": datetime.now(UTC).isoformat(timespec="seconds"), "why": why}
    path = _path(store)
    with FileLock(str(path.with_name(f".{FILE_NAME}.lock"))):
        have = _read(path)
        if name in have and not replace:
            raise SelectionError(f"已有名为「{name}」的选取：{definition_words(have[name])}。换一个名字，或写明要替换它（命令行加 --replace，笔记本里写 replace=True）。")
        _write(path, have | {name: asked | told})
    return {"name": name} | asked | told


def remove_selection(name: str, store: Store | str | None = None) -> dict:
    """Take a selection away and give back what it was; git still knows it."""
    path = _path(store if isinstance(store, Store) else open_store(store))
    with FileLock(str(path.with_name(f".{FILE_NAME}.lock"))):
        have = _read(path)
        _known(name, have)
        _write(path, {key: value for key, value in have.items() if key != name})
    return {"name": name} | have[name]


def selections(store: Store | str | None = None) -> pl.DataFrame:
    """The saved selections of the store's domain, by name. Columns name, definition (in words), who, when, why."""
    have = _read(_path(store if isinstance(store, Store) else open_store(store)))
    rows = [{"name": name, "definition": definition_words(one), **{key: str(one.get(key, "")) for key in TOLD}} for name, one in sorted(have.items())]
    return pl.DataFrame(rows, schema=dict.fromkeys(("name", "definition", *TOLD), pl.String))


def asked_for(
    store: Store, period: str | list[str] | None = None, channel: str | list[str] | None = None, selection: str | None = None, query: str = "", code: str = "",
    product: str = "", region: str = "", rating: tuple[float, float] = (0.0, BEST),
) -> list[str]:
    """SQL conditions of a saved selection with everything else on top of it, as `find` and `search_feedback` ask; what is None or empty asks for nothing.

    Raises SelectionError on an unknown name, or where the two have no week or no channel in common.
    """
    if period is not None or channel is not None:
        check_present(store, period, channel)
    top = conditions(query, code=code, product=product, region=region, rating=rating)
    if selection is None:
        return conditions(period=period, channel=channel) + top
    one = {key: value for key, value in _named(store, selection).items() if key in ASKED}
    own = weeks_until(one.pop("period", ""), one.pop("weeks", 1))
    weeks = _both(period, own, selection, "周")
    channels = _both(channel, one.pop("channel", None), selection, "渠道")
    return conditions(one.pop("query", ""), period=weeks, channel=channels, **one) + top


def within(frame: pl.DataFrame, selection: str | None, store: Store | str | None = None, past: bool = False) -> pl.DataFrame:
    """The rows of a feedback frame that a saved selection holds, in the frame's order; all of them where `selection` is None.

    `store` is where the frame came from, at the same snapshot. Raises SelectionError on an unknown name, on rows that the store does not hold, and where
    the frame and the selection have no week or no channel in common; `past` frames are only context, and may then be empty.
    """
    if selection is None:
        return frame
    from voc_lib.measure.held import held, rows_where

    store = store if isinstance(store, Store) else open_store(store)
    table, asked = held(store), asked_for(store, selection=selection)
    known = pl.from_arrow(table.select(["feedback_id"])).to_series()
    strange = frame.filter(~pl.col("feedback_id").is_in(known.implode())).height
    if strange:
        raise SelectionError(f"选取「{selection}」要在反馈所在的库里看：{frame.height:,} 条里有 {strange:,} 条不在库「{store.name}」的快照 {store.snapshot} 里。请写 store=，用取出这些反馈的那个库和快照。")
    if not past and frame.height:
        one = _named(store, selection)
        _both(frame["iso_week"].unique().sort().to_list(), weeks_until(one.get("period", ""), one.get("weeks", 1)), selection, "周")
        _both(frame["channel"].unique().sort().to_list(), one.get("channel"), selection, "渠道")
    return frame.filter(pl.col("feedback_id").is_in(known.gather(rows_where(store, asked)).implode()))


def told_selection(name: str, store: Store | str | None = None) -> dict:
    """A saved selection for the provenance of a number: its name as `selection`, what it asks for in words as `asks`. Raises SelectionError on an unknown name."""
    return {"selection": name, "asks": definition_words(_named(store if isinstance(store, Store) else open_store(store), name))}


def selection_note(name: str | None) -> str:
    """What stands beside a number that holds for a selection only; "" for none."""
    return f"只看选取「{name}」" if name else ""


def definition_words(one: dict) -> str:
    """What a selection asks for, in words.

    >>> definition_words({"query": "异响 NOT 车机", "channel": ["hotline"], "who": "li"})
    '检索「异响 NOT 车机」、渠道 hotline'
    """
    parts = []
    for key, title in TITLES.items():
        if value := one.get(key):
            parts.append(f"{title}「{value}」" if key == "query" else f"{title} {'、'.join(f'{part:g}' if isinstance(part, float) else str(part) for part in value) if isinstance(value, list) else value}")
    return "、".join(parts)


def _both(asked: str | list[str] | None, own: list[str] | None, name: str, what: str) -> list[str] | None:
    if asked is None or own is None:
        return own if asked is None else listed(asked)
    common = [value for value in listed(asked) if value in own]
    if not common:
        raise SelectionError(f"选取「{name}」只看{what} {own[0]}{f' 到 {own[-1]}' if len(own) > 1 else ''}，与这里要的{what} {'、'.join(listed(asked)[:3])} 没有交集。改一处，或把选取存成不带{what}的。")
    return common


def _check(store: Store, asked: dict) -> None:
    """What cannot be found now, because it is written wrongly, is said now and not when somebody relies on it."""
    condition(asked["query"]) if "query" in asked else None
    check_rating(tuple(asked.get("rating", (0.0, BEST))))
    check_present(store, weeks_until(asked.get("period", ""), asked.get("weeks", 1)), asked.get("channel"))
    here = f"库「{store.name}」里"
    for column, title in (("product", "产品"), ("region", "地区")):
        if column in asked:
            have = store.sql(f"SELECT DISTINCT {column} FROM feedback_rows WHERE {column} IS NOT NULL ORDER BY 1")[column].to_list()
            check_known(column, asked[column], have, title, here)
    if "code" in asked:
        taxonomy = load_domain(settings().domains, store.about["domain"]).taxonomy
        check_known("code", asked["code"], places([code.code for code in taxonomy]), "问题", "编码表里")


def _path(store: Store) -> Path:
    return settings().domains / store.about["domain"] / FILE_NAME


def _read(path: Path) -> dict[str, dict]:
    if not path.exists():
        return {}
    source = path.read_text("utf-8-sig")
    try:
        have = yaml.safe_load(source) or {}
    except yaml.YAMLError as error:
        line, words = yaml_words(error, source)
        raise SelectionError(f"{path} 第 {line} 行：{words}。") from None
    for name, one in have.items() if isinstance(have, dict) else [("", None)]:
        if not isinstance(one, dict):
            raise SelectionError(f"{path} 写得不对：应为「名字: 条件」，每个条件一行，例如 query: 异响。{f'不对的是「{name}」。' if name else ''}")
        for key, value in one.items():
            if key not in ASKED and key not in TOLD:
                near = get_close_matches(str(key), [*ASKED, *TOLD], 1, 0.5)
                raise SelectionError(f"{path} 的「{name}」里有不认识的「{key}」。{f'是否想写「{near[0]}」？' if near else ''}可用：{'、'.join([*ASKED, *TOLD])}。")
            if key in ASKED and not isinstance(value, ASKED[key]):
                raise SelectionError(f"{path} 的「{name}」里「{key}」应为{KINDS[ASKED[key]]}，写的是「{value}」。")
    return have


def _named(store: Store, name: str) -> dict:
    have = _read(_path(store))
    _known(name, have)
    return have[name]


def _known(name: str, have: dict) -> None:
    if name in have:
        return
    near = get_close_matches(name, list(have), 3, 0.3)
    said = f"是否想写{'、'.join(f'「{one}」' for one in near)}？" if near else f"现有：{'、'.join(sorted(have))}。" if have else "还没有存过选取，先用 voc selection save。"
    raise SelectionError(f"没有名为「{name}」的选取。{said}")


def _write(path: Path, have: dict[str, dict]) -> None:
    beside = path.with_name(f".{FILE_NAME}.{os.getpid()}")
    beside.write_text(HEAD + yaml.safe_dump(dict(sorted(have.items())), allow_unicode=True, sort_keys=False, width=1_000), "utf-8")
    os.replace(beside, path)

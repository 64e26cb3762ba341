"""`voc topics`: the topics of a store and their ledger: fit, list, what happened, candidates, and what analysts change."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer
from rich.table import Table

from voc_lib.cli import JSON, STORE, app, out, say_json, store_named
from voc_lib.cli_words import App

topics_app = App(no_args_is_help=True, help="主题：按月拟合，列出主题和台账，确认新主题，合并、改名、标为噪声，比分析师是否一致。")
app.add_typer(topics_app, name="topics")
WHO = typer.Option("--who", help="谁；不写则用登录名。")
WHY = typer.Option("--why", help="原因；写进台账。")


def _tell(text: str) -> None:
    out.print(text, markup=False, highlight=False)


@topics_app.command()
def fit(
    store: Annotated[str | None, STORE] = None,
    topics: Annotated[int | None, typer.Option("--topics", min=2, max=500, help="第一次拟合找多少个主题；不写则按文字多少，最多 50。已有模型时不起作用。")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="随机种子。")] = 0,
    until: Annotated[str | None, typer.Option("--until", metavar="周", help="只用到这一周为止的文字，如 2026-W38；用来从过去开始一本台账。")] = None,
    if_missing: Annotated[bool, typer.Option("--if-missing", help="已有主题模型就什么也不做。")] = False,
    why: Annotated[str, WHY] = "按月重新拟合",
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """拟合主题（每月一次）：从最近 56 周的文字里找主题，对上台账里的编号，再按新模型把这些周重新归类。"""
    from voc_lib.enrich.topic_store import fit_topics, model_in_force
    from voc_lib.measure.feedback import check_week
    from voc_lib.store import open_store

    if if_missing and (held := model_in_force(open_store(store_named(store)))):
        say_json({"store": store_named(store), "version": held["version"]}) if as_json else _tell(f"已有主题模型 {held['version']}，没有重新拟合。")
        return
    done = fit_topics(store_named(store), topics, seed, until and check_week(until), why=why)
    if as_json:
        say_json({"store": store_named(store)} | done.__dict__)
        return
    kept = f"；与上一版相比 {done.kept_share:.1%} 的文字主题不变，台账新增 {done.events} 件事" if done.kept_share is not None else ""
    _tell(f"{done.version}：{done.documents:,} 条不同的文字，{done.topics} 个主题，{done.unmapped_share:.1%} 未归类{kept}。归类 {done.assigned:,} 条反馈。")


@topics_app.command("list")
def show(store: Annotated[str | None, STORE] = None, as_json: Annotated[bool, JSON] = False) -> None:
    """列出现在的主题：编号、名字、所在系统、拟合时的文字数。"""
    from voc_lib.measure.analyses.topic_weeks import NO_MODEL, topics_in_force
    from voc_lib.store import open_store

    lake = open_store(store_named(store))
    found = topics_in_force(lake)
    if as_json:
        say_json({"store": lake.name, "topics": found.to_dicts()})
        return
    if found.is_empty():
        _tell(NO_MODEL.format(lake.name, lake.name))
        return
    table = Table("编号", "系统", "名字", "文字", "")
    for row in found.sort("system", -found["documents"], nulls_last=True).iter_rows(named=True):
        table.add_row(row["topic_id"], row["system"] or "—", row["name"], f"{row['documents']:,}", "噪声" if row["is_noise"] else "" if len(row["parts"]) == 1 else f"合并自 {len(row['parts'])} 个")
    out.print(table)


@topics_app.command()
def events(store: Annotated[str | None, STORE] = None, as_json: Annotated[bool, JSON] = False) -> None:
    """主题台账：新生、分裂、合并、改名……谁、何时、为什么；最近的在前。"""
    from voc_lib.measure.analyses.topic_weeks import topic_history
    from voc_lib.report.topic_ledger import ACTIONS
    from voc_lib.store import open_store

    lake = open_store(store_named(store))
    found = topic_history(lake)
    if as_json:
        say_json({"store": lake.name, "events": found.to_dicts()})
        return
    if found.is_empty():
        _tell("台账还是空的：先运行 voc topics fit。")
        return
    table = Table("序号", "时间", "谁", "什么", "主题", "涉及", "原因")
    for row in found.iter_rows(named=True):
        table.add_row(str(row["event"]), f"{row['at']:%Y-%m-%d %H:%M}", row["who"], ACTIONS[row["action"]], row["topic_id"] or "—",
                      "、".join(filter(None, [row["others"], row["name"]])) or "—", row["why"] or "")
    out.print(table)


WEEK = typer.Option("--week", metavar="周", help="截至哪一周，如 2026-W46；不写则库里最后一周。")


def _candidates(store: str | None, week: str | None):
    from voc_lib.measure.analyses.new_topics import new_topics, new_topics_note
    from voc_lib.measure.feedback import check_week, weeks
    from voc_lib.store import open_store

    lake = open_store(store_named(store))
    week = check_week(week) if week else weeks(lake)["iso_week"].max()
    return lake.name, week, new_topics(lake, week), new_topics_note(lake, week)


@topics_app.command()
def candidates(
    week: Annotated[str | None, WEEK] = None,
    store: Annotated[str | None, STORE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """新话题的候选：最近两周突然多起来的说法；读过原声，用 confirm 确认才成为主题。"""
    from voc_lib.report.new_topics import lift_text, say_new_topics
    from voc_lib.report.theme import people_text

    name, week, found, said = _candidates(store, week)
    if as_json:
        say_json({"store": name, "week": week, "note": said, "candidates": found.to_dicts()})
        return
    _tell(f"{week}：{say_new_topics(found, said)}")
    if found.height:
        table = Table("候选", "名字", "人数", "与平常比", "原声", "已知编码")
        for row in found.iter_rows(named=True):
            table.add_row(row["candidate"], row["name"], people_text(row["people"]), lift_text(row), f"{len(row['feedback_ids'])} 条", row["known_code"] or "—")
        out.print(table)
        _tell("确认：voc topics confirm 候选 --week " + week + " --name 名字 --why 原因")


@topics_app.command()
def confirm(
    candidate: Annotated[str, typer.Argument(metavar="候选", help="voc topics candidates 列出的编号。")],
    name: Annotated[str | None, typer.Option("--name", help="主题的名字；不写则用候选的名字。")] = None,
    week: Annotated[str | None, WEEK] = None,
    why: Annotated[str, WHY] = "",
    who: Annotated[str | None, WHO] = None,
    store: Annotated[str | None, STORE] = None,
) -> None:
    """把一个候选确认为主题：台账里加一个编号，最近 56 周按它重新归类；别的主题不变。"""
    import polars as pl

    from voc_lib.enrich.topic_edits import confirm_topic
    from voc_lib.enrich.topic_store import TopicError

    lake, week, found, _ = _candidates(store, week)
    chosen = found.filter(pl.col("candidate") == candidate)
    if chosen.is_empty():
        raise TopicError(f"{week} 没有候选「{candidate}」。现有：{'、'.join(found['candidate']) or '无'}。用 voc topics candidates 看全部，别的周用 --week。")
    named = name or chosen["name"][0]
    topic = confirm_topic(lake, chosen["feedback_ids"][0].to_list(), named, who=who or getpass.getuser(), why=why)
    _tell(f"新主题 {topic}「{named}」：由 {len(chosen['feedback_ids'][0])} 条反馈确认，最近 56 周已重新归类。")


@topics_app.command()
def merge(
    into: Annotated[str, typer.Argument(metavar="并入", help="留下来的主题编号。")],
    others: Annotated[list[str], typer.Argument(metavar="主题…", help="并进去的主题编号。")],
    why: Annotated[str, WHY] = "",
    who: Annotated[str | None, WHO] = None,
    store: Annotated[str | None, STORE] = None,
) -> None:
    """把几个主题并成一个；编号不再另用，以后每次拟合都照此合并。"""
    _edit(store, "merge", into, others, None, who, why)


@topics_app.command()
def rename(
    topic: Annotated[str, typer.Argument(metavar="主题", help="主题编号。")],
    name: Annotated[str, typer.Option("--name", help="新名字。")],
    why: Annotated[str, WHY] = "",
    who: Annotated[str | None, WHO] = None,
    store: Annotated[str | None, STORE] = None,
) -> None:
    """给主题改名；编号不变。"""
    _edit(store, "rename", topic, [], name, who, why)


@topics_app.command()
def noise(
    topic: Annotated[str, typer.Argument(metavar="主题", help="主题编号。")],
    why: Annotated[str, WHY] = "",
    who: Annotated[str | None, WHO] = None,
    store: Annotated[str | None, STORE] = None,
) -> None:
    """把一个主题标为噪声（广告、客套）：不再计入任何数字，反馈仍在。"""
    _edit(store, "noise", topic, [], None, who, why)


@topics_app.command()
def move(
    topic: Annotated[str, typer.Argument(metavar="主题", help="移到哪个主题。")],
    feedback: Annotated[list[str], typer.Argument(metavar="反馈…", help="反馈编号。")],
    why: Annotated[str, WHY] = "",
    who: Annotated[str | None, WHO] = None,
    store: Annotated[str | None, STORE] = None,
) -> None:
    """把反馈移到另一个主题；以人的判断为准，重新拟合也不变。"""
    _edit(store, "move", topic, feedback, None, who, why)


def _edit(store: str | None, action: str, topic: str, others: list[str], name: str | None, who: str | None, why: str) -> None:
    from voc_lib.enrich.topic_edits import edit_topic
    from voc_lib.report.topic_ledger import ACTIONS

    number = edit_topic(store_named(store), action, topic, others, name, who=who or getpass.getuser(), why=why)
    _tell(f"已记入台账第 {number} 条：{ACTIONS[action]} {topic}" + (f"，涉及 {'、'.join(others)}" if others else "") + (f"，名为「{name}」" if name else "") + "。")


@topics_app.command()
def agreement(store: Annotated[str | None, STORE] = None, as_json: Annotated[bool, JSON] = False) -> None:
    """分析师归类得一致吗：两人都用 voc topics move 归过的反馈，两两的 kappa。"""
    from voc_lib.measure.analyses.topic_agreement import topic_agreement
    from voc_lib.store import open_store

    lake = open_store(store_named(store))
    found = topic_agreement(lake)
    if as_json:
        say_json({"store": lake.name, "agreement": found.to_dicts()})
        return
    if found.is_empty():
        _tell("还没有两位分析师都归过的反馈：各自用 voc topics move 主题 反馈 --who 姓名 归同一批反馈，再来比。")
        return
    for row in found.iter_rows(named=True):
        kappa = "无法计算（两人都只用了一个主题）" if row["kappa"] is None else f"{row['kappa']:.2f}（95% 区间 {row['conf_low']:.2f}～{row['conf_high']:.2f}）"
        _tell(f"{row['first']}、{row['second']}：都归过 {row['n']} 条，一致 {row['agree_share']:.0%}，kappa {kappa}。")

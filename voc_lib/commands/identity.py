"""`voc identity`: who is who - how well people are linked, what links nobody, linking again, splitting and joining by hand, a new secret."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer
from rich.table import Table

from voc_lib.cli import JSON, STORE, app, out, say_json, store_named
from voc_lib.cli_words import App

identity_app = App(no_args_is_help=True, help="谁是谁：关联率、认不了人的键；重新关联，人工拆开或合并，撤销，换密钥。")
app.add_typer(identity_app, name="identity")
WHO = typer.Option("--who", help="谁；不写则用登录名。")
WHY = typer.Option("--why", help="原因；写进修改记录。")
SHOWN = 10


def _tell(text: str) -> None:
    out.print(text, markup=False, highlight=False)


@identity_app.command()
def report(store: Annotated[str | None, STORE] = None, as_json: Annotated[bool, JSON] = False) -> None:
    """各渠道关联到人的比例、一个人有几条反馈、凭什么关联、哪些键认不了人。"""
    from voc_lib.collect.identity.report import doubts_now, link_rates, people_sizes, reasons
    from voc_lib.collect.identity.words import WHYS, key_words, reason_words
    from voc_lib.store import open_store

    lake = open_store(store_named(store))
    rates, sizes, told, doubts = link_rates(lake), people_sizes(lake), reasons(lake), doubts_now(lake)
    if as_json:
        say_json({"store": lake.name, "channels": rates.to_dicts(), "people": sizes.to_dicts(), "reasons": told.to_dicts(), "doubts": doubts.to_dicts()})
        return
    table = Table("渠道", "反馈", "带键", "认出人", "是在册客户", title=f"库「{lake.name}」关联到人的反馈", title_justify="left")
    for row in rates.iter_rows(named=True):
        table.add_row(row["channel"], f"{row['n']:,}", f"{row['keyed']:,}", f"{row['person']:,}（{row['person_share']:.0%}）", f"{row['customer']:,}（{row['customer_share']:.0%}）")
    out.print(table)
    _tell("一个人的反馈：" + ("；".join(f"{row['feedback']} 条的 {row['people']:,} 人（{row['several']:,} 人出现在两个以上渠道）" for row in sizes.iter_rows(named=True)) or "还没有认出任何人") + "。")
    _tell("凭什么：" + ("；".join(f"{reason_words(row['reason'])} {row['n']:,} 条" for row in told.filter(told["linked"]).head(SHOWN).iter_rows(named=True)) or "—") + "。")
    if doubts.is_empty():
        _tell("没有认不了人的键。")
        return
    _tell(f"认不了人的键 {doubts.height:,} 个（不用它们关联，反馈都在）：")
    for row in doubts.head(SHOWN).iter_rows(named=True):
        joined = f"，会连起 {row['customers']:,} 个" if row["customers"] else ""
        _tell(f"  {key_words(row['key_type'])} {row['key_hash'][:12]}…：{WHYS[row['why']]}{joined}，{row['feedback'] or 0:,} 条反馈")


@identity_app.command()
def link(
    store: Annotated[str | None, STORE] = None,
    everything: Annotated[bool, typer.Option("--all", help="全部重新判断，不只看新来的。")] = False,
    probable: Annotated[bool, typer.Option("--probable", help="再用概率方法给没有强键的账号找同一个人（需要合同里登记弱键，如 weak:nick）；平时不用。")] = False,
    least: Annotated[float, typer.Option("--least", min=0.5, max=0.9999, help="概率方法：匹配概率至少多少才算同一个人。")] = 0.85,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """重新判断谁是谁。voc ingest 每次都会做，平时不必单独运行。"""
    from voc_lib.collect.identity.link import link as run
    from voc_lib.collect.identity.probable import link_probable
    from voc_lib.store_write import write_store

    with write_store(store_named(store), "identity link") as writer:
        done = run(writer, everything)
        guessed = link_probable(writer, least) if probable else None
    if as_json:
        say_json({"store": store_named(store), "looked_at": done.looked_at, "changed": done.changed, "whole": done.whole, "probable": guessed and guessed.__dict__})
        return
    _tell(f"看了 {done.looked_at:,} 条反馈{'（全部）' if done.whole else ''}，{done.changed:,} 条的判断有变化。")
    if guessed:
        _tell(f"概率方法：比较了 {guessed.accounts:,} 个账号，{guessed.matched:,} 个并到别的账号或客户，涉及 {guessed.feedback:,} 条反馈；理由里写着匹配权重。")


@identity_app.command()
def split(
    feedback: Annotated[list[str], typer.Argument(metavar="反馈编号...", help="不是同一个人说的反馈；它们一起算另一个人。")],
    why: Annotated[str, WHY],
    store: Annotated[str | None, STORE] = None,
    who: Annotated[str | None, WHO] = None,
) -> None:
    """把认错的反馈从一个人那里拆开；记一行，以后每次关联都重放。"""
    _edit(store, {"action": "split", "feedback": feedback}, who, why)


@identity_app.command()
def join(
    feedback: Annotated[list[str], typer.Argument(metavar="反馈编号...", help="每个人举一条反馈，至少两条；这些人算同一个人。")],
    why: Annotated[str, WHY],
    store: Annotated[str | None, STORE] = None,
    who: Annotated[str | None, WHO] = None,
) -> None:
    """把几个人合并成一个；客户编号不同的人不能合并。"""
    from voc_lib.collect.identity.edits import EditError

    if len(set(feedback)) < 2:
        raise EditError("合并至少要两条不同的反馈，各代表一个人。")
    _edit(store, {"action": "join", "feedback": feedback}, who, why)


@identity_app.command()
def undo(
    line: Annotated[int, typer.Argument(metavar="行号", min=1, help="identity_edits.jsonl 里的行号。")],
    why: Annotated[str, WHY],
    store: Annotated[str | None, STORE] = None,
    who: Annotated[str | None, WHO] = None,
) -> None:
    """撤销一次拆开或合并。"""
    _edit(store, {"action": "undo", "of": line}, who, why)


def _edit(store: str | None, edit: dict, who: str | None, why: str) -> None:
    from voc_lib.collect.identity.edits import edit_people

    line, changed = edit_people(store_named(store), edit, who or getpass.getuser(), why)
    _tell(f"记在第 {line} 行，{changed:,} 条反馈换了人。撤销：voc identity undo {line} --why 原因")


@identity_app.command()
def rekey(
    yes: Annotated[bool, typer.Option("--yes", help="确认：旧快照会删除，旧页面不能再按原快照重做。")] = False,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """换密钥：所有库里的身份键换成新的哈希，旧哈希连同旧快照一起删除。"""
    from voc_lib.collect.identity.rekey import rekey as run

    done = run(yes)
    if as_json:
        say_json(done.__dict__)
        return
    _tell(f"第 {done.generation} 代密钥已启用，{len(done.stores)} 个库换好：{'、'.join(done.stores) or '无'}。请把 {done.secret} 一起备份；旧的密钥文件仍要留着。")

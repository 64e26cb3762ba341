"""`voc audit`: draw verbatims or mentions for hand labels into an Excel file, read the filled file back, show the corrected shares."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from voc_lib.cli import JSON, STORE, app, out, say_json, store_named


@app.command()
def audit(
    read: Annotated[Path | None, typer.Option("--read", help="填好的抽检文件；不写则抽签并生成新文件。")] = None,
    store: Annotated[str | None, STORE] = None,
    number: Annotated[int, typer.Option("--number", min=10, help="每个渠道抽几条。")] = 100,
    folder: Annotated[Path | None, typer.Option("--folder", help="文件写到哪个文件夹；不写则 data/audit。")] = None,
    show: Annotated[bool, typer.Option("--show", help="只看各渠道的份额，不抽签。")] = False,
    mentions: Annotated[bool, typer.Option("--mentions", help="按提及抽：每行一条反馈和它提到的一个问题；与 --show 同用，看各问题的份额。--read 自己会认。")] = False,
    refit: Annotated[bool, typer.Option("--refit", help="voc.toml 写着 opinions = \"labels\" 时：从现在起用上全部标注；平时新标注满五分之一才自动重学。")] = False,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """人工抽检：每个渠道抽 100 条（或提及）写成 Excel；填好后用 --read 读回，各渠道（各问题）的份额随之修正，误差算进区间。"""
    from voc_lib.enrich.opinions_labels import relearn
    from voc_lib.measure.analyses.health import channel_titles
    from voc_lib.measure.auditing import draw_audit, read_audit
    from voc_lib.settings import settings

    name = store_named(store)
    if refit:
        count = relearn(name)
        if as_json:
            say_json({"store": name, "labels": count})
        else:
            out.print(f"库「{name}」现有 {count:,} 条可用的观点标注；voc.toml 里写 opinions = \"labels\" 时，下次 voc enrich 照它们全部重新判断。", markup=False)
        return
    if read is not None:
        done = read_audit(name, read)
        if as_json:
            say_json({"store": name, "audit": done.audit, "labels": done.labels, "empty": done.empty, "mentions": done.mentions,
                      "shares": _shares(name, done.mentions).to_dicts()})
            return
        out.print(f"读回抽签 {done.audit} 的 {sum(done.labels.values()):,} 条标注" + (f"，{done.empty:,} 条还空着。" if done.empty else "。"))
        out.print(_table(name, done.mentions))
    elif show:
        if as_json:
            say_json({"store": name, "shares": _shares(name, mentions).to_dicts()})
            return
        out.print(_table(name, mentions))
    else:
        path, drawn = draw_audit(name, folder or settings().home / "data" / "audit", number, mentions)
        if as_json:
            say_json({"store": name, "file": str(path), "drawn": dict(drawn.iter_rows())})
            return
        titles = channel_titles(name)
        out.print("、".join(f"{titles.get(channel, channel)} {count} {'个提及' if mentions else '条'}" for channel, count in drawn.iter_rows())
                  + f"，写在 {path}。填好“观点”一列后运行：", markup=False)
        print(f"voc audit --store {name} --read {shlex.quote(str(path))}")


def _shares(name: str, mentions: bool):
    import polars as pl

    from voc_lib.measure.audited import audited_shares
    from voc_lib.measure.audited_codes import audited_mentions
    from voc_lib.store import open_store

    if mentions:
        return audited_mentions(open_store(name))
    return pl.concat([audited_shares(open_store(name), opinion) for opinion in ("negative", "positive")])


def _table(name: str, mentions: bool):
    from voc_lib.measure.analyses.health import channel_titles

    shares = _shares(name, mentions)
    return _code_table(shares) if mentions else _channel_table(shares, channel_titles(name))


def _channel_table(shares, titles: dict[str, str]):
    from voc_lib.report.opinions import WORDS

    table = Table("渠道", "观点", "模型数出", "修正后", "区间", "标注", "说明")
    for row in shares.iter_rows(named=True):
        table.add_row(titles.get(row["channel"], row["channel"]), WORDS[row["metric"]], *_figures(row, "—"), row["note"])
    return table


def _code_table(shares):
    from voc_lib.measure.audited_codes import NOT_AUDITED, left_out
    from voc_lib.report.opinions import WORDS

    table = Table("问题", "提及", "份额", "模型数出", "修正后", "区间", "标注", caption=left_out(shares), caption_justify="left")
    table.columns[0].overflow = "fold"  # a code cut short could be any of several
    for row in shares.iter_rows(named=True):
        table.add_row(row["code"], f"{row['n']:,}", WORDS[row["metric"]], *_figures(row, NOT_AUDITED))
    return table


def _figures(row: dict, unknown: str) -> list[str]:
    interval = unknown if row["conf_low"] is None else f"{row['conf_low']:.0%}–{row['conf_high']:.0%}"
    return [f"{row['heard']:.0%}", "—" if row["conf_low"] is None else f"{row['estimate']:.0%}", interval, f"{row['labels']}"]

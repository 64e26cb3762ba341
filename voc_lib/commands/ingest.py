"""`voc ingest` and `voc enrich`: exports and databases into the store, then codes and vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from voc_lib.cli import JSON, STORE, app, exit_if_left_out, out, say_json, store_named

REGISTERS = {"exposure": "基数", "customers": "名册", "touchpoints": "触点", "identities": "登记"}
COUNTS = {"rows_read": "读入行", "feedback_stored": "新存反馈", "rows_repeated": "重复行", "rows_filtered": "按约定滤去", "rows_quarantined": "隔离行"}


@app.command()
def ingest(
    folder: Annotated[Path | None, typer.Argument(metavar="文件夹", help="导出文件所在的文件夹；不写则只读合同里的数据库。")] = None,
    store: Annotated[str | None, STORE] = None,
    domain: Annotated[str | None, typer.Option("--domain", metavar="领域", help="库的领域（data/domains 下的文件夹名），新建库时必写。")] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """把导出文件和数据库里的新反馈读进库：按合同取列、遮蔽个人信息、只存新的反馈；不合格的行进隔离区。"""
    from voc_lib.collect.identity.report import link_rates
    from voc_lib.collect.ingest import ingest as run
    from voc_lib.collect.ingest import opened, unclaimed
    from voc_lib.collect.pull import pull
    from voc_lib.store import open_store

    name = store_named(store)
    counts = (run(name, folder, domain) if folder else []) + pull(name, domain, needed=folder is None)
    failed = {file: why for count in counts for file, why in count.failed.items()}
    snapshot, others = open_store(name).snapshot, unclaimed(name, folder) if folder else []
    elsewhere = opened(folder) if folder else []
    if as_json:
        sources = [count.as_dict() for count in counts]
        say_json({"store": name, "snapshot": snapshot, "sources": sources, "failed": failed, "unclaimed": others, "opened": elsewhere})
    else:
        table = Table("来源", "文件", *COUNTS.values(), title=f"导入到库「{name}」", title_justify="left")
        for count in (count for count in counts if not count.base):
            facts = count.as_dict()
            files = f"{count.files}" + (f"（{count.files_known} 份已读过）" if count.files_known else "")
            table.add_row(count.title, files, *(f"{facts[key]:,}" for key in COUNTS))
        out.print(table)
        for count in counts:
            if count.resumed:
                out.print(f"{count.title}：{count.resumed}", style="dim", markup=False, highlight=False)
        for count in (count for count in counts if count.base):
            out.print(f"{REGISTERS[count.table]}「{count.title}」：{count.files} 份，{count.rows_read:,} 行，隔离 {count.rows_quarantined:,} 行", markup=False, highlight=False)
        stored = sum(count.feedback_stored for count in counts)
        rates = link_rates(open_store(name))
        if people := rates["person"].sum():
            out.print(f"全库 {rates['n'].sum():,} 条反馈里 {people:,} 条认得出是谁（{people / rates['n'].sum():.0%}），其中 {rates['customer'].sum():,} 条是在册客户。详见 voc identity report。", markup=False, highlight=False)
        out.print(f"新存 {stored:,} 条反馈，快照 {snapshot}。" if stored else f"没有新的反馈：新增 0 条，快照仍是 {snapshot}。")
        if elsewhere:
            out.print(f"正在 Excel 或 WPS 里开着的文件 {len(elsewhere)} 个：{'、'.join(elsewhere)}。锁文件（~$ 开头）已跳过；没有存盘的改动不在读入的数据里。", style="dim", markup=False)
        if others:
            listed = "、".join(others[:8]) + (" 等" if len(others) > 8 else "")
            out.print(f"没有合同认领的文件 {len(others)} 个：{listed}。要读入，请按合同 read.glob 的写法改名或移动。", style="dim", markup=False)
    exit_if_left_out(failed)


@app.command()
def enrich(store: Annotated[str | None, STORE] = None, as_json: Annotated[bool, JSON] = False) -> None:
    """给反馈编码（系统-部件-现象）并计算句向量；只做缺的部分。"""
    from voc_lib.enrich.run import enrich as run

    done = run(store_named(store))
    if as_json:
        say_json({"store": store_named(store)} | done.as_dict())
        return
    if not done.feedback:
        out.print(f"库「{store_named(store)}」里还没有反馈，没有可编码的。先用 voc ingest 导入。")
        return
    if done.labels_looked_at or done.labels_waiting:
        waiting = f"还有 {done.labels_waiting:,} 条标注没有学到，要马上用上请运行 voc codes refit。" if done.labels_waiting else ""
        out.print(f"照标注看了 {done.labels_looked_at:,} 条没有编码的反馈。{waiting}")
    out.print(f"新编码 {done.feedback_coded:,} 条（全库 {done.feedback:,} 条，{done.coded_share:.0%} 至少有一个编码）；新嵌入 {done.texts_embedded:,} 条文本（共 {done.texts:,} 条不同的文本）。")
    for note in filter(None, (done.opinion_note, done.embedder_note, done.topics_note)):
        out.print(note)

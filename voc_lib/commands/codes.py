"""`voc codes`: the codes of a domain, what is still unmapped, edits, labels and agreement: 分类工作台 without a notebook."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer
from rich.table import Table

from voc_lib.cli import JSON, STORE, app, out, say_json
from voc_lib.cli_words import App

codes_app = App(no_args_is_help=True, help="编码表：列出编码，看未归类的说法，加说法、移动、合并、改名，抽签标注，比一致。")
app.add_typer(codes_app, name="codes")
DOMAIN = typer.Option("--domain", help="哪个领域（data/domains 下的文件夹名）；不写则取库的领域。")
WHO = typer.Option("--who", help="谁；不写则用登录名。")


def _domain(name: str | None, store: str | None) -> str:
    from voc_lib.settings import settings
    from voc_lib.store import open_store

    return name or open_store(store or settings().store).about["domain"]


@codes_app.command("list")
def show(
    word: Annotated[str, typer.Argument(help="只列编码或说法里含有它的；不写则全列。")] = "",
    domain: Annotated[str | None, DOMAIN] = None,
    store: Annotated[str | None, STORE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """列出编码、负责部门和说法的数目。"""
    from voc_lib.enrich.domain import load_domain
    from voc_lib.settings import settings

    loaded = load_domain(settings().domains, _domain(domain, store))
    hit = [code for code in loaded.taxonomy if word in code.code or any(word in said for said in code.synonyms)]
    rows = [{"code": c.code, "label": c.label, "department": c.department, "phrases": len(c.synonyms), "patterns": len(c.patterns)} for c in hit]
    if as_json:
        say_json({"domain": loaded.name, "codes": rows})
        return
    table = Table("编码", "显示名", "负责部门", "短语", "搭配")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    out.print(table)
    out.print(f"领域 {loaded.name}：{len({code.system for code in hit})} 个系统，{len(hit)} 个编码。")


@codes_app.command()
def unmapped(
    store: Annotated[str | None, STORE] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="列多少个说法。")] = 30,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """未归类的反馈里常见而特别的说法，各附最接近的现有编码，供补充说法。"""
    from voc_lib.enrich.unmapped import unmapped_queue
    from voc_lib.settings import settings

    found = unmapped_queue(store or settings().store, top)
    if as_json:
        say_json({"store": store or settings().store, "terms": found.to_dicts()})
        return
    table = Table("说法", "未归类", "已归类", "最接近的编码", "接近", "例句")
    for row in found.iter_rows(named=True):
        near = "—" if row["nearness"] is None else f"{row['nearness']:.2f}"
        table.add_row(row["term"], f"{row['unmapped']:,}", f"{row['coded']:,}", row["nearest_code"] or "—", near, row["example"])
    out.print(table if found.height else "没有反复出现的未归类说法。")
    if found.height:
        out.print("补充说法：voc codes edit add_synonym --code 编码 --wording 说法 --why 原因", style="dim")


@codes_app.command()
def edit(
    action: Annotated[str, typer.Argument(help="add_synonym 加说法、move 移动说法、merge 合并编码、rename 改名、undo 撤销一步。")],
    code: Annotated[str, typer.Option("--code", help="哪个编码；undo 不用写。")] = "",
    why: Annotated[str, typer.Option("--why", help="为什么改，写给以后看的人；undo 不用写。")] = "",
    wording: Annotated[str, typer.Option("--wording", help="说法：一个短语，或“部件 + 现象”。")] = "",
    to: Annotated[str, typer.Option("--to", help="目标编码，或新的名字。")] = "",
    label: Annotated[str, typer.Option("--label", help="改名时的显示名。")] = "",
    line: Annotated[int | None, typer.Option("--line", min=1, help="undo：撤销日志的第几行（见 voc codes log）；不写则撤销您的上一步。")] = None,
    who: Annotated[str, WHO] = "",
    domain: Annotated[str | None, DOMAIN] = None,
    store: Annotated[str | None, STORE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """改编码表：记一行到 edits.jsonl，下次编码即生效；不成立的修改不会写入。"""
    from voc_lib.enrich.edits import UNDO, edit_codes
    from voc_lib.settings import settings

    name = _domain(domain, store)
    if action == UNDO:
        _undo(name, who or getpass.getuser(), line, as_json)
        return
    done = edit_codes(settings().domains, name, action, code=code, wording=wording, to=to, label=label, who=who or getpass.getuser(), why=why)
    if as_json:
        say_json({"domain": name, "edit": done})
    else:
        out.print(f"已记入 {name}/edits.jsonl：{action} {code}。重新运行 voc enrich 后，所有反馈按新的编码表编码。", markup=False, highlight=False)


def _undo(name: str, who: str, line: int | None, as_json: bool) -> None:
    from voc_lib.enrich.undo import undo_edit
    from voc_lib.report.studio_tables import line_words
    from voc_lib.settings import settings

    done, follows = undo_edit(settings().domains, name, who=who, line=line)
    if as_json:
        say_json({"domain": name, "undo": done, "follows": follows})
        return
    out.print(f"已撤销 {name}/edits.jsonl 第 {done['line']} 行：{line_words(done['edit'])}。重新运行 voc enrich 后生效。", markup=False, highlight=False)
    for said in follows:
        out.print(f"后果：{said}。", markup=False, highlight=False)


@codes_app.command()
def log(
    domain: Annotated[str | None, DOMAIN] = None,
    store: Annotated[str | None, STORE] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="列最近多少行。")] = 20,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """编辑日志最近的行，各有行号，供撤销：voc codes edit undo --line 行号。"""
    from voc_lib.enrich.undo import log_lines
    from voc_lib.report.studio_tables import line_words
    from voc_lib.settings import settings

    name = _domain(domain, store)
    lines = log_lines(settings().domains, name)[-top:][::-1]
    if as_json:
        say_json({"domain": name, "lines": lines})
        return
    table = Table("行", "时间（UTC）", "谁", "做了什么", "计入")
    for line in lines:
        table.add_row(str(line["number"]), line["edit"]["at"][:16].replace("T", " "), line["edit"]["who"], line_words(line["edit"]), "是" if line["stands"] else "已撤销")
    out.print(table if lines else f"{name}/edits.jsonl 还没有任何一行。")


@codes_app.command()
def refit(store: Annotated[str | None, STORE] = None, as_json: Annotated[bool, JSON] = False) -> None:
    """照现有的全部标注重新学习，没有编码的反馈随即重编；平时标注增减五分之一才自动重学。"""
    from voc_lib.enrich.run import enrich
    from voc_lib.settings import settings

    name = store or settings().store
    done = enrich(name, relearn=True)
    found = _learnt(name)
    if as_json:
        say_json({"store": name, "label_coder": done.label_coder, "looked_at": done.labels_looked_at, "codes": found.to_dicts()})
        return
    if found.is_empty():
        out.print(_too_few(), markup=False, highlight=False)
        return
    table = Table("编码", "标注", "由标注编码", "平均把握")
    for row in found.iter_rows(named=True):
        table.add_row(row["code"], f"{row['labels']:,}", f"{row['feedback']:,}", "—" if row["confidence"] is None else f"{row['confidence']:.0%}")
    out.print(table)
    out.print(f"看过 {done.labels_looked_at:,} 条没有编码的反馈；版本 {done.label_coder}。", markup=False, highlight=False)


def _learnt(name: str):
    """Codes learnt from labels: labels, feedback they coded, mean confidence."""
    from voc_lib.enrich.label_coding import learnt_codes
    from voc_lib.store import open_store

    return learnt_codes(open_store(name))


def _too_few() -> str:
    from voc_lib.enrich.label_coder import FEWEST

    return (f"标注还不够，没有由标注得来的编码：至少要有一个编码标够 {FEWEST} 条，并另有 {FEWEST} 条标为别的编码或“未归类”，"
            "才知道哪些话不属于它。抽签标注：voc codes label --only-unmapped")


@codes_app.command()
def label(
    feedback_id: Annotated[str, typer.Argument(help="反馈编号；不写则列出抽签抽到、您还没有标的。")] = "",
    code: Annotated[list[str] | None, typer.Option("--code", help="编码，主要的写在最前，可以写几次；都不合适写 未归类。")] = None,
    who: Annotated[str, WHO] = "",
    accepted: Annotated[bool, typer.Option("--accepted", help="这是接受 voc codes suggest 的建议，不算作一致性的证据。")] = False,
    count: Annotated[int, typer.Option("--count", min=1, help="抽多少条。")] = 20,
    seed: Annotated[int, typer.Option("--seed", help="抽签号；同号抽到同一批。")] = 1,
    only_unmapped: Annotated[bool, typer.Option("--only-unmapped", help="只抽没有编码的反馈。")] = False,
    store: Annotated[str | None, STORE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """标注一条反馈，记一行到 edits.jsonl；不写编号则抽签，看不到程序和同事的答案。"""
    from voc_lib.enrich.edits import EditError
    from voc_lib.enrich.labels import SUGGESTION, label_feedback
    from voc_lib.settings import settings
    from voc_lib.store import open_store

    lake, who = open_store(store or settings().store), who or getpass.getuser()
    if not feedback_id and code:
        raise EditError("要标哪一条？请在 label 后面写上反馈编号；不写编号也不写 --code，会列出抽签抽到的")
    if not feedback_id:
        _list_drawn(lake, who, count, seed, only_unmapped, as_json)
        return
    line = label_feedback(lake, feedback_id, code or [], who=who, source=SUGGESTION if accepted else "")
    if as_json:
        say_json({"store": lake.name, "label": line})
    else:
        out.print(f"已记下 {who} 的标注：{'、'.join(line['codes'])}。", markup=False, highlight=False)


def _list_drawn(lake, who: str, count: int, seed: int, only_unmapped: bool, as_json: bool) -> None:
    import polars as pl

    from voc_lib.enrich.labels import labels_given
    from voc_lib.measure.feedback import feedback
    from voc_lib.measure.sampling import draw_labels

    drawn = draw_labels(feedback(lake), count, seed, only_unmapped).select("feedback_id", "channel", "verbatim", "followup")
    left = drawn.join(labels_given(lake).filter(pl.col("who") == who), on="feedback_id", how="anti", maintain_order="left")
    if as_json:
        say_json({"store": lake.name, "who": who, "seed": seed, "drawn": drawn.height, "left": left.to_dicts()})
        return
    for row in left.iter_rows(named=True):
        out.print(row["feedback_id"], style="bold", highlight=False)
        out.print("  ".join(filter(None, (row["verbatim"], row["followup"]))), markup=False, highlight=False)
    out.print(f"抽签号 {seed}：抽到 {drawn.height} 条，{who} 还要标 {left.height} 条。", markup=False, highlight=False)
    if left.height:
        out.print("标注：voc codes label 编号 --code 编码", style="dim")


@codes_app.command()
def agreement(
    store: Annotated[str | None, STORE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """分析师标得一致吗：两两的 kappa，总的和按系统的，以及标得不同的反馈。"""
    from voc_lib.enrich.labels import labels_given
    from voc_lib.measure.agreement import agreement as agree
    from voc_lib.measure.agreement import disagreements
    from voc_lib.report.studio_tables import DIFFERS, say_agreement
    from voc_lib.settings import settings
    from voc_lib.store import open_store

    lake = open_store(store or settings().store)
    labels = labels_given(lake)
    found, differing = agree(labels), disagreements(labels)
    if as_json:
        say_json({"store": lake.name, "agreement": found.to_dicts(), "disagreements": differing.to_dicts()})
        return
    out.print(str(say_agreement(found)), markup=False, highlight=False)
    if found.height:
        table = Table("系统", "两位", "都标过", "提到", "一致", "kappa", "全体 alpha")
        for row in found.iter_rows(named=True):
            numbers = ("—" if row[name] is None else f"{row[name]:.2f}" for name in ("kappa", "alpha"))
            table.add_row(row["system"] or "全部", f"{row['first']}、{row['second']}", str(row["n"]), str(row["named"]), f"{row['agree_share']:.0%}", *numbers)
        out.print(table)
    for row in differing.iter_rows(named=True):
        said = "；".join(f"{row[who]}：{'、'.join(row[f'{who}_codes'])}" for who in ("first", "second"))
        out.print(f"{row['feedback_id']}  {said}（{DIFFERS[row['differs']]}）", markup=False, highlight=False)


@codes_app.command()
def suggest(
    store: Annotated[str | None, STORE] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="列多少条。")] = 20,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """照标注看，没有编码的反馈像什么：由标够的编码学来的建议，不改任何数字。"""
    from voc_lib.enrich.labels import labels_given
    from voc_lib.enrich.suggestions import enough_labels, suggest_codes
    from voc_lib.report.studio_tables import say_taught
    from voc_lib.settings import settings
    from voc_lib.store import open_store

    lake = open_store(store or settings().store)
    labels, found = labels_given(lake), suggest_codes(lake, top)
    if as_json:
        say_json({"store": lake.name, "codes": enough_labels(labels).to_dicts(), "suggestions": found.to_dicts()})
        return
    out.print(str(say_taught(labels)), markup=False, highlight=False)
    for row in found.iter_rows(named=True):
        out.print(row["feedback_id"], style="bold", highlight=False)
        out.print(f"{row['code']}（把握 {row['confidence']:.0%}，相像 {row['nearness']:.2f}）  {row['text']}", markup=False, highlight=False)
    if found.height:
        out.print("接受：voc codes label 编号 --code 编码 --accepted", style="dim")

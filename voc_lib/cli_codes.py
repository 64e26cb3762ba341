"""`voc codes`: the codes of a domain, what is still unmapped, and edits of the taxonomy without a notebook."""

from __future__ import annotations

import getpass
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from voc_lib.cli_words import App

codes_app = App(no_args_is_help=True, help="编码表：列出编码，看未归类的说法，加说法、移动、合并、改名。")
STORE = typer.Option("--store", help="哪个库；不写则用 voc.toml 里的 store。")
DOMAIN = typer.Option("--domain", help="哪个领域（data/domains 下的文件夹名）；不写则取库的领域。")
JSON = typer.Option("--json", help="以 JSON 输出，供程序读取。")
out = Console(soft_wrap=True)


def _domain(name: str | None, store: str | None) -> str:
    from voc_lib.settings import settings
    from voc_lib.store import open_store

    return name or open_store(store or settings().store).about["domain"]


def _say_json(content: object) -> None:
    typer.echo(json.dumps(content, ensure_ascii=False, indent=1, default=str))


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
        _say_json({"domain": loaded.name, "codes": rows})
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
        _say_json({"store": store or settings().store, "terms": found.to_dicts()})
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
    action: Annotated[str, typer.Argument(help="add_synonym 加说法、move 移动说法、merge 合并编码、rename 改名。")],
    code: Annotated[str, typer.Option("--code", help="哪个编码。")],
    why: Annotated[str, typer.Option("--why", help="为什么改，写给以后看的人。")],
    wording: Annotated[str, typer.Option("--wording", help="说法：一个短语，或“部件 + 现象”。")] = "",
    to: Annotated[str, typer.Option("--to", help="目标编码，或新的名字。")] = "",
    label: Annotated[str, typer.Option("--label", help="改名时的显示名。")] = "",
    who: Annotated[str, typer.Option("--who", help="谁改的；不写则用登录名。")] = "",
    domain: Annotated[str | None, DOMAIN] = None,
    store: Annotated[str | None, STORE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """改编码表：记一行到 edits.jsonl，下次编码即生效；不成立的修改不会写入。"""
    from voc_lib.enrich.edits import edit_codes
    from voc_lib.settings import settings

    name = _domain(domain, store)
    done = edit_codes(settings().domains, name, action, code=code, wording=wording, to=to, label=label, who=who or getpass.getuser(), why=why)
    if as_json:
        _say_json({"domain": name, "edit": done})
    else:
        out.print(f"已记入 {name}/edits.jsonl：{action} {code}。重新运行 voc enrich 后，所有反馈按新的编码表编码。", markup=False, highlight=False)

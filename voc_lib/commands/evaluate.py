"""`voc evaluate`: what the library finds, held against what is known: a planted world, public feedback with labels (`--real`), or figures that R computed (`--cases`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from voc_lib.cli import JSON, STORE, app, err, out, say_json


@app.command()
def evaluate(
    store: Annotated[str | None, STORE] = None,
    truth: Annotated[Path | None, typer.Option("--truth", help="真相所在的 _truth 文件夹；不写则在库的导出文件旁找。")] = None,
    real: Annotated[Path | None, typer.Option("--real", help="改用真实公开数据检验：它的文件夹，内有 bdci2018_car、appstore、chezhiwang、bdci2021_bank，缺的跳过。")] = None,
    fit_on: Annotated[Path | None, typer.Option("--fit-on", help="与 --real 同用：在这个文件夹上学，在 --real 上测；不写则在 --real 内按原文五折。")] = None,
    cases: Annotated[Path | None, typer.Option("--cases", help="改为对照别的软件算好的例子：它的文件夹，内有 weighting/api、weighting/simvoc。")] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """埋下的对找到的，每件事一行；或用 --real 在真实公开数据上检验编码与观点；或用 --cases 对照 R 算好的加权结果，每个数一行。"""
    if cases is not None:
        _cases(cases, as_json)
    elif real is not None or fit_on is not None:
        _real(real, fit_on, as_json)
    else:
        _planted(store, truth, as_json)


def _planted(store: str | None, truth: Path | None, as_json: bool) -> None:
    from voc_lib.evaluate import evaluate as look
    from voc_lib.evaluate import evaluate_answers, evaluate_people
    from voc_lib.settings import settings

    name = store or settings().store
    found, people, answers = look(name, truth), evaluate_people(name, truth), evaluate_answers(name, truth)
    if as_json:
        say_json({"store": name, "truths": found.to_dicts(), "people": people.to_dicts(), "answers": answers.to_dicts()})
        return
    table = Table("埋下的事", "开始", "埋下反馈", "人", "库中", "编到", "结果", title=f"库「{name}」：埋下的对找到的（合成样例数据）", title_justify="left")
    for row in found.iter_rows(named=True):
        coded = "—" if row["coded_share"] is None else f"{row['coded_share']:.0%}"
        table.add_row(row["title"], row["begins"] or "—", f"{row['planted']:,}", f"{row['customers']:,}", f"{row['in_store']:,}", coded, row["found"])
    out.print(table)
    for rows, first, title in ((people, "谁是谁、旅程", "人的关联"), (answers, "沉默的客户", "折算到全体")):
        if rows.height:
            table = Table(first, "测得", "应到", "说明", title=f"{title}（合成样例数据）", title_justify="left")
            for row in rows.iter_rows(named=True):
                table.add_row(row["measure"], *("—" if row[name] is None else f"{row[name]:,.4g}" for name in ("found", "reach")), row["note"])
            out.print(table)


def _real(real: Path | None, fit_on: Path | None, as_json: bool) -> None:
    from voc_lib.evaluate import EvaluateError
    from voc_lib.evaluate.real import evaluate_real

    if real is None:
        raise EvaluateError("--fit-on 要与 --real 同用。请写 --real 和要检验的文件夹，例如 voc evaluate --real ../shared/data。")
    found = evaluate_real(real, fit_on, lambda said: None if as_json else err.print(said, style="dim"))
    if as_json:
        say_json({"real": str(real), "fit_on": str(fit_on) if fit_on else None, "measures": found.to_dicts()})
        return
    table = Table("指标", "测得", "应到", "更好", "CPU 秒", "说明")
    for row in found.iter_rows(named=True):
        numbers = ["—" if row[name] is None else f"{row[name]:,.3f}" if row[name] < 100 else f"{row[name]:,.0f}" for name in ("found", "reach", "stretch")]
        table.add_row(row["measure"], *numbers, "—" if row["seconds"] is None else f"{row['seconds']:.0f}", row["note"] or "")
    out.print(table)


def _cases(folder: Path, as_json: bool) -> None:
    from voc_lib.evaluate.cases import evaluate_cases

    found = evaluate_cases(folder)
    if as_json:
        say_json({"cases": str(folder), "figures": found.to_dicts()})
        return
    table = Table("例子", "数", "应为", "算得", "相对差", "说明")
    for row in found.iter_rows(named=True):
        numbers = ["—" if row[name] is None else f"{row[name]:,.8g}" for name in ("expected", "found")]
        table.add_row(row["case"], row["quantity"] or "—", *numbers, "—" if row["difference"] is None else f"{row['difference']:.1e}", row["note"] or "")
    out.print(table)

"""Labels: the codes an analyst gives to one feedback, a line `label` in the edit log of the store's domain.

A label is never rewritten: a later line of the same analyst on the same feedback counts instead, and a code that is merged or
renamed afterwards takes its labels along. A label written by accepting a suggestion has `source` "suggestion": it teaches,
but it is no evidence of agreement, since its analyst had seen an answer.
"""

from __future__ import annotations

import difflib
from pathlib import Path

import polars as pl

from voc_lib.engine import quote
from voc_lib.enrich.coding import UNMAPPED
from voc_lib.enrich.domain import load_domain
from voc_lib.enrich.edits import LABEL, LOG, UNDO, EditError, append_edit, line_id, now, read_edits, standing
from voc_lib.settings import settings
from voc_lib.store import Store

SUGGESTION = "suggestion"
LABELS_SCHEMA = {"feedback_id": pl.String, "who": pl.String, "codes": pl.List(pl.String), "source": pl.String, "at": pl.String}


def label_feedback(lake: Store, feedback_id: str, codes: list[str], *, who: str, source: str = "") -> dict:
    """Append one label and give the line written; the first code is what the feedback is mainly about.

    未归类 stands alone: read, and no code fits.

    Raises:
        EditError: no name, no code, an unknown code (with the nearest), a feedback the store does not hold; nothing is written.
    """
    who, codes = who.strip(), list(dict.fromkeys(code.strip() for code in codes if code.strip()))
    if not who:
        raise EditError("标注要写明是谁标的：请先写上您的名字")
    if not codes:
        raise EditError(f"标注至少要一个编码；都不合适时写「{UNMAPPED}」")
    if UNMAPPED in codes and len(codes) > 1:
        raise EditError(f"「{UNMAPPED}」表示没有合适的编码，不能和别的编码一起标")
    domain = load_domain(settings().domains, lake.about["domain"])
    known = [code.code for code in domain.taxonomy]
    for code in codes:
        if code not in known and code != UNMAPPED:
            near = difflib.get_close_matches(code, known, n=3, cutoff=0.3)
            raise EditError(f"领域 {domain.name} 没有编码「{code}」。最接近的：{'、'.join(near) or '无'}")
    if lake.sql(f"SELECT 1 FROM feedback_rows WHERE feedback_id = {quote(feedback_id)} LIMIT 1").is_empty():
        raise EditError(f"库「{lake.name}」里没有编号为「{feedback_id}」的反馈；不写编号运行 voc codes label，会列出抽签要标的反馈")
    line = {"action": LABEL, "store": lake.name, "feedback_id": feedback_id, "codes": codes, "who": who, "at": now()}
    line |= {"source": source} if source else {}
    append_edit(settings().domains / domain.name / LOG, line)
    return line


def labels_given(lake: Store) -> pl.DataFrame:
    """Labels in force on feedback of this store, one row per feedback x analyst: `feedback_id, who, codes, source, at`.

    In the order they were first written. Codes are those of today; a label none of whose codes is left is left out.
    """
    domain = load_domain(settings().domains, lake.about["domain"])
    logs = [edit for name in domain.lineage for _, edit in standing(read_edits(settings().domains / name / LOG))]
    labels = replay_labels(sorted(logs, key=lambda edit: edit["at"]), lake.name, {code.code for code in domain.taxonomy})
    return pl.DataFrame(labels, schema=LABELS_SCHEMA, orient="row")


def replay_labels(edits: list[dict], store: str, known: set[str]) -> list[tuple]:
    """The rows of `labels_given` from lines in the order of their time."""
    held: dict[tuple[str, str], dict] = {}
    for edit in edits:
        if edit["action"] == LABEL and edit["store"] == store:
            held[edit["feedback_id"], edit["who"]] = edit | {"codes": list(edit["codes"])}
        elif edit["action"] in ("merge", "rename"):
            for label in held.values():
                label["codes"] = [edit["to"] if code == edit["code"] else code for code in label["codes"]]
    rows = []
    for (feedback_id, who), label in held.items():
        codes = [code for code in dict.fromkeys(label["codes"]) if code in known or code == UNMAPPED]
        if codes:
            rows.append((feedback_id, who, codes, label.get("source", ""), label["at"]))
    return rows


def edit_lines(domains_dir: Path, name: str) -> list[dict]:
    """Every line of a domain and of those it extends, newest first, with `stands` and, of an `undo`, the line it `undid`."""
    lines = []
    for member in load_domain(domains_dir, name).lineage:
        log = read_edits(Path(domains_dir) / member / LOG)
        upright = {id(edit) for _, edit in standing(log, undos=True)}
        by_id = {line_id(edit): edit for _, edit in log}
        lines += [edit | {"stands": id(edit) in upright} | ({"undid": by_id[edit["of"]]} if edit["action"] == UNDO else {}) for _, edit in log]
    return sorted(lines, key=lambda edit: edit["at"])[::-1]

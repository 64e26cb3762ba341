"""草稿 becomes 定稿: the same snapshot, the analyst's words as they stand, who and when; and what is to be done goes into the ledger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from voc_lib.pipeline import finish
from voc_lib.publishing import Run, RunError, published
from voc_lib.report.notes import NOTES, add_findings, read_notes
from voc_lib.respond.actions import record
from voc_lib.settings import settings
from voc_lib.store import open_store

LONGEST = 40  # characters of a name


def sign(report: str, by: str, again: bool = False, tell: Callable[[str, str], None] = lambda step, said: None) -> Run:
    """Make the published week `report` ("2026-W46", or its folder's name) 定稿 under the name `by`; its page is written once more from its own snapshot.

    A signed page changes by `again` alone; earlier signatures stay in the manifest. The actions of notes.yaml (what, owner, date) are
    added to the ledger. Raises RunError; the page is untouched then.
    """
    name = " ".join(by.split())
    if not name or len(name) > LONGEST or not name.isprintable():
        raise RunError(f"署名「{by[:LONGEST]}」不能用：写姓名或部门，不超过 {LONGEST} 个字。")
    folder = settings().reports / report
    manifest = published(folder) if Path(report).name == report else {}
    if not manifest.get("week") or folder.name.startswith("."):
        have = sorted((path.parent.name for path in settings().reports.glob("*/manifest.json") if published(path.parent).get("week")), reverse=True)
        listed = f"现有：{'、'.join(have[:8])}。" if have else "先用 voc weekly 做一份。"
        raise RunError(f"没有已发布的一周「{report}」可以定稿。{listed}")
    signed = manifest.get("signed")
    if signed and not again:
        changed = "定稿以后意见文件有改动，还没有进页面。" if signed["notes"] != read_notes(folder)["digest"] else ""
        raise RunError(f"{report} 已由{signed['by']}于 {signed['at'][:10]} 定稿，没有改动。{changed}确要改，用 voc sign {report} --by 姓名 --again。")
    notes = read_notes(folder)
    run = Run(manifest["store"], "sign", tuple(manifest.get("notebooks") or settings().weekly.notebooks), manifest["parameters"], folder, manifest["week"])
    run.snapshot = open_store(manifest["store"], manifest["snapshot"])
    run.signed = {"by": name, "at": datetime.now().astimezone().isoformat(timespec="seconds"), "notes": notes["digest"]}
    run.signed_before = [*manifest.get("signed_before", []), *([signed] if signed else [])]
    finish(run, tell)
    decided = [{"finding": finding, "what": note["recommendation"], "owner": note.get("owner"), "date": note.get("date")}
               for finding, note in notes["findings"].items() if note.get("recommendation") and not note.get("hidden")]
    run.said["actions"] = f"行动台账新添 {record(run.store, run.week, name, decided)} 条"
    tell("actions", run.said["actions"])
    return run


def notes_state(report: str, add: bool = False) -> dict:
    """The findings of a published week by what the notes say of them: written, empty, missing (not in the file), gone (a note without its finding).

    With `add` the missing ones are put at the end of notes.yaml; nothing written is touched. Raises RunError where there is no draft.
    """
    folder = settings().reports / report
    manifest = published(folder) if Path(report).name == report else {}
    if not manifest.get("findings"):
        raise RunError(f"没有已发布的一周「{report}」，或它是旧版本做的。先用 voc weekly --week 做一份。")
    notes, known = read_notes(folder)["findings"], {one["finding"]: one for one in manifest["findings"]}
    written = [finding for finding in known if set(notes.get(finding, {})) - {"noted"}]
    missing = [finding for finding in known if finding not in notes]
    gone = [finding for finding, note in notes.items() if finding not in known and set(note) - {"noted"}]
    empty = [finding for finding in known if finding in notes and finding not in written]
    added = add_findings(folder, [known[finding] for finding in missing]) if add else []
    return {"week": report, "file": str(folder / NOTES), "written": written, "empty": empty, "missing": missing, "gone": gone, "added": added}

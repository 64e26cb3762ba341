"""The machine's page and the analyst's notes made one, when the page is rendered: no notebook has to run again for a word."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

from voc_lib.report.markup import MIME
from voc_lib.report.notes import NotesError
from voc_lib.report.theme import day_label
from voc_lib.report.words import code_name

WRITTEN = ("conclusion", "cause", "recommendation")


def merged(content, notes: dict, voice: Callable[[str], dict | None]):
    """A copy of an executed notebook with the notes in its blocks. `voice` gives a quote by the first figures of its id.

    Pinned findings come first, hidden ones go (and are named at the foot), chosen quotes replace those by lot, and what was written stands
    beside what the machine found. Notes on findings that the notebook does not have are listed. Raises NotesError for a quote that is not there.
    """
    content = deepcopy(content)
    for cell in content.cells:
        for output in cell.get("outputs", []):
            block = output.get("data", {}).get(MIME)
            if block and block.get("kind") in MERGE:
                MERGE[block["kind"]](block, notes, voice)
    return content


def findings_of(content) -> list[dict]:
    """The findings an executed notebook speaks of: finding and says (the machine's sentence), in its order."""
    blocks = [output.get("data", {}).get(MIME, {}) for cell in content.cells for output in cell.get("outputs", [])]
    return [{"finding": item["finding"], "says": "".join(text for text, _ in item["data"])} for block in blocks if block.get("kind") == "issues" for item in block["items"]]


def _note(notes: dict, item: dict) -> dict:
    return notes["findings"].get(item.get("finding"), {})


def _ordered(items: list[dict], notes: dict) -> list[dict]:
    left = [item for item in items if not _note(notes, item).get("hidden")]
    return sorted(left, key=lambda item: not _note(notes, item).get("pinned"))


def _headline(block: dict, notes: dict, voice: Callable) -> None:
    if notes["conclusion"]:
        block["opinion"] = notes["conclusion"]


def _movers(block: dict, notes: dict, voice: Callable) -> None:
    if any("finding" in row for row in block["rows"]):
        block["rows"] = [row | ({"pinned": True} if _note(notes, row).get("pinned") else {}) for row in _ordered(block["rows"], notes)]


def _anomaly(block: dict, notes: dict, voice: Callable) -> None:
    block["items"] = [_completed(item, notes, voice) for item in block["items"] if not _note(notes, item).get("hidden")]


def _issues(block: dict, notes: dict, voice: Callable) -> None:
    chosen = [item | {"chosen": True} if set(_note(notes, item)) - {"noted"} else item for item in _ordered(block["items"], notes)]
    block["items"] = [_completed(item, notes, voice) for item in chosen]


def _completed(item: dict, notes: dict, voice: Callable) -> dict:
    note = _note(notes, item)
    told = _texts(note)
    return item | told | ({"quotes": [_quote(short, item, voice) for short in note["quotes"]]} if note.get("quotes") else {})


def _texts(note: dict) -> dict[str, str]:
    """What was written, as it is shown; the day as people write it."""
    return {field: day_label(note[field]) if field == "date" else note[field] for field in (*WRITTEN, "owner", "date") if note.get(field)}


def _quote(short: str, item: dict, voice: Callable) -> dict:
    found = voice(short)
    if found is None:
        raise NotesError(f"notes.yaml：「{item['finding']}」引用的原声「{short}」在这一页的快照里没有，或有几条都以它开头。编号在页面里点开数字就能看到；上一次的页面没有改动。")
    return found


def _actions(block: dict, notes: dict, voice: Callable) -> None:
    decided = [_decided(finding, note) for finding, note in notes["findings"].items() if note.get("recommendation") and not note.get("hidden")]
    done = {item["finding"] for item in decided}
    block["items"] = decided + [item for item in block["items"] if item["finding"] not in done and not _note(notes, item).get("hidden")]


def _decided(finding: str, note: dict) -> dict:
    told = _texts(note)
    return {"finding": finding, "title": title_of(finding), "what": told["recommendation"], "owner": told.get("owner", ""), "date": told.get("date", ""), "decided": True}


def title_of(finding: str) -> str:
    """A finding's id as people say it."""
    return code_name(finding.removeprefix("code:")) if finding.startswith("code:") else finding


def _leftover(block: dict, notes: dict, voice: Callable) -> None:
    gone = {finding: note for finding, note in notes["findings"].items() if finding not in block["known"] and set(note) - {"noted"}}
    block["items"] = [{"title": title_of(finding), "texts": list(_texts(note).values())} for finding, note in gone.items()]
    block["hidden"] = [title_of(finding) for finding, note in notes["findings"].items() if note.get("hidden") and finding in block["known"]]


MERGE = {"headline": _headline, "movers": _movers, "anomaly": _anomaly, "issues": _issues, "actions": _actions, "leftover": _leftover}

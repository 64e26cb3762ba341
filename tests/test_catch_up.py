"""Weeks that were missed: made oldest first, each on its own; weeks without feedback are named; one that fails stops no other."""

from __future__ import annotations

import json

import pytest

from voc_lib import catch_up as module
from voc_lib.catch_up import catch_up, missing, named, published
from voc_lib.pipeline import RunError
from voc_lib.store import open_store

HELD = [f"2026-W{week}" for week in range(39, 47)]  # of the hand-written exports


def silent(step, said):
    pass


@pytest.fixture
def pages(sample):
    """Publish a week by hand: `pages("2026-W40", ...)`."""
    def made(*weeks, store="sample"):
        for week in weeks:
            (sample / "reports" / week).mkdir(parents=True)
            (sample / "reports" / week / "manifest.json").write_text(json.dumps({"store": store, "week": week}), "utf-8")
    return made


@pytest.fixture
def made(monkeypatch):
    """The weeks asked of the pipeline, in order; those in `bad` fail."""
    asked, bad = [], set()

    def make_week(gathered, week, tell):
        asked.append(week)
        if week in bad:
            raise RunError(f"{week} 坏了")
        return gathered

    monkeypatch.setattr(module, "make_week", make_week)
    return asked, bad


def test_only_weeks_with_feedback_and_without_a_page_are_made_oldest_first(sample, pages, made):
    pages("2026-W43")
    pages("2026-W44", store="other")
    done = catch_up("sample", "2026-W37", silent)
    assert made[0] == [week for week in HELD if week != "2026-W43"] and done.failed == {}
    assert done.empty[:2] == ["2026-W37", "2026-W38"] and "2026-W43" not in done.empty


def test_one_that_fails_stops_no_other(sample, made):
    made[1].add("2026-W44")
    done = catch_up("sample", "2026-W43", silent)
    assert made[0] == HELD[4:] and done.failed == {"2026-W44": "2026-W44 坏了"} and len(done.runs) == 3


def test_a_week_that_is_not_over_cannot_be_caught_up(sample, made):
    with pytest.raises(RunError, match="从 2999-W01 起还没有一周是完整的.*请改 --since"):
        catch_up("sample", "2999-W01", silent)
    assert made[0] == []


def test_missing_are_gaps_since_the_first_page_and_not_all_of_history(sample, pages):
    snapshot = open_store("sample")
    assert missing(snapshot, "2026-W46") == []
    pages("2026-W42", "2026-W45")
    (sample / "reports" / "broken").mkdir()
    (sample / "reports" / "broken" / "manifest.json").write_text("{", "utf-8")
    assert published("sample") == {"2026-W42", "2026-W45"} and missing(snapshot, "2026-W46") == ["2026-W43", "2026-W44"]


@pytest.mark.parametrize(("weeks", "said"), [
    (["2026-W40"], "2026-W40"), (["2026-W40", "2026-W41"], "2026-W40、2026-W41"),
    (["2026-W52", "2026-W53", "2027-W01", "2027-W05"], "2026-W52 到 2027-W01、2027-W05"),
])
def test_weeks_in_words(weeks, said):
    assert named(weeks) == said


def test_the_command_from_gap_to_pages(sample, capsys, monkeypatch):
    """Real notebooks: what is missing is said, caught up, and then there is nothing more to do; a broken week is exit status 1."""
    import sys

    from voc_lib.cli import main

    def typed(*words):
        monkeypatch.setattr(sys, "argv", ["voc", "weekly", *words])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code or 0, *capsys.readouterr()

    toml = sample / "voc.toml"
    toml.write_text(toml.read_text("utf-8").replace('["weekly_brief", "data_health"]', '["data_health"]'), "utf-8")
    assert typed("--week", "2026-W44")[0] == 0
    status, out, _ = typed()
    assert status == 0 and "2026-W45 没有周报；补做：voc weekly --store sample --since 2026-W45" in out and out.strip().endswith("2026-W46/index.html")
    status, out, _ = typed("--since", "2026-W45")
    assert status == 0 and out.strip().endswith("2026-W45/index.html") and "没有反馈，跳过：2026-W47" in out
    status, out, _ = typed("--since", "2026-W45")
    assert status == 0 and "都已有周报，没有要补的" in out
    make, wrong = module.make_week, RunError("坏了")
    monkeypatch.setattr(module, "make_week", lambda gathered, week, tell: make(gathered, week, tell) if week != "2026-W42" else (_ for _ in ()).throw(wrong))
    status, out, told = typed("--since", "2026-W42", "--json")
    assert status == 1 and "2026-W42 没有做成：坏了" in told
    assert json.loads(out)["failed"] == {"2026-W42": "坏了"} and [made["week"] for made in json.loads(out)["weeks"]] == ["2026-W43"]

"""Same seed, same bytes; a truth switched off changes nothing else; what cannot be planted is said."""

import json
from collections import Counter
from pathlib import Path

import pytest


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("domain", ["auto", "bank"])
def test_same_seed_same_bytes(make, domain):
    assert content(make(domain)) == content(make(domain, again=1))


def test_another_seed_is_another_world(make):
    assert content(make()) != content(make(seed=2))


def lines(folder: Path) -> Counter:
    """Posts and calls, whichever file they stand in."""
    return Counter(line for path in sorted(folder.rglob("*.jsonl")) for line in path.read_text("utf-8").splitlines())


@pytest.mark.parametrize("truth", ["ac_noise", "garage_key", "escalations", "winter_range", "mood_curve"])
def test_a_truth_switched_off_takes_only_its_own_lines(make, truth_of, truth):
    whole, less = make(), make(without=(truth,))
    gone, came = lines(whole) - lines(less), lines(less) - lines(whole)
    assert not came
    own = {row["source_id"] for row in truth_of(whole, truth)["feedback"]}
    answers = {row["source_id"] for row in truth_of(whole, "official_replies")["feedback"]}
    ids = [row.get("call_id") or row.get("mid") or row.get("pid") for row in map(json.loads, gone)]
    assert set(ids) <= own | answers
    assert not (less / "_truth" / f"{truth}.json").exists()


def test_deletions_switched_off_only_change_the_mark(make):
    whole, less = make(), make(without=("deletions",))

    def unmarked(folder):
        return sorted(line.replace('"deleted": true', '"deleted": false') for line in lines(folder).elements())

    assert unmarked(whole) == unmarked(less)
    assert not any('"deleted": true' in line for line in lines(less))


def test_what_cannot_be_planted_is_said_in_chinese(tmp_path):
    from voc_lib.sample import World, WorldError, plant

    for settings, word in (({"domain": "food"}, "领域"), ({"customers": 10}, "太少"), ({"weeks": 3}, "太少"), ({"until": "2026-99"}, "2026-W46"), ({"selection": "mad"}, "发声方式")):
        with pytest.raises(WorldError, match=word):
            World(**settings)
    (tmp_path / "x").write_text("")
    with pytest.raises(WorldError, match="空文件夹"):
        plant(World(customers=300, weeks=20), tmp_path)


def test_an_unknown_truth_is_answered_with_the_list(make):
    from voc_lib.sample import WorldError

    with pytest.raises(WorldError, match="ac_noise"):
        make(without=("ac_nose",))

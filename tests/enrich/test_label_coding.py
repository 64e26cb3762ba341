"""Labels code what keywords leave: end to end on a small store, resumable, reproducible, gone when the labels are taken back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import polars as pl
import pytest

from voc_lib.collect.ingest import ingest
from voc_lib.enrich import label_coding
from voc_lib.enrich.coding import UNMAPPED, coder_version
from voc_lib.enrich.domain import load_domain
from voc_lib.enrich.edits import append_edit, edit_codes, now
from voc_lib.enrich.in_force import coder_in_force, labels_in_force
from voc_lib.enrich.label_coder import FEWEST, StoredVectors, learn, learnable
from voc_lib.enrich.run import enrich
from voc_lib.measure.feedback import feedback
from voc_lib.settings import settings
from voc_lib.store import open_store

SHAKE, PULL = "转向-方向盘-抖动", "转向-方向盘-跑偏"
HANDS = ("手心", "双手", "指尖", "手腕", "虎口", "手掌", "手背", "掌根")
FEELS = ("麻酥酥的", "一直哆嗦", "像过电一样", "酥麻发颤")
LINES = ("白线", "黄线", "车道", "路肩", "虚线", "实线", "中线", "标线")
DRIFTS = ("老往右边溜", "总想往左边蹭", "自己往一边窜", "不使劲就溜出去")
OTHER = ("今天天气真不错", "周末准备去爬山", "孩子考试得了满分", "晚饭吃的火锅")


def numbered(parts, ends, count):
    return [f"{parts[at % len(parts)]}{ends[at // len(parts) % len(ends)]}第{at}回" for at in range(count)]


SAID = numbered(HANDS, FEELS, 24) + numbered(LINES, DRIFTS, 24) + numbered(OTHER, ("呢", "呀", "哦"), 12)


@pytest.fixture(scope="module")
def made(enriched, tmp_path_factory):
    """A store of sixty sentences that no keyword reaches, coded and embedded; never written to."""
    home = shutil.copytree(enriched, tmp_path_factory.mktemp("labels") / "小 库")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOC_HOME", str(home))
        fill(home)
    return home


@pytest.fixture
def store(made, tmp_path, monkeypatch):
    folder = shutil.copytree(made, tmp_path / "小 库")
    monkeypatch.setenv("VOC_HOME", str(folder))
    return folder


def fill(home):
    channels = home / "data" / "domains" / "auto" / "channels"
    (channels / "small.yaml").write_text(
        'channel: small\ntitle: 小样\nowner: 质量部\nbase: vehicles\nsolicited: false\ncannot_tell: 无\ntimezone: Asia/Shanghai\nread: {glob: "small*.csv", encodings: [utf-8]}\n'
        'columns:\n  source_id: "id"\n  occurred_at: {from: day, formats: ["%Y-%m-%d"]}\n  verbatim: "said"\nfreshness_days: 8\n', "utf-8")
    write(home, SAID, "small1.csv")
    ingest("mine", home / "exports", "auto")
    enrich("mine")


def write(home, said, name, start=0):
    (home / "exports").mkdir(exist_ok=True)
    pl.DataFrame({"id": [f"s{start + at}" for at in range(len(said))], "day": ["2026-11-16"] * len(said), "said": said}).write_csv(home / "exports" / name)


def ids(lake=None):
    return dict((lake or open_store("mine")).sql("SELECT verbatim, feedback_id FROM feedback_rows").iter_rows())


def give(said, code, who="甲"):
    known = ids()
    for text in said:
        append_edit(settings().domains / "auto" / "edits.jsonl", {"action": "label", "store": "mine", "feedback_id": known[text], "codes": [code], "who": who, "at": now()})


def codes(lake=None):
    """Code by what was said, in force."""
    return {row["verbatim"]: row["codes"] for row in feedback(lake or open_store("mine")).iter_rows(named=True)}


def teach(count=FEWEST):
    give(SAID[:count], SHAKE)
    give(SAID[24 : 24 + count], PULL)
    give(SAID[48:58], UNMAPPED)


def test_labels_code_what_no_keyword_reaches_and_only_that(store):
    assert set(map(tuple, codes().values())) == {()}
    before = open_store("mine")
    teach(FEWEST - 1)
    assert enrich("mine").label_coder == "" and open_store("mine").snapshot == before.snapshot, "too few labels change nothing"
    give([SAID[FEWEST - 1]], SHAKE)
    give([SAID[24 + FEWEST - 1]], PULL)
    done = enrich("mine")
    assert done.feedback_coded == 0 and done.labels_looked_at == len(SAID) and done.coded_share >= 0.5
    found = codes()
    assert sum(found[text] == [SHAKE] for text in SAID[FEWEST:24]) >= 5 and sum(found[text] == [PULL] for text in SAID[24 + FEWEST : 48]) >= 5
    assert all(found[text] in ([SHAKE], []) for text in SAID[:24]) and all(found[text] == [] for text in SAID[48:])
    rows = open_store("mine").sql(f"SELECT * FROM mentions WHERE source = 'labels' AND code <> '{UNMAPPED}'")
    assert set(rows["evidence"]) == {"labels"} and rows["confidence"].is_between(0.6, 1).all() and set(rows["model_version"]) == {done.label_coder}
    assert rows.filter(pl.col("feedback_id") == ids()[SAID[0]])["confidence"].item() == 1.0, "what an analyst read himself"
    judged = open_store("mine").sql(f"SELECT count(*) AS n FROM opinions WHERE coder = '{done.label_coder}' AND code IN ('{SHAKE}', '{PULL}')")["n"].item()
    assert judged == rows.height
    assert set(map(tuple, codes(before).values())) == {()}, "an earlier snapshot keeps its codes"


def test_nothing_new_costs_nothing_heavy_and_one_label_recodes_nothing(store, monkeypatch):
    teach()
    first = enrich("mine")
    snapshot = open_store("mine").snapshot
    give([SAID[FEWEST]], SHAKE)
    monkeypatch.setattr(label_coding, "learn", lambda *_: pytest.fail("fitted although nothing is missing"))
    again = enrich("mine")
    assert (again.label_coder, again.labels_looked_at, again.labels_waiting) == (first.label_coder, 0, 1) and open_store("mine").snapshot == snapshot
    monkeypatch.undo()
    monkeypatch.setenv("VOC_HOME", str(store))
    asked = enrich("mine", relearn=True)
    assert asked.label_coder != first.label_coder and asked.labels_looked_at == len(SAID) and asked.labels_waiting == 0
    give(SAID[FEWEST + 1 : FEWEST + 8], SHAKE)
    stepped = enrich("mine")
    assert stepped.label_coder not in (first.label_coder, asked.label_coder) and stepped.labels_waiting == 0, "a fifth more labels: learnt by itself"


def test_new_feedback_is_coded_by_the_labels_in_force_and_a_second_store_gives_the_same(store):
    teach()
    version = enrich("mine").label_coder
    give([SAID[FEWEST]], SHAKE)
    write(store, ["手心一直哆嗦第99回", "隔壁老王第99回"], "small2.csv", 1000)
    ingest("mine", store / "exports")
    done = enrich("mine")
    assert (done.label_coder, done.labels_looked_at) == (version, 2)
    assert codes()["手心一直哆嗦第99回"] == [SHAKE] and codes()["隔壁老王第99回"] == []
    lake = open_store("mine")
    taught = lake.sql(f"SELECT feedback_id, code FROM coders WHERE model_version = '{version}' ORDER BY feedback_id")
    fingerprint = lake.about["fingerprint"]
    told = [label_coding.fit_version(lake, taught.sample(fraction=1, shuffle=True, seed=seed), fingerprint)[1].coder.predict(SAID) for seed in (1, 2)]
    assert told[0].equals(told[1]), "fitted again from the store: the same"


def test_labels_taken_back_take_their_codes_with_them(store):
    teach()
    coded = enrich("mine")
    log = store / "data" / "domains" / "auto" / "edits.jsonl"
    written = log.read_text("utf-8")
    log.unlink()
    done = enrich("mine")
    assert done.label_coder.endswith("+labels-none") and set(map(tuple, codes().values())) == {()}
    log.write_text(written, "utf-8")
    back = enrich("mine")
    assert back.label_coder == coded.label_coder and back.labels_looked_at == 0 and codes()[SAID[0]] == [SHAKE], "the same labels: in force again, nothing coded twice"


def test_another_taxonomy_starts_over_and_going_back_restores(store):
    teach()
    first = enrich("mine")
    log = store / "data" / "domains" / "auto" / "edits.jsonl"
    written = log.read_text("utf-8")
    edit_codes(settings().domains, "auto", "add_synonym", code=PULL, wording="老往右边溜", who="甲", why="常说")
    second = enrich("mine")
    lake = open_store("mine")
    assert second.coder != first.coder and second.label_coder.startswith(second.coder) and labels_in_force(lake, coder_in_force(lake)) == second.label_coder
    log.write_text(written, "utf-8")
    third = enrich("mine")
    lake = open_store("mine")
    assert (third.coder, third.feedback_coded, third.label_coder) == (first.coder, 0, first.label_coder)
    assert coder_in_force(lake) == first.coder == coder_version(load_domain(settings().domains, "auto")), "coded earlier, in force again"


def test_a_crash_leaves_the_version_in_force_whole(store, monkeypatch):
    teach()
    first = enrich("mine")
    give(SAID[FEWEST:16], SHAKE)
    monkeypatch.setattr(label_coding, "ROWS", 20)
    seen = []
    original = label_coding._mentions

    def dies(*given):
        seen.append(1)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return original(*given)

    monkeypatch.setattr(label_coding, "_mentions", dies)
    with pytest.raises(KeyboardInterrupt):
        enrich("mine")
    lake = open_store("mine")
    assert labels_in_force(lake, coder_in_force(lake)) == first.label_coder
    done = enrich("mine")
    assert done.label_coder != first.label_coder and done.labels_looked_at == len(SAID) - 20


def test_the_weekly_path_loads_no_learning_library(store):
    teach()
    enrich("mine")
    code = "import sys; from voc_lib.enrich.run import enrich; enrich('mine'); print([name for name in ('sklearn', 'torch', 'scipy.sparse') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, "VOC_HOME": str(store)})
    assert done.stdout.strip() == "[]", done.stdout


def test_a_code_that_is_often_wrong_on_held_out_labels_is_not_given():
    same = [(f"一样的话第{at}句", code) for at in range(12) for code in (SHAKE, PULL)]
    learnt = learn(pl.DataFrame(same, schema=["text", "code"], orient="row"), StoredVectors("characters", 1, {}))
    assert learnt.codes.is_empty() and set(learnt.say(["一样的话99"])["code"]) == {UNMAPPED}


def test_what_is_learnt_from():
    mains = pl.DataFrame({"feedback_id": [f"f{at}" for at in range(FEWEST + 3)], "code": [SHAKE] * FEWEST + [PULL, PULL, UNMAPPED]})
    assert learnable(mains).is_empty(), "three labels do not tell how much belongs to none"
    more = pl.concat([mains, pl.DataFrame({"feedback_id": [f"g{at}" for at in range(FEWEST - 3)], "code": [UNMAPPED] * (FEWEST - 3)})])
    assert learnable(more)["code"].value_counts().sort("code", descending=True).rows() == [(SHAKE, FEWEST), (UNMAPPED, FEWEST)]
    assert learnable(more.tail(FEWEST)).is_empty()
    one = pl.DataFrame({"text": [f"话{at}" for at in range(FEWEST)], "code": [SHAKE] * FEWEST})
    assert learn(one, StoredVectors("characters", 1, {})) is None, "with one code alone there is nothing to tell apart"

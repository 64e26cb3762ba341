"""Topics of a store from fit to refit: what is stored, what stays, what analysts change, what bad input says."""

import shutil

import polars as pl
import pytest

from voc_lib.collect.ingest import ingest
from voc_lib.enrich import topic_store
from voc_lib.enrich.ledger import LedgerError, replay
from voc_lib.enrich.run import enrich
from voc_lib.enrich.topic_edits import confirm_topic, edit_topic
from voc_lib.enrich.topic_store import TopicError, events_of, fit_topics, model_in_force
from voc_lib.measure.analyses.topic_agreement import topic_agreement
from voc_lib.measure.analyses.topic_weeks import as_codes, model_changed, topic_history, topics_in_force, typical_of_topics, with_topics
from voc_lib.measure.feedback import feedback
from voc_lib.settings import settings
from voc_lib.store import open_store
from voc_lib.store_write import write_store


@pytest.fixture
def fitted(small_world, tmp_path, monkeypatch):
    """A copy of the small world with a first fit that a test may write to."""
    folder = shutil.copytree(small_world, tmp_path / "台")
    monkeypatch.setenv("VOC_HOME", str(folder))
    return open_store("sample")


def counted(store):
    rows = as_codes(with_topics(store, feedback(store)), topics_in_force(store))
    return dict(rows.explode("codes").drop_nulls("codes").group_by("codes").len().iter_rows())


def test_a_fit_places_every_feedback_with_words_once(fitted):
    topics = topics_in_force(fitted)
    assert topics.height == model_in_force(fitted)["topics"] > 20 and topics["topic_id"].is_unique().all() and topics["name"].str.len_chars().min() > 0
    rows = fitted.sql("SELECT feedback_id, topic_id, is_mapped, iso_week FROM topic_assignments")
    assert rows["feedback_id"].is_unique().all() and rows["topic_id"].null_count() == 0
    assert 0.85 < rows["is_mapped"].mean() < 1
    since = topic_store.back_until(fitted)
    spoken = fitted.sql(f"SELECT count(*) AS n FROM feedback_rows JOIN texts USING (feedback_id) WHERE text_hash IS NOT NULL AND iso_week >= '{since}' AND iso_week <> 'undated'")
    assert rows.height == spoken["n"].item()
    assert set(events_of(fitted)["action"]) == {"refit", "birth"}


def test_nothing_is_placed_again_and_a_refit_keeps_ids(fitted):
    assert topic_store.assign_topics("sample") == 0
    done = fit_topics("sample", seed=7)
    assert done.kept_share > 0.97 and done.events == 0
    again = open_store("sample")
    assert model_in_force(again)["number"] == 2 and set(topics_in_force(again)["topic_id"]) == set(topics_in_force(fitted)["topic_id"])
    weeks = [f"2026-W{week}" for week in range(40, 47)]
    changed = model_changed(again, weeks)
    assert changed["before"].sum() == changed["after"].sum() > 0
    assert changed["moved_out"].sum() == changed["moved_in"].sum() <= 0.05 * changed["before"].sum()
    assert model_changed(fitted, weeks).is_empty()


def test_a_refit_is_fitted_on_a_lot_and_asked_of_all_that_is_new(fitted, monkeypatch):
    monkeypatch.setattr(topic_store, "MOST_TEXTS", 300)
    monkeypatch.setattr(topic_store, "MOST_NEW", 100)
    new = pl.col("iso_week") > "2026-W40"
    lot, told = topic_store._sample(fitted, None), topic_store._sample(fitted, None, "2026-W40")
    assert lot["is_fitted"].all() and told.filter("is_fitted")["text_hash"].equals(lot["text_hash"]) and lot.height == 300
    assert 0 < lot.filter(new).height < 100 == told.filter(new).height
    assert told.filter(~pl.col("is_fitted")).select(new.all()).item()


def test_shuffled_exports_in_another_store_give_the_same_topics(fitted):
    raw = settings().home / "data" / "raw" / "sample"
    turned = sorted(raw.rglob("*.jsonl"))
    for path in turned:
        path.write_text("".join(path.read_text("utf-8").splitlines(keepends=True)[::-1]), "utf-8")
    assert len(turned) > 5
    ingest("again", raw, "auto")
    with write_store("again", "vectors known already") as writer:
        writer.append("vectors", fitted.sql("SELECT * FROM vectors").sample(fraction=1, shuffle=True, seed=2))
    enrich("again")
    fit_topics("again")
    again = open_store("again")
    assert topics_in_force(again).drop("version").equals(topics_in_force(fitted).drop("version"))
    placed = "SELECT feedback_id, topic_id, is_mapped FROM topic_assignments ORDER BY feedback_id"
    assert again.sql(placed).equals(fitted.sql(placed))


def test_an_old_model_is_said(small_world, tmp_path, monkeypatch):
    monkeypatch.setenv("VOC_HOME", str(shutil.copytree(small_world, tmp_path / "旧")))
    assert topic_store.refit_note(open_store("sample")) == ""
    fit_topics("sample", until="2026-W40")
    assert "截至 2026-W40 的文字，已过 6 周" in topic_store.refit_note(open_store("sample"))


def test_edits_count_at_once_and_replay_to_the_same(fitted):
    before, topics = counted(fitted), topics_in_force(fitted)
    one, other, third = topics["topic_id"][:3]
    label = dict(topics.select("topic_id", "label").iter_rows())
    edit_topic("sample", "merge", one, [other], who="甲", why="同一件事")
    edit_topic("sample", "rename", one, name="合起来的", who="甲", why="名字太长")
    edit_topic("sample", "noise", third, who="乙", why="广告")
    after = open_store("sample")
    found = counted(after)
    assert found[f"{one} 合起来的"] == before[label[one]] + before[label[other]]
    assert label[other] not in found and label[third] not in found
    assert replay(events_of(after)).equals(replay(events_of(after).sample(fraction=1, shuffle=True, seed=1)))
    fit_topics("sample", seed=3)
    refitted = topics_in_force(open_store("sample"))
    kept = refitted.filter(pl.col("topic_id") == one).row(0, named=True)
    assert kept["name"] == "合起来的" and kept["parts"] == sorted([one, other]) and refitted.filter("is_noise")["topic_id"].to_list() == [third]
    assert topic_history(after)["who"][0] == "乙"


def test_feedback_placed_by_hand_stays_there_and_two_analysts_are_compared(fitted):
    rows = with_topics(fitted, feedback(fitted, "2026-W46")).drop_nulls("topic_id").head(4)
    target = topics_in_force(fitted).filter(~pl.col("topic_id").is_in(rows["topic_id"].to_list()))["topic_id"][0]
    ids = rows["feedback_id"].to_list()
    edit_topic("sample", "move", target, ids[:3], who="甲", why="说的是这件事")
    edit_topic("sample", "move", target, ids[:2], who="乙", why="同意")
    edit_topic("sample", "move", rows["topic_id"][2], ids[2:3], who="乙", why="不同意")
    again = open_store("sample")
    placed = with_topics(again, feedback(again, "2026-W46")).filter(pl.col("feedback_id").is_in(ids)).sort("feedback_id")
    assert dict(placed.select("feedback_id", "topic_id").iter_rows()) == {ids[0]: target, ids[1]: target, ids[2]: rows["topic_id"][2], ids[3]: rows["topic_id"][3]}
    agreed = topic_agreement(again).row(0, named=True)
    assert (agreed["first"], agreed["second"], agreed["n"]) == ("乙", "甲", 3) and agreed["agree_share"] == pytest.approx(2 / 3)


def test_a_confirmed_candidate_gets_the_next_id_and_takes_its_feedback(fitted):
    told, count = with_topics(fitted, feedback(fitted)).drop_nulls("topic_id"), model_in_force(fitted)["topics"]
    words = told.filter(pl.col("verbatim").str.contains("方向盘"))["feedback_id"].to_list()[:30]
    new = confirm_topic("sample", words, "方向盘的事", who="甲", why="值得单列")
    again = open_store("sample")
    assert new == f"T{count + 1:04d}" and model_in_force(again)["number"] == 2
    assert topics_in_force(again).filter(pl.col("topic_id") == new)["name"].item() == "方向盘的事"
    taken = with_topics(again, feedback(again)).filter(pl.col("topic_id") == new)
    own = taken.filter(pl.col("feedback_id").is_in(words)).height
    assert own >= 5 and own >= taken.height / 2  # it takes what is nearer to it than to any other topic, and nothing else
    assert fit_topics("sample").topics == count + 1


def test_bad_edits_write_nothing(fitted):
    before = events_of(fitted).height
    with pytest.raises(LedgerError, match="没有主题「T9999」"):
        edit_topic("sample", "merge", "T0001", ["T9999"], who="甲", why="同一件事")
    with pytest.raises(LedgerError, match="没有反馈「不存在」"):
        edit_topic("sample", "move", "T0001", ["不存在"], who="甲", why="同一件事")
    with pytest.raises(LedgerError, match="原因"):
        confirm_topic("sample", ["x"] * 9, "名字", who="甲", why=" ")
    with pytest.raises(TopicError, match="至少要 5 条"):
        confirm_topic("sample", ["x"], "名字", who="甲", why="新")
    assert events_of(open_store("sample")).height == before


def test_a_store_without_enough_says_what_to_do(sample, monkeypatch):
    lake = open_store("sample")
    monkeypatch.setattr(topic_store, "FEWEST_TEXTS", 10**6)
    with pytest.raises(TopicError, match="至少 1000000 条"):
        fit_topics("sample")
    with pytest.raises(TopicError, match="voc topics fit"):
        with_topics(lake, feedback(lake))
    assert topics_in_force(lake).is_empty()


def test_typical_feedback_is_near_and_of_different_people(fitted):
    told = with_topics(fitted, feedback(fitted))
    chosen = typical_of_topics(told, 2)
    assert chosen.group_by("topic_id").len()["len"].max() == 2 and chosen.select("topic_id", "person").is_unique().all()
    best = told.filter("is_mapped").group_by("topic_id").agg(pl.col("similarity").max().alias("best"))
    assert (chosen.join(best, on="topic_id").group_by("topic_id").agg((pl.col("similarity") == pl.col("best")).any())["similarity"]).all()

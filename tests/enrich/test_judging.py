"""Repeats and opinions as steps of enrich: everything once, again nothing, and only what is new after that."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from voc_lib.enrich.coding import coder_version
from voc_lib.enrich.domain import load_domain
from voc_lib.enrich.duplicates import METHOD
from voc_lib import schema
from voc_lib.enrich import judging
from voc_lib.enrich.judging import judge_mentions
from voc_lib.enrich.run import enrich
from voc_lib.settings import settings
from voc_lib.store import open_store
from voc_lib.store_write import write_store


def test_every_feedback_is_looked_at_and_judged_once_and_again_nothing(sample):
    store = open_store("sample")
    total = store.sql("SELECT count(*) AS n FROM feedback_rows")["n"].item()
    assert store.sql(f"SELECT count(DISTINCT feedback_id) AS n, count(*) AS rows FROM duplicates WHERE method = '{METHOD}'").row(0) == (total, total)
    model = store.about["opinion_model"]
    whole = store.sql(f"SELECT opinion, count(*) AS n FROM opinions WHERE code = '全文' AND opinion_model = '{model}' GROUP BY opinion")
    assert whole["n"].sum() == total and {"negative", "positive"} <= set(whole["opinion"])
    again = enrich("sample")
    assert (again.repeats_looked_at, again.opinions_judged) == (0, 0)
    assert open_store("sample").sql("SELECT count(*) AS n FROM opinions")["n"].item() == store.sql("SELECT count(*) AS n FROM opinions")["n"].item()


def test_every_mention_has_an_opinion_row_of_its_own_code(sample):
    store = open_store("sample")
    mentions = store.sql("SELECT DISTINCT feedback_id, code FROM mentions WHERE code <> '未归类' AND span_start IS NOT NULL")
    judged = store.sql("SELECT feedback_id, code FROM opinions")
    assert mentions.join(judged, on=["feedback_id", "code"], how="anti").is_empty()


def test_another_model_judges_again_and_the_old_answers_stay(sample):
    class Always:
        fingerprint = "always"

        def probabilities(self, texts):
            return np.tile([0.0, 1.0, 0.0], (len(texts), 1))

    before = open_store("sample").sql("SELECT count(*) AS n FROM opinions")["n"].item()
    done = judge_mentions("sample", coder_version(load_domain(settings().domains, "auto")), Always())
    after = open_store("sample").sql("SELECT opinion_model, count(*) AS n FROM opinions GROUP BY opinion_model")
    assert done > 0 and after.filter(pl.col("opinion_model").str.starts_with("always-judge"))["n"].item() == before == after["n"].sum() - before


def test_repeats_of_earlier_weeks_are_found_when_they_come_later(sample, monkeypatch):
    """The same store looked at in lots of a few hundred: a copy still finds the one it repeats."""
    whole = open_store("sample").sql("SELECT feedback_id, duplicate_of FROM duplicates ORDER BY feedback_id")
    monkeypatch.setattr(judging, "METHOD", "again")
    monkeypatch.setattr(judging, "REPEAT_ROWS", 300)
    judging.find_repeats("sample")
    lots = open_store("sample").sql("SELECT feedback_id, duplicate_of FROM duplicates WHERE method = 'again' ORDER BY feedback_id")
    assert lots.height == whole.height
    exact = whole.filter(pl.col("duplicate_of").is_not_null())["feedback_id"]
    assert lots.filter(pl.col("duplicate_of").is_not_null())["feedback_id"].is_in(exact.implode()).mean() > 0.9


FORM = "本次服务非常满意请继续保持"  # 13 letters
OTHERS = ("空调不制冷去修了两次", "油耗比说明书高出三成", "导航总是把人带进死路", "座椅加热只有一边会热")


def say(texts, week):
    """One lot: a week's feedback is stored and looked at; ids are week and place, and time goes on within it."""
    start = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(weeks=week)
    rows = pl.DataFrame({"feedback_id": [f"{week}-{at}" for at in range(len(texts))], "verbatim": texts}).with_columns(
        source_id=pl.col("feedback_id"), channel=pl.lit("forum"), iso_week=pl.lit(f"2024-W{week + 1:02}"),
        occurred_at=pl.Series([start + timedelta(minutes=at) for at in range(len(texts))]))
    with write_store("s", "test", domain="auto") as writer:
        writer.append_new("feedback", rows)
    assert judging.find_repeats("s") == len(texts)


def repeats(columns="feedback_id, copies, mark"):
    return open_store("s").sql(f"SELECT {columns} FROM repeats ORDER BY feedback_id").rows()


def test_a_form_is_a_template_from_its_fifth_copy_though_no_week_has_more_than_two(home):
    say([FORM, "好用", FORM], 0)
    say([FORM, FORM], 1)
    assert repeats() == [("0-0", 4, None), ("0-1", 1, None), ("0-2", 4, None), ("1-0", 4, None), ("1-1", 4, None)]
    stored = open_store("s").files()["duplicates"]
    say([FORM], 2)
    assert repeats() == [("0-0", 5, "template"), ("0-1", 1, None), *((name, 5, "template") for name in ("0-2", "1-0", "1-1", "2-0"))]
    assert set(stored) < set(open_store("s").files()["duplicates"])  # nothing that was stored is written again
    assert open_store("s").sql("SELECT count(mark) AS n FROM duplicates")["n"].item() == 0


def test_short_wording_said_by_many_is_no_template_and_a_reward_stays_one(home):
    short, reward = "车机屏幕黑屏重启", "五星好评返现十元红包找客服领"  # 8 letters; 14
    for week in range(3):
        say([short, short, reward, reward], week)
    assert {row[1:] for row in repeats("feedback_id, letters, copies, mark")} == {(8, 6, None), (14, 6, "reward")}


def test_the_leader_of_a_wording_that_goes_on_is_not_forgotten(home, monkeypatch):
    """Two leaders are remembered. The form was said before the four others, and again after each: it is one of the last two all along."""
    monkeypatch.setattr(judging, "LEADERS", 2)
    for week, other in enumerate(OTHERS):
        say([FORM, other], week)
    say([OTHERS[0]], 4)  # said once, long ago: forgotten, as promised
    assert repeats("feedback_id, duplicate_of") == [
        ("0-0", None), ("0-1", None), ("1-0", "0-0"), ("1-1", None), ("2-0", "0-0"), ("2-1", None), ("3-0", "0-0"), ("3-1", None), ("4-0", None)]


def test_rows_written_before_letters_were_counted_are_read_and_the_latest_look_counts(home, monkeypatch):
    of_today = schema.table
    narrow = replace(of_today("duplicates"), columns=tuple(column for column in of_today("duplicates").columns if column.name != "letters"))
    old = pl.DataFrame({"feedback_id": ["x", "y", "z", "0-1"], "iso_week": "2024-W01", "duplicate_of": ["0-0", "0-0", "0-0", "z"], "similarity": 0.9,
                        "mark": ["reward", None, None, "reward"], "method": "old", "found_at": datetime(2023, 1, 1, tzinfo=UTC)})
    with monkeypatch.context() as before:
        before.setattr(schema, "table", lambda name: narrow if name == "duplicates" else of_today(name))
        with write_store("s", "test", domain="auto") as writer:
            writer.append("duplicates", old)
    say([FORM] * 2, 0)
    assert repeats("feedback_id, letters, copies, mark") == [
        ("0-0", 13, 5, "template"), ("0-1", 13, 5, "template"), ("x", None, 5, "reward"), ("y", None, 5, None), ("z", None, 5, None)]

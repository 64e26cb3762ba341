"""Search over a store: title, verbatim and follow-up as one, this snapshot and no other, and a frame like any other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from voc_lib.measure import held
from voc_lib.measure.boolean import QueryError
from voc_lib.measure.estimate import estimate
from voc_lib.measure.feedback import PeriodError, feedback
from voc_lib.measure.find import find
from voc_lib.measure.search import search_feedback
from voc_lib.store import open_store

SAID = ({"verbatim": "空調有異響", "code": "空调-运转-异响"}, {"verbatim": "异响", "title": "空调", "iso_week": "2026-W45"}, {"verbatim": "好", "followup": "后来异响，车机也黑屏"},
        {"verbatim": "车机卡", "channel": "hotline"}, {"verbatim": "", "title": "空调"})


def numbers(frame) -> list[int]:
    return [int(name, 16) for name in frame["feedback_id"]]


@pytest.mark.parametrize(("query", "asked", "found"), [
    ("异响", {}, [1, 2, 3]), ("异响 AND 空调 NOT 车机", {}, [1, 2]), ("异响 NOT 车机", {}, [1, 2]), ("NOT 异响", {}, [4, 5]), ("异响", {"period": "2026-W46"}, [1, 3]),
    ("异响", {"period": ["2026-W45", "2026-W46"]}, [1, 2, 3]), ("车机", {"channel": "hotline"}, [4]), ("没有人说过", {}, [])])
def test_what_is_found(told, query, asked, found):
    assert numbers(find(query, told(*SAID), **asked)) == found


def test_what_is_found_is_a_feedback_frame_like_any_other(told):
    store = told(*SAID)
    found, everything = find("异响", store), feedback(store)
    assert found.schema == everything.schema and found.equals(everything.filter(everything["feedback_id"].is_in(found["feedback_id"].implode())))
    assert found["codes"].to_list() == [["空调-运转-异响"], [], []] and estimate(found, "people")["estimate"].item() == 3
    assert search_feedback(everything, word="异响 AND 空调 NOT 车机")["feedback_id"].to_list() == find("异响 AND 空调 NOT 车机", store)["feedback_id"].to_list()


def test_on_a_real_store_it_finds_what_reading_every_text_finds(enriched, monkeypatch):
    monkeypatch.setenv("VOC_HOME", str(enriched))
    everything = feedback("sample")
    texts = held.spoken(everything)
    want = [name for name, text in zip(everything["feedback_id"], texts, strict=True) if "异响" in text and "空调" in text and "车机" not in text]
    assert find("异响 AND 空调 NOT 车机", "sample")["feedback_id"].to_list() == want and len(want) > 3


def test_a_new_snapshot_is_searched_and_an_old_one_stays_what_it_was(told, monkeypatch):
    before = told(*SAID)
    assert numbers(find("异响", before)) == [1, 2, 3]
    cleaned = []
    monkeypatch.setattr(held, "clean_column", lambda texts, real=held.clean_column: cleaned.extend(texts) or real(texts))
    after = told({"verbatim": "也异响"})
    assert numbers(find("异响", after)) == [1, 2, 3, 6] and cleaned.count("也异响") == 1
    assert "空調有異響" not in cleaned  # what was held before is not cleaned again
    assert numbers(find("异响", before)) == [1, 2, 3] and numbers(find("异响", open_store("told", "000001"))) == [1, 2, 3]
    assert len(list((after.path / "_search").iterdir())) == 1  # one copy beside the lake, not one a snapshot


def test_the_copy_can_be_deleted_and_a_snapshot_number_given_twice_is_not_mistaken(told):
    store = told(*SAID)
    find("异响", store)
    [copy] = (store.path / "_search").iterdir()
    copy.unlink()
    held._mapped.cache_clear()
    assert numbers(find("异响", store)) == [1, 2, 3] and copy.exists()
    version = held.version_of(store)
    store.published_at -= timedelta(days=1)  # the same number, published at another time, after somebody went back
    assert held.version_of(store) != version


def test_a_week_or_channel_that_is_not_there_is_said(told):
    store = told(*SAID)
    with pytest.raises(PeriodError, match="没有任何反馈"):
        find("异响", store, period="2026-W50")
    with pytest.raises(PeriodError, match="没有名为「hotlin」的渠道.*hotline"):
        find("异响", store, channel="hotlin")
    with pytest.raises(QueryError, match="没有写要找的词"):  # nothing asked for is not everything
        find(" ", store)


def test_an_empty_store_finds_nothing(told):
    store = told({"verbatim": "x"})
    assert find("异响", store).is_empty() and find("异响", store).schema == feedback(store).schema

"""The rows on topics: made-up comments about three things are told apart, stay themselves, and stand beside the default's figures."""

import numpy as np
import polars as pl
import pytest

from voc_lib.evaluate import real_topics
from voc_lib.evaluate.real_topics import Corpus, topic_measures

THINGS = {
    "油耗": ["油耗有点高", "百公里油耗下不来", "市区油耗十个", "跑高速油耗低"], "安全性": ["刹车异响", "踩刹车有点软", "刹车距离长", "刹车片磨得快"],
    "空间": ["后排空间宽敞", "后备箱空间不够", "后排腿部空间小", "空间坐三个人刚好"]}
ENDS = ["，开了半年", "，朋友也这么说", "，4S店说正常", "，冬天更明显", "，想问问大家", "，已经去过店里", "，跑长途的时候", "，新车刚提"]


class Default:
    """What BERTopic as it comes would say, without waiting for it."""

    count, outside, nmi, seed_ari, boot_ari, same = 9, 0.31, 0.33, 0.45, 0.33, 0.74

    def __init__(self, *given) -> None:
        pass


@pytest.fixture
def folder(tmp_path, monkeypatch):
    rows = [(f"{said}{end}{at}", thing) for thing, many in THINGS.items() for said in many for end in ENDS for at in ("", "吧")]
    (tmp_path / "bdci2018_car").mkdir()
    pl.DataFrame([(text, thing, "0") for text, thing in rows], schema=["content", "subject", "sentiment_value"], orient="row").write_csv(tmp_path / "bdci2018_car" / "train.csv")
    monkeypatch.setattr(real_topics, "_Default", Default)
    monkeypatch.setattr(real_topics, "WEEK", 200)
    monkeypatch.setattr(real_topics, "TOPICS", 6)
    return tmp_path


def test_rows_stand_beside_the_default_and_are_what_they_say(folder):
    found = {row["measure"]: row for row in topic_measures(folder, None, real_topics.Encoder())}
    assert len(found) == 9
    by = {name: next(row for measure, row in found.items() if name in measure) for name in ("NMI", "两个种子", "八成", "未归类", "打乱重拟合", "不重拟合", "未见过的文字：冻结", "学生")}
    assert by["NMI"]["found"] > 0.6 and "0.330" in by["NMI"]["note"]
    assert by["不重拟合"]["found"] == 1 and by["打乱重拟合"]["found"] > 0.9
    assert 0 <= by["未归类"]["found"] < 0.4 and by["未见过的文字：冻结"]["found"] > 0.7
    assert by["学生"]["found"] < next(row["found"] for measure, row in found.items() if measure.startswith("一周两万条从文字到主题，CPU"))


def test_labels_are_read_to_score_and_not_to_find(folder):
    rows = pl.read_csv(folder / "bdci2018_car" / "train.csv", infer_schema=False)
    turned = rows.with_columns(subject=pl.Series(list(reversed(rows["subject"].to_list()))))
    one, other = Corpus(rows), Corpus(turned)
    assert np.array_equal(one.seeds, other.seeds) and (one.subject != other.subject).any()
    assert {one.systems[at] for at in one.seeds if at >= 0} >= {"油耗", "制动", "空间"}


def test_a_second_folder_is_what_topics_are_fitted_on(folder, tmp_path_factory):
    test = tmp_path_factory.mktemp("held")
    (test / "bdci2018_car").mkdir()
    pl.DataFrame([("刹车有异响很烦", "安全性", "-1"), ("后排空间真大", "空间", "1"), ("油耗太高了", "油耗", "-1")] * 1, schema=["content", "subject", "sentiment_value"], orient="row").write_csv(
        test / "bdci2018_car" / "train.csv")
    found = topic_measures(test, folder, real_topics.Encoder())
    assert "NMI" in found[0]["measure"] and found[0]["found"] == pytest.approx(1)

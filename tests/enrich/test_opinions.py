"""Opinions per mention: windows, faults, mixed, abstention; and the lines of voc.toml that name a model."""

import numpy as np
import polars as pl
import pytest

from voc_lib.enrich.coding import code_keywords
from voc_lib.enrich.domain import load_domain
from voc_lib.enrich.opinions import MIXED, WHOLE, OpinionError, get_opinion_model, judge, opinion_names
from voc_lib.enrich.opinions_hub import read_labels
from voc_lib.settings import settings


class ByWords:
    """Reads 好 as pleased and 烂 as displeased; keeps what it was asked."""

    fingerprint = "by-words"

    def __init__(self):
        self.asked = []

    def probabilities(self, texts):
        self.asked += texts
        good, bad = (np.array([text.count(word) for text in texts]) for word in "好烂")
        found = np.column_stack([0.02 + 3 * bad, np.full(len(texts), 0.05), 0.02 + 3 * good])
        return found / found.sum(1, keepdims=True)


def judged(text, mentions, model=None):
    """Opinion by code; a mention is its words."""
    spans = [("a", code, text.index(words), text.index(words) + len(words)) for code, words in mentions]
    frame = pl.DataFrame(spans, schema={"feedback_id": pl.String, "code": pl.String, "span_start": pl.Int64, "span_end": pl.Int64}, orient="row")
    found = judge(pl.DataFrame({"feedback_id": ["a"], "text": [text]}), frame, model or ByWords())
    return {code: opinion for _, code, opinion, _ in found.iter_rows()}


def test_one_text_praises_one_thing_and_blames_another():
    found = judged("外观好看,但店里服务真烂", [("外观-整体-评价", "外观"), ("服务-门店-评价", "服务")])
    assert found == {"外观-整体-评价": "positive", "服务-门店-评价": "negative", WHOLE: MIXED}


@pytest.mark.parametrize("text", [
    "外观好看,店里服务真烂",  # no turn from one to the other
    "外观好看,但是样式好多",  # one side
    "外观不好看,但店里服务真烂",  # praise denied
    "外观好看,但店里服务烂吗",  # a question
    "好多款式,但店里服务真烂",  # no plain word of praise
    "不过外观好看又烂",  # both in one clause
])
def test_what_is_not_surely_said_of_two_things_is_not_mixed(text):
    assert judged(text, [])[WHOLE] != MIXED


def test_a_mention_is_mixed_by_its_own_window_and_as_sure_as_its_weaker_side():
    texts = pl.DataFrame({"feedback_id": ["a"], "text": ["座椅很好,就是皮面烂"]})
    spans = pl.DataFrame({"feedback_id": ["a"], "code": ["内饰-座椅-评价"], "span_start": [0], "span_end": [2]})
    model = ByWords()
    weaker = min(model.probabilities(["座椅很好"])[0, 2], model.probabilities(["就是皮面烂"])[0, 0])
    said = {code: (opinion, sure) for _, code, opinion, sure in judge(texts, spans, model).iter_rows()}
    assert said == {WHOLE: (MIXED, pytest.approx(weaker)), "内饰-座椅-评价": (MIXED, pytest.approx(weaker))}


def test_a_turn_elsewhere_in_the_text_joins_no_sides():
    assert judged("但愿如此,外观好看,服务真烂", [])[WHOLE] != MIXED
    assert judged("外观好看,价格一般,不过还行,服务真烂", [])[WHOLE] == MIXED


def test_what_follows_a_mention_belongs_to_it_until_the_next_begins():
    model = ByWords()
    judged("方向盘抖,修了三次,烂透了,外观好", [("底盘-方向盘-抖动", "方向盘抖"), ("外观-整体-评价", "外观")], model)
    assert "方向盘抖,修了三次,烂透了" in model.asked
    assert not any("烂" in text and "外观" in text and len(text) < 15 for text in model.asked)


def test_a_sober_fault_is_a_complaint_and_a_sober_mention_is_not():
    found = judged("车门漏水", [("车身-车门-漏水", "漏水"), ("车身-车门-评价", "车门")])
    assert found["车身-车门-漏水"] == "negative"
    assert found["车身-车门-评价"] == "neutral"


def test_where_nothing_is_likely_nothing_is_said():
    class Unsure(ByWords):
        def probabilities(self, texts):
            return np.full((len(texts), 3), 1 / 3)

    found = judge(pl.DataFrame({"feedback_id": ["a"], "text": ["嗯"]}), pl.DataFrame(schema={"feedback_id": pl.String, "code": pl.String, "span_start": pl.Int64, "span_end": pl.Int64}), Unsure())
    assert found.row(0) == ("a", WHOLE, None, pytest.approx(1 / 3))


def test_every_text_is_judged_as_a_whole_also_an_empty_one():
    texts = pl.DataFrame({"feedback_id": ["a", "b", "c"], "text": ["好", None, "。。。"]})
    none = pl.DataFrame(schema={"feedback_id": pl.String, "code": pl.String, "span_start": pl.Int64, "span_end": pl.Int64})
    assert judge(texts, none, ByWords()).select("feedback_id", "code").rows() == [("a", WHOLE), ("b", WHOLE), ("c", WHOLE)]


def test_the_coder_s_own_spans_fit(home):
    texts = pl.DataFrame({"feedback_id": ["a"], "text": ["方向盘抖动，去了两次，太烂了"]})
    mentions = code_keywords(texts, load_domain(settings().domains, "auto"))
    found = judge(texts, mentions, ByWords())
    assert set(found["opinion"]) == {"negative"} and found.height >= 2


def test_the_order_of_texts_changes_no_answer():
    texts = pl.DataFrame({"feedback_id": ["a", "b"], "text": ["好,烂", "烂烂"]})
    none = pl.DataFrame(schema={"feedback_id": pl.String, "code": pl.String, "span_start": pl.Int64, "span_end": pl.Int64})
    assert judge(texts, none, ByWords()).sort("feedback_id").equals(judge(texts.reverse(), none, ByWords()).sort("feedback_id"))


@pytest.mark.parametrize("line,said", [
    ("strat", "是否想写「start」"), ("start:x", "应写成「start」"), ("hub", "应写成「hub:模型名或文件夹」"), ("fitted:没有.xlsx", "没有标注文件"), ("hub:没有的文件夹", "读不出来"),
])
def test_a_line_that_cannot_be_used_is_explained(home, line, said):
    with pytest.raises(OpinionError, match=said):
        get_opinion_model(line)


def test_models_are_found_by_their_file():
    assert opinion_names() == ["fitted", "hub", "labels", "start"]


@pytest.mark.parametrize("labels,columns", [
    ({0: "NEGATIVE", 1: "POSITIVE"}, {0: 0, 1: 2}), ({0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"}, {0: 0, 1: 1, 2: 2}),
    ({0: "1 star", 1: "3 stars", 2: "5 stars"}, {0: 0, 1: 1, 2: 2}), ({0: "正面", 1: "负面", 2: "中性"}, {0: 2, 1: 0, 2: 1}),
])
def test_labels_of_hub_models_are_read_by_name(labels, columns):
    assert read_labels(labels, "m") == columns


def test_labels_that_nobody_can_read_are_refused():
    with pytest.raises(OpinionError, match="joy、anger"):
        read_labels({0: "joy", 1: "anger"}, "m")


def test_a_hub_classifier_from_a_folder_judges_texts(home):
    """A tiny model of random weights: what it says means nothing, that it is asked and answers does."""
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

    folder = home / "models" / "tiny"
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"好烂车门漏水"]), "utf-8")
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    shape = BertConfig(vocab_size=11, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, id2label={0: "负面", 1: "正面"}, label2id={"负面": 0, "正面": 1})
    BertForSequenceClassification(shape).save_pretrained(folder)
    model = get_opinion_model("hub:models/tiny")
    found = model.probabilities(["车门漏水", "好"])
    assert found.shape == (2, 3) and np.allclose(found.sum(1), 1) and (found[:, 1] == 0).all()
    assert model.fingerprint.startswith("hub-")

"""Several back-ends side by side, and what a changed line of voc.toml costs: only what is missing."""

import numpy as np
import polars as pl
import pytest

from voc_lib.enrich import embedders_usem3
from voc_lib.enrich.embedders import EmbedderError, decode_vectors, get_embedder
from voc_lib.enrich.embedders_hybrid import Hybrid, parse
from voc_lib.enrich.run import enrich
from voc_lib.store import open_store


class Axis:
    """Every text on one axis, or nowhere."""

    def __init__(self, fingerprint, dimensions, at):
        self.fingerprint, self.dimensions, self.at = fingerprint, dimensions, at

    def encode(self, texts):
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        vectors[[place for place, text in enumerate(texts) if text], self.at] = 1
        return vectors


def test_the_cosine_is_the_weighted_mean_of_the_parts():
    usem3, other = get_embedder("usem3"), Axis("b", 2, 0)
    hybrid = Hybrid([usem3, other], [3, 1])
    first, second = hybrid.encode(["方向盘抖动", "空调不制冷"])
    alone = usem3.encode(["方向盘抖动", "空调不制冷"])
    assert hybrid.dimensions == 514 and first.dtype == np.float32
    assert first @ second == pytest.approx(0.75 * (alone[0] @ alone[1]) + 0.25, abs=1e-5)


def test_a_part_that_knows_nothing_leaves_the_row_at_length_one():
    hybrid = Hybrid([Axis("a", 2, 0), Axis("b", 3, 2)], [0.6, 0.4])
    both, none = hybrid.encode(["x", ""])
    assert both == pytest.approx([0.6**0.5, 0, 0, 0, 0.4**0.5]) and not none.any()
    assert hybrid.combine([np.array([[1, 0]]), np.zeros((1, 3))])[0].tolist() == [1, 0, 0, 0, 0]


def test_fingerprint_follows_parts_and_weights_not_their_scale():
    a, b = Axis("a", 2, 0), Axis("b", 2, 0)
    same = {Hybrid([a, b], [6, 4]).fingerprint, Hybrid([a, b], [0.6, 0.4]).fingerprint}
    assert len(same) == 1 and len(same | {Hybrid([a, b], [5, 5]).fingerprint, Hybrid([b, a], [6, 4]).fingerprint}) == 3


def test_the_line_is_read():
    assert parse("[usem3*0.6, st:models/a b*2]") == [("usem3", 0.6), ("st:models/a b", 2.0)]
    assert parse("[usem3，tfidf]") == [("usem3", 1.0), ("tfidf", 1.0)]


@pytest.mark.parametrize("rest, words", [
    ("usem3*1", "方括号"), ("[usem3*0.6]", "至少要有两个"), ("[usem3*1, usem3*2]", "两个不同的成员"), ("[usem3*-1, tfidf*1]", "大于零"), ("[usem3*x, tfidf]", "应是数字"),
    ("[hybrid:[a, b], tfidf]", "不能再套"), ("[usem3*nan, tfidf]", "大于零"), ("[, tfidf]", "应是名字")])
def test_a_wrong_line_is_answered_in_words(rest, words):
    with pytest.raises(EmbedderError, match=f"写法不对.*{words}.*voc.toml"):
        get_embedder(f"hybrid:{rest}")


@pytest.mark.parametrize("line, words", [
    ("hybrid", "应写成「hybrid:"), ("st", "应写成「st:"), ("usem3:large", "应写成「usem3」"), ("tfidf:", "应写成「tfidf」"),
    ("tfid", "是否想写「tfidf」？现有：hybrid:.*st:模型名或文件夹.*usem3"), ("hybrid:[usem3, tfid]", "是否想写「tfidf」")])
def test_a_wrong_name_is_answered_with_the_forms(line, words):
    with pytest.raises(EmbedderError, match=words):
        get_embedder(line)


def test_a_changed_line_embeds_only_what_is_missing(sample, monkeypatch):
    def choose(line):
        text = (sample / "voc.toml").read_text("utf-8")
        start = text.index("embedder =")
        (sample / "voc.toml").write_text(text[:start] + f'embedder = "{line}"\n' + text[text.index("\n", start) + 1 :], "utf-8")
        return enrich("sample")

    def stored():
        return {row[0]: row[1] for row in open_store("sample").sql("SELECT fingerprint, count(*) FROM vectors GROUP BY 1").rows()}

    encoded = []
    encode = embedders_usem3.UseM3.encode
    monkeypatch.setattr(embedders_usem3.UseM3, "encode", lambda self, texts: encoded.extend(texts) or encode(self, texts))
    (usem3,) = stored()
    first = choose("hybrid:[usem3*0.6, tfidf*0.4]")
    assert first.texts_embedded == first.texts and not encoded, "the parts' stored vectors are taken"
    assert len(stored()) == 3 and set(stored().values()) == {first.texts}
    before = open_store("sample").sql("SELECT * FROM vectors ORDER BY ALL")
    second = choose("hybrid:[usem3*0.5, tfidf*0.5]")
    assert second.texts_embedded == first.texts and len(stored()) == 4 and not encoded
    assert choose("usem3").texts_embedded == 0 and choose("tfidf").texts_embedded == 0
    again = choose("hybrid:[usem3*0.6, tfidf*0.4]")
    assert again.texts_embedded == 0 and again.embedder == first.embedder == open_store("sample").about["fingerprint"]
    after = open_store("sample").sql("SELECT * FROM vectors ORDER BY ALL")
    assert before.join(after, on=after.columns, how="semi").height == before.height
    texts = open_store("sample").sql(f"SELECT min(verbatim) AS text, any_value(vector) AS vector FROM texts JOIN feedback_rows USING (feedback_id) "
                                     f"JOIN vectors USING (text_hash) WHERE fingerprint = '{first.embedder}' GROUP BY text_hash LIMIT 20")
    hybrid = get_embedder("hybrid:[usem3*0.6, tfidf*0.4]", "sample")
    exact = hybrid.encode(texts["text"].to_list())
    assert np.abs(decode_vectors(texts["vector"], hybrid.dimensions) - exact).max() < 2e-3
    assert isinstance(texts, pl.DataFrame) and usem3.startswith("usem3")

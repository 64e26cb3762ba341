"""Candidates for new topics on a page: small groups are withheld, new ones are 疑似, nothing found is said."""

import polars as pl

from voc_lib.measure.analyses.new_topics import NEW_TOPICS_SCHEMA
from voc_lib.report.markup import block_html
from voc_lib.report.new_topics import say_new_topics, table_new_topics

BORN = {"candidate": "a1", "name": "方言包", "terms": ["方言包", "方言", "下架"], "people": 23, "expected": 2.5, "lift": 9.2, "p_value": 1e-7, "q_value": 1e-4,
        "known_code": None, "feedback_ids": [f"f{at}" for at in range(24)]}
FEW = BORN | {"name": "<b>跳枪</b>", "terms": ["跳枪"], "people": 7, "expected": 0.1, "lift": 70.0, "feedback_ids": ["x"] * 7}
KNOWN = BORN | {"name": "低温", "terms": ["低温"], "people": 53, "known_code": "电池续航-续航-缩水"}


def frame(*rows):
    return pl.DataFrame(rows, schema=NEW_TOPICS_SCHEMA, orient="row")


def texts(block):
    return [[cell["text"] for cell in row] for row in block.description["rows"]]


def test_people_lift_verbatims_and_what_is_known():
    table = table_new_topics(frame(BORN, FEW, KNOWN))
    rows = texts(table)
    assert rows[0] == ["方言包", "23 人", "约为平常的 9 倍", "24 条", "疑似新话题"]
    assert rows[1] == ["<b>跳枪</b>", "不足10人", "以前几乎没人说", "不足10人", "疑似新话题"]
    assert rows[2][4].startswith("已知问题上升：") and "续航" in rows[2][4]
    assert table.description["rows"][0][0]["small"] == "方言、下架"


def test_a_name_of_strangers_is_escaped():
    for block in (table_new_topics(frame(FEW)), say_new_topics(frame(FEW))):
        html = block_html(block.description)
        assert "跳枪" in html and "<b>跳枪" not in html


def test_a_long_list_is_cut_and_says_so():
    table = table_new_topics(frame(*[BORN] * 5), most=2)
    assert len(texts(table)) == 2 and "共 5 个，这里列出前 2 个" in table.description["note"]


def test_the_sentence_names_the_largest_new_one_and_counts_the_known():
    said = str(say_new_topics(frame(FEW, BORN, KNOWN)))
    assert "2 个疑似新话题" in said and "方言包（23 人，约为平常的 9 倍）" in said and "另有 1 个是已知问题在上升" in said and "53" not in said
    assert "7" not in str(say_new_topics(frame(FEW))).replace("<b>", "") and "不足10人" in str(say_new_topics(frame(FEW)))


def test_nothing_found_only_known_and_nothing_looked_at():
    assert str(say_new_topics(frame())) == "最近两周没有疑似的新话题。"
    assert "都属于已知的问题" in str(say_new_topics(frame(KNOWN)))
    assert str(say_new_topics(frame(), "之前只有 7 周有反馈")) == "之前只有 7 周有反馈。"
    assert "最近两周没有新话题的候选。" in block_html(table_new_topics(frame()).description)

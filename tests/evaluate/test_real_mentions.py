"""The rows on opinions per mention: labels of mentions help on comments that nobody here wrote, held out by text."""

import numpy as np
import polars as pl
import pytest

from voc_lib.enrich import opinions_start
from voc_lib.evaluate.real_mentions import PART, CodedComments, learnt, macro_f1, mention_measures
from voc_lib.evaluate.real_parts import fold_of, read_part


def test_a_folder_without_comments_is_a_line_that_says_so(tmp_path):
    (row,) = mention_measures(tmp_path, None, None)
    assert row["found"] is None and "跳过" in row["note"]


def test_a_coded_mention_has_the_label_of_its_system(home):
    rows = pl.DataFrame({"content": ["油耗太高了，外观好看", "油耗太高了，外观好看"], "subject": ["油耗", "内饰"], "sentiment_value": ["-1", "1"]})
    known = CodedComments(rows).known
    assert set(known["code"].str.split("-").list.first()) == {"油耗"} and set(known["sign"]) == {0}


def test_three_hundred_labels_of_mentions_help_on_texts_they_were_not_drawn_from(home, shared):
    """One fold of five, the start model not adapted to the comments (that takes a minute)."""
    if (rows := read_part(shared / "data", PART, ("content", "subject", "sentiment_value"))) is None:
        pytest.skip(f"没有 {PART}")
    comments = CodedComments(rows)
    fold = fold_of(comments.texts["text"].to_list())
    known, new = comments.part(np.flatnonzero(fold != 0)), comments.part(np.flatnonzero(fold == 0))
    start = opinions_start.fit(*(part[::8] for part in opinions_start.corpus()))
    before, model = macro_f1(start, *new), learnt(start, *known, 300, 0)
    assert model.mentions.fit.helps and macro_f1(model, *new) > before + 0.08

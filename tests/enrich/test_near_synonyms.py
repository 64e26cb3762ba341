"""Two wordings of one fault get one code, two faults that sound alike get two: tables one can extend by a line."""

from pathlib import Path

import polars as pl
import pytest

from voc_lib.enrich.coding import code_keywords
from voc_lib.enrich.domain import load_domain

HERE = Path(__file__).parent
DOMAINS = HERE.parents[1] / "data" / "domains"


def table(name):
    lines = (HERE / name).read_text("utf-8").splitlines()
    return [tuple(part.strip() for part in line.split("|")) for line in lines if line.strip() and not line.startswith("#")]


SAME, DIFFERENT = table("near_synonyms.txt"), table("near_but_different.txt")
LOADED = {name: load_domain(DOMAINS, name) for name in ("auto", "bank")}


def primary(domain, *texts):
    rows = pl.DataFrame({"feedback_id": [str(at) for at in range(len(texts))], "text": list(texts)})
    return code_keywords(rows, LOADED[domain]).filter("is_primary")["code"].to_list()


def test_the_tables_are_as_long_as_promised():
    assert len(SAME) >= 60 and len(DIFFERENT) >= 20
    assert len({code for *_, code in SAME}) >= 60


@pytest.mark.parametrize(("domain", "one", "other", "code"), SAME, ids=lambda value: value)
def test_near_synonyms_get_one_code(domain, one, other, code):
    assert primary(domain, one, other) == [code, code]


@pytest.mark.parametrize(("domain", "one", "other"), DIFFERENT, ids=lambda value: value)
def test_neighbours_get_two(domain, one, other):
    first, second = primary(domain, one, other)
    assert first != second and "未归类" not in (first, second)

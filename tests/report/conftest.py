"""Small frames with the columns that measure gives, the laws of a printed sentence, and notebooks of a few cells."""

from __future__ import annotations

import re

import nbformat
import polars as pl
import pytest

HALF_WIDTH = re.compile(r"[一-鿿][,;:!?()]|[,;:!?(][一-鿿]|\.[一-鿿]|[一-鿿]\.")
MACHINE = re.compile(r"nan|None|inf|null|e\+|\d-\d|-\d|  |（）|，，|。。|，。|；。|、、|、。|：。|^[，。；：、]")
LONG = re.compile(r"(?<![\d,.W-])\d{4}(?![\d年-])|\d{5}|\d{2},\d{3}")    # 1234 wants a comma, 12345 wants 万
LARGE = re.compile(r"([\d.,]+)[万亿]")
WEEKS = [f"2020-W{week:02d}" for week in range(13, 25)]


def reads_well(text: str) -> str:
    """The text itself, where it reads like a sentence that may be printed."""
    assert not MACHINE.search(text), text
    assert not HALF_WIDTH.search(text), text
    assert text.count("（") == text.count("）") and text.count("「") == text.count("」"), text
    assert not re.search(r"\d(\.\d)?%.{0,3}百分点|百分点[^（]{0,3}%", text), text
    assert not re.search(r"[高低多少升降][^。，；（]{0,3}−", text) and not re.search(r"[高低升降] ?0(\.0)? 个百分点", text), text
    assert not LONG.search(text), text
    assert all(1 <= float(number.replace(",", "")) < 10_000 for number in LARGE.findall(text)), text
    return text


@pytest.fixture(scope="session")
def good():
    """The laws of a printed sentence: nothing of the machine, full width, signs not said twice, numbers as Chinese readers write them."""
    return reads_well


@pytest.fixture
def comparison():
    """One row of `compare`; keywords replace its values."""
    def row(**changed):
        usual = {"metric": "low_rating_share", "estimate": 0.235, "baseline": 0.204, "difference": 0.031, "std_error": 0.01,
                 "conf_low": 0.01, "conf_high": 0.052, "p_value": 0.001, "p_adjusted": 0.002, "people": 400, "people_baseline": 380,
                 "n": 410, "n_baseline": 390, "shared_people": 0, "shared_threads": 0, "dispersion": 1.2, "verdict": "rise", "note": ""}
        return pl.DataFrame([usual | changed])
    return row


@pytest.fixture
def mover():
    """One row of `movers` as a dict; keywords replace its values."""
    def row(**changed):
        return {"code": "操控系统-方向盘-抖动", "people": 21.0, "people_baseline": 6.0, "verdict": "rise", "difference": 0.02, "p_adjusted": 0.001,
                "series": [3.0, 5, 2, 4, 3, 6, 5, 4, 2, 6, 6, 21], "series_weeks": WEEKS, "band_low": 2.0, "band_high": 9.0,
                "share": 0.033, "note": ""} | changed
    return row


@pytest.fixture
def overview():
    """`channel_overview` of two channels, one without ratings and without a week before."""
    return pl.DataFrame([
        {"channel": "app_store", "volume": 1210, "people": 1180, "people_baseline": 1240, "verdict": "within_error", "low_rating_share": 0.235,
         "top_code": "应用-登录-失败", "coded_share": 0.42, "linked_share": 0.0, "no_author_share": 0.02},
        {"channel": "complaint_site", "volume": 644, "people": 644, "people_baseline": None, "verdict": "rise", "low_rating_share": None,
         "top_code": None, "coded_share": 0.81, "linked_share": 0.0, "no_author_share": 1.0}])


@pytest.fixture
def estimates():
    """`estimate(..., by=<column>)`: groups with their share; None is a suppressed group."""
    def frame(by="product", metric="low_rating_share", **groups):
        return pl.DataFrame([
            {"metric": metric, by: name, "kind": "heard", "estimate": share, "std_error": None if share is None else 0.02,
             "conf_low": None if share is None else share - 0.03, "conf_high": None if share is None else share + 0.04,
             "n": 50, "people": None if share is None else 48, "effective_n": 48.0, "linked_share": 0.0,
             "note": "不足10人，不单列" if share is None else "", "provenance": "{}"} for name, share in groups.items()],
            schema_overrides={"estimate": pl.Float64, "std_error": pl.Float64, "conf_low": pl.Float64, "conf_high": pl.Float64, "people": pl.Int64})
    return frame


@pytest.fixture
def notebook(tmp_path):
    """A notebook file from cells: str = code, ("md", text), or (tag, code)."""
    def write(*cells, name="page"):
        made = []
        for cell in cells:
            kind, source = cell if isinstance(cell, tuple) else ("", cell)
            if kind == "md":
                made.append(nbformat.v4.new_markdown_cell(source))
            else:
                made.append(nbformat.v4.new_code_cell(source, metadata={"tags": [kind]} if kind else {}))
        path = tmp_path / f"{name}.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=made), path)
        return path
    return write

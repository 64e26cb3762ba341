"""A contract that cannot be used is answered with file, line, what was found and what to do."""

from __future__ import annotations

import duckdb
import polars as pl
import pytest

from voc_lib.collect.contract import ContractError, load_contract, load_channels
from voc_lib.collect.expressions import apply_contract
from voc_lib.collect.readers import LINE, ExportError
from voc_lib.settings import settings

GOOD = """\
channel: c
title: 渠道
owner: 质量部
base: vehicles
solicited: false
cannot_tell: 只有投诉者
read: {glob: "c/*.csv"}
aliases: {text: [内容]}
columns:
  source_id: "id"
  verbatim: "text"
  occurred_at: {from: day, formats: ["%Y-%m-%d", "%Y/%m/%d %H:%M"]}
  rating: "stars"
  rating_scale: "5"
"""


def contract(tmp_path, text=GOOD, name="c"):
    path = tmp_path / f"{name}.yaml"
    path.write_text(text, "utf-8")
    return path


def raw(**columns):
    frame = pl.DataFrame({k: pl.Series(v, dtype=pl.String) for k, v in columns.items()})
    return frame.with_columns(pl.int_range(2, 2 + frame.height, dtype=pl.Int64).alias(LINE))


ROWS = {"id": ["1", "2"], "内容": ["抖", " "], "day": ["2020-06-08", "2020/6/9 23:30"], "stars": ["5", ""]}


def test_rows_are_typed_in_the_contracts_time_zone(tmp_path):
    good, rejects, filtered = apply_contract(raw(**ROWS), load_contract(contract(tmp_path)))
    assert (good.height, rejects, filtered) == (2, [], 0)
    assert good["verbatim"].to_list() == ["抖", None] and good["rating"].to_list() == [5, None]
    # 00:00 and 23:30 in Shanghai are 16:00 the day before and 15:30 in UTC
    assert [t.strftime("%d %H:%M") for t in good["occurred_at"]] == ["07 16:00", "09 15:30"]


@pytest.mark.parametrize(("old", "new", "said"), [
    ("title: 渠道", "titel: 渠道", r"第 2 行.*titel.*不认识.*是否想写「title」"),
    ("solicited: false", "solicited: vielleicht", r"第 5 行.*true 或 false.*vielleicht"),
    ('  rating: "stars"', '  ratign: "stars"', r"第 13 行.*ratign.*是否想写「rating」"),
    ("channel: c", "channel: d", r"第 1 行.*「d」.*「c」"),
    ("owner: 质量部", "owner: [质量部", r"第 \d+ 行不是有效的 YAML"),
    ('  source_id: "id"\n', "", r"第 9 行.*缺少 source_id"),
    ("cannot_tell: 只有投诉者", "timezone: Asia/Beijing\ncannot_tell: 只有投诉者", r"第 6 行.*没有时区「Asia/Beijing」"),
])
def test_a_wrong_contract_is_named_with_file_and_line(tmp_path, old, new, said):
    with pytest.raises(ContractError, match=said) as caught:
        load_contract(contract(tmp_path, GOOD.replace(old, new)))
    assert "c.yaml" in str(caught.value)


@pytest.mark.parametrize(("expression", "said"), [
    ('"count(*)"', "第 11 行.*汇总"), ('"upper(text"', "第 11 行.*表达式有误"), ('"nosuchfunction(text)"', "第 11 行"),
    ("\"(SELECT content FROM read_text('/etc/hostname'))\"", "第 11 行.*表达式有误"),
])
def test_an_expression_that_is_wrong_sums_up_or_reaches_out_is_refused(tmp_path, expression, said):
    channel = load_contract(contract(tmp_path, GOOD.replace('verbatim: "text"', f"verbatim: {expression}")))
    with pytest.raises(ContractError, match=said):
        apply_contract(raw(**ROWS), channel)


def test_an_expression_that_multiplies_rows_is_refused(tmp_path):
    channel = load_contract(contract(tmp_path, GOOD.replace('verbatim: "text"', 'verbatim: "unnest([text, text])"')))
    with pytest.raises(ContractError, match="2 行进，4 行出"):
        apply_contract(raw(**ROWS), channel)


def test_a_missing_column_names_the_columns_there_are(tmp_path):
    with pytest.raises(ExportError, match="没有列「stars」.*第 13 行.*id、text、day"):
        apply_contract(raw(**{k: v for k, v in ROWS.items() if k != "stars"}), load_contract(contract(tmp_path)))
    good, _, _ = apply_contract(raw(**{k: v for k, v in ROWS.items() if k != "stars"}),
                                load_contract(contract(tmp_path, GOOD + "optional: [stars]\n")))
    assert good["rating"].to_list() == [None, None]


def test_rows_that_do_not_fit_are_rejects_with_reason_and_line(tmp_path):
    rows = {"id": ["", "2", "3", "4", "5"], "内容": ["a"] * 5, "stars": ["5", "很好", "9", "3", "4"],
            "day": ["2020-06-08", "2020-06-08", "2020-06-08", "不详", "2099-01-01"]}
    good, rejects, _ = apply_contract(raw(**rows), load_contract(contract(tmp_path)))
    assert good.height == 0
    assert [(r.line, r.reason) for r in rejects] == [
        (2, "没有编号（source_id 为空）"), (3, "rating 不是数字"), (4, "rating 超出 0 到 rating_scale"), (5, "occurred_at 不是时间"), (6, "日期在将来")]
    assert rejects[1].values == {"id": "2", "text": "a", "day": "2020-06-08", "stars": "很好"}


def test_variants_and_filters_follow_the_header(tmp_path):
    text = GOOD + 'where: "text <> \'广告\'"\nvariants:\n  - {when_columns: [id_], columns: {source_id: "id_"}}\n'
    good, _, filtered = apply_contract(raw(**{**ROWS, "内容": ["抖", "广告"], "id_": ["8", "9"]}), load_contract(contract(tmp_path, text)))
    assert good["source_id"].to_list() == ["8"] and filtered == 1


def test_every_contract_of_the_project_loads(home):
    domains = settings().domains
    for folder in sorted(domains.glob("*/channels")):
        for channel in load_channels(domains, folder.parent.name):
            assert channel.title and channel.cannot_tell
    with pytest.raises(ContractError, match="是否想写「public_auto」"):
        load_channels(domains, "public_atuo")


def test_expressions_reach_no_file_and_no_rows_of_another_piece(tmp_path):
    from voc_lib.collect.expressions import _locked

    given = contract(tmp_path)
    assert apply_contract(raw(**ROWS), load_contract(given))[0].height == 2
    kept = _locked("Asia/Shanghai").cursor()
    with pytest.raises(duckdb.Error, match="raw"):
        kept.sql("SELECT * FROM raw")
    with pytest.raises(duckdb.Error, match="disabled|permission"):
        kept.sql(f"SELECT * FROM read_text('{given}')").fetchall()
    with pytest.raises(duckdb.Error, match="locked"):
        kept.execute("SET TimeZone = 'UTC'")

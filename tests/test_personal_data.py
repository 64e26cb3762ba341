"""Personal data planted in every column of every format is found nowhere: lake, quarantine, logs, notebooks, pages."""

from __future__ import annotations

import json
import logging
import re
import shutil
from pathlib import Path

import polars as pl
import pytest

from voc_lib import pipeline
from voc_lib.collect.identity.edits import edit_people
from voc_lib.collect.ingest import ingest
from voc_lib.collect.masking import MaskingLogFilter
from voc_lib.enrich.run import enrich
from voc_lib.schema import table_names
from voc_lib.store import open_store

# Made up by rule: an unissued mobile segment, a valid ID checksum, a valid VIN check digit, Luhn, a new-energy plate.
PLANTED = {
    "手机号": "16712345678", "全角": "１６７１２３４５６７９", "分隔": "167-1234-5670", "固话": "0571-87654321", "身份证": "339999199001011235",
    "车架号": "LXLAA1A11NA000013", "车牌": "浙A·D12345", "银行卡": "6222021234567890128", "邮箱": "zhang_wei99@example.com", "微信": "wxzw_1990", "QQ": "QQ86543210",
}
SPOKEN = {"微信": "加微信 wxzw_1990", "QQ": "我的QQ86543210", "车架号": "车架号 LXLAA1A11NA000013"}
COLUMNS = ["id", "text", "title", "answer", "more", "car", "trim", "version", "place", "town", "shop", "state", "nick", "thread", "mobile", "vin", "unused"]
CONTRACT = """\
channel: site
title: 网站
owner: 质量部
base: vehicles
solicited: false
cannot_tell: 只有投诉者
read: {glob: ["*.csv", "*.tsv", "*.xlsx", "*.jsonl", "*.parquet"]}
columns:
  source_id: "id"
  verbatim: "text"
  title: "title"
  reply: "answer"
  followup: "more"
  product: "car"
  variant: "trim"
  software_version: "version"
  region: "place"
  city: "town"
  dealer: "shop"
  status: "state"
  author: "nick"
  thread_id: "thread"
  occurred_at: {from: day, formats: ["%Y-%m-%d"]}
identity: {phone: mobile, vin: vin}
"""


def rows():
    """One row for every kind in every column, and a row with a wrong date (for quarantine) for every kind."""
    made = []
    for kind, planted in PLANTED.items():
        said = SPOKEN.get(kind, planted)
        for column in COLUMNS:
            row = {name: f"{name}{len(made)}" for name in COLUMNS} | {"day": "2026-11-10"}
            made.append(row | {column: f"车主说{said}，请回电" if column in ("text", "title", "answer", "more") else said})
        made.append(dict.fromkeys(COLUMNS, said) | {"id": f"bad{len(made)}", "day": f"不详 {planted}"})
    return pl.DataFrame(made)


def plain(content: str) -> str:
    return "".join(content.split())


@pytest.fixture
def planted(home):
    folder = home / "data" / "domains" / "auto" / "channels"
    for path in folder.glob("*.yaml"):
        path.unlink()
    (folder / "site.yaml").write_text(CONTRACT, "utf-8")
    exports = home / "exports"
    exports.mkdir()
    frame = rows()
    # Other rows in every format; an id that is itself personal stays bare in one of them.
    parts = {kind: frame.with_columns(pl.col("id") + f"-{kind}") for kind in ("tsv", "xlsx", "parquet", "jsonl")}
    frame.write_csv(exports / "a.csv")
    parts["tsv"].write_csv(exports / "a.tsv", separator="\t")
    parts["xlsx"].write_excel(exports / "a.xlsx")
    parts["parquet"].write_parquet(exports / "a.parquet")
    lines = [json.dumps(row, ensure_ascii=False) for row in parts["jsonl"].iter_rows(named=True)]
    (exports / "a.jsonl").write_text("\n".join([*lines, '{"text": "断开的一行 16712345678']), "utf-8")
    (exports / "给16712345678的.csv").write_text("id\n1\n", "utf-8")
    return exports


def test_none_of_it_is_found_anywhere(planted, home, caplog):
    caplog.handler.addFilter(MaskingLogFilter())
    with caplog.at_level(logging.DEBUG, "voc"):
        (count,) = ingest("mine", planted, "auto")
        enrich("mine")
        pipeline.weekly("mine", "2026-W46")
    assert count.feedback_stored > 500 and count.rows_quarantined == 5 * len(PLANTED) + 1 and len(count.failed) == 1
    store = open_store("mine")
    lake = "\n".join(store.read(table).collect().drop("vector", strict=False).write_json() for table in
                     ("feedback", "status_history", "sightings", "quarantine", "exports", "identity_keys", "mentions", "texts"))
    written = {str(p): p.read_bytes().decode("utf-8", "ignore") for folder in ("data/lake", "reports") for p in (home / folder).rglob("*") if p.is_file()}
    logs = "\n".join(record.getMessage() for record in caplog.records) + json.dumps(count.as_dict(), ensure_ascii=False)
    everywhere = plain("\n".join([lake, logs, *written, *written.values()]))
    found = [kind for kind, value in PLANTED.items() if value.removeprefix("QQ") in everywhere or plain(value) in everywhere]
    assert found == []
    assert "〔手机号〕" in lake and "〔车架号〕" in lake and "〔邮箱〕" in lake
    keys = store.read("identity_keys").collect()
    assert keys.filter(pl.col("key_type") == "phone").height and not keys["key_hash"].str.contains("^1").all()


def test_the_bundled_samples_planted_data_is_not_in_the_lake(enriched, monkeypatch):
    monkeypatch.setenv("VOC_HOME", str(enriched))
    lines = (Path(__file__).parent / "collect" / "sample_pii.txt").read_text("utf-8").splitlines()
    planted = [line for line in lines if line and not line.startswith("#")]
    store = open_store("sample")
    lake = "\n".join(store.read(table).collect().write_json() for table in ("feedback", "quarantine", "status_history", "exports"))
    assert len(planted) > 500 and [line for line in planted if line in lake] == []


KEYS = re.compile(r"(?<![0-9A-Za-z])(?:\+?86)?16[0-4][ -]?\d{4}[ -]?\d{4}(?![0-9A-Za-z])|LXL[0-9A-Z]{14}|(?<![0-9A-Za-z])XL\d{8}(?![0-9A-Za-z])")


def personal(world: Path) -> set[str]:
    """Phones, vehicles, customer numbers and account numbers of the planted world."""
    truth = json.loads((world / "_truth" / "identities.json").read_text("utf-8"))
    return {value for one in truth["persons"] for value in (one["customer_id"], one["phone"], one.get("vin"), *one["accounts"].values()) if value}


def test_no_key_of_the_planted_world_is_found_in_lake_pages_notebooks_or_logs(small_world, tmp_path, monkeypatch, caplog):
    home = shutil.copytree(small_world, tmp_path / "home")
    monkeypatch.setenv("VOC_HOME", str(home))
    known = personal(home / "data" / "raw" / "sample")
    with caplog.at_level(logging.DEBUG, "voc"):
        for notebook in ("data_health", "journeys", "customer_360"):
            pipeline.render(notebook, {})
        edit_people("sample", {"action": "split", "feedback": [open_store("sample").sql("SELECT feedback_id FROM links WHERE customer_id IS NOT NULL ORDER BY 1 LIMIT 1").item()]}, "王", "核实过")
    store = open_store("sample")
    lake = "\n".join(store.read(table).collect().drop("vector", "state", strict=False).select(pl.col(pl.String)).write_ndjson() for table in table_names())
    files = [p for folder in ("data/lake", "reports", "notebooks") for p in (home / folder).rglob("*") if p.is_file() and p.suffix in (".json", ".jsonl", ".html", ".ipynb", ".yaml", ".log", ".txt", ".csv")]
    assert any(p.name == "identity_edits.jsonl" for p in files) and sum(p.suffix == ".html" for p in files) >= 3
    written = "\n".join([lake, *(p.read_text("utf-8", "ignore") for p in files), *(record.getMessage() for record in caplog.records)])
    assert store.sql("SELECT count(*) AS n FROM identities")["n"].item() > 1_000    # the keys did come in
    tokens = set(re.findall(r"[0-9A-Za-z]{7,}", written))
    assert sorted(known & tokens) == [] and KEYS.findall(written) == []

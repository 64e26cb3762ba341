"""A small company: a register of customers, orders, accounts, a hotline and a forum, written as exports of the kind the contracts of `auto` claim."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from voc_lib.collect.ingest import ingest

HEAD = "客户编号,手机号,App账号,论坛账号,大区,省份,城市,城市级别,产品,版本,购买月份,门店,年龄,年消费,月活跃天数,近一年进店,流失日期,复购日期,截至,VIN,月均里程\n"
VINS = {name: f"LXLBA7E53PK10{number:04d}" for number, name in enumerate(("ann", "bob", "cat", "dan", "eve"), 1)}
PHONES = {"ann": "16000000001", "bob": "16000000002", "cat": "16000000003", "dan": "16000000003", "eve": "16000000005"}    # cat and dan share one
DEALER = "16000006688"


def crm(folder: Path, quarter: str = "2026Q4", day: str = "2026-10-01", people=("ann", "bob", "cat", "dan"), left: dict | None = None, vins: dict | None = None, bought: dict | None = None) -> None:
    path = folder / "crm" / f"customers-{quarter}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"XL{name},{PHONES[name]},,{'7001' if name == 'ann' else ''},华东,江苏,南京,2,星澜A7,标准版,{(bought or {}).get(name, '2024-05')},南京店,34,1200,5,2,{(left or {}).get(name, '')},,{day},{(vins or {}).get(name, VINS[name])},900"
             for name in people]
    path.write_text("\ufeff" + HEAD + "\n".join(lines) + "\n", "utf-8")


def calls(folder: Path, name: str, rows: list[tuple]) -> None:
    """(id, day, phone, vin, words) a call."""
    path = folder / "hotline" / f"calls_{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    told = [{"call_id": call, "start_time": f"{day}T10:00:00+08:00", "phone": phone, "vin": vin, "customer_name": "", "product": "星澜A7", "dealer": "南京店", "city": "南京", "region": "华东",
             "category": "投诉", "summary": words, "wait_seconds": 30, "transfers": 1, "csat": None} for call, day, phone, vin, words in rows]
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in told), "utf-8")


def posts(folder: Path, name: str, rows: list[tuple]) -> None:
    """(id, day, account, words) a post on the forum."""
    path = folder / "car_forum" / f"posts_{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    told = [{"pid": post, "tid": post, "reply_to": None, "post_time": f"{day} 10:00:00", "title": None, "content": words, "uid": uid, "nick": f"昵称{uid}", "badge": "", "car": "", "city": "", "deleted": False}
            for post, day, uid, words in rows]
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in told), "utf-8")


def accounts(folder: Path, month: str, rows: list[tuple]) -> None:
    """(day, platform, account, phone, vin) an entry."""
    path = folder / "bindings" / f"bindings-{month}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\ufeff登记日期,平台,账号,手机号,VIN,途径\n" + "".join(f"{','.join(row)},私信登记\n" for row in rows), "utf-8")


def orders(folder: Path, month: str, rows: list[tuple]) -> None:
    """(customer, day, kind, order, phone) an event."""
    path = folder / "touchpoints" / f"touchpoints_{month}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pl.DataFrame([(f"XL{who}", day, kind, order, phone, "南京店", 100.0, None) for who, day, kind, order, phone in rows], orient="row",
                         schema={"customer_id": pl.String, "day": pl.String, "kind": pl.String, "order_no": pl.String, "phone": pl.String, "dealer": pl.String, "value": pl.Float64, "note": pl.String})
    table.with_columns(pl.col("day").str.to_date()).write_parquet(path)


@pytest.fixture
def company(home, tmp_path):
    """A folder of exports: four customers, of whom two share a phone; calls, posts and an account registered with a phone."""
    folder = tmp_path / "导出"
    crm(folder)
    orders(folder, "2026-10", [("ann", "2024-05-20", "购车", None, None), ("bob", "2026-10-05", "进店", "RO1", DEALER)])
    accounts(folder, "2026-10", [("2026-10-10", "汽车论坛", "9001", "160-0000-0002", "")])
    calls(folder, "2026-10", [("C1", "2026-10-08", "+86 16000000001", VINS["ann"], "异响"), ("C2", "2026-10-09", "16000000002", None, "漏油"), ("C3", "2026-10-10", "16000000003", None, "卡顿"),
                              ("C4", "2026-10-11", "16000000003", VINS["cat"], "还是卡顿"), ("C5", "2026-10-12", "16009999999", None, "不认识的电话"), ("C6", "2026-10-13", None, None, "没有键")])
    posts(folder, "2026-10", [("P1", "2026-10-07", "7001", "冷车异响"), ("P2", "2026-10-11", "9001", "漏油没人管"), ("P3", "2026-10-12", "5555", "路过")])
    return folder


def people(store) -> dict[str, tuple]:
    """source_id -> (customer, person, reason), customers by the name they have in the register."""
    from voc_lib.collect.identity.report import links_now
    from voc_lib.collect.keys import keyed_hash, normalise

    names = ("ann", "bob", "cat", "dan", "eve")
    ids = dict(zip(keyed_hash("member", pl.Series([normalise("member", f"XL{name}") for name in names])), names, strict=True))
    rows = store.sql("SELECT feedback_id, source_id FROM feedback_rows").join(links_now(store), on="feedback_id", how="left")
    return {row["source_id"]: (ids.get(row["customer_id"]), ids.get(row["person_id"], row["person_id"]), row["reason"]) for row in rows.iter_rows(named=True)}


@pytest.fixture
def linked(company):
    """The store `s` with the company's exports."""
    from voc_lib.store import open_store

    ingest("s", company, "auto")
    return open_store("s")

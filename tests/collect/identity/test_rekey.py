"""A new secret: no old hash is left anywhere, nothing else changes, and what comes later still finds its people."""

from __future__ import annotations

import polars as pl
import pytest

from tests.collect.identity.conftest import calls, people
from voc_lib import schema
from voc_lib.collect.identity.rekey import RekeyError, rekey
from voc_lib.collect.ingest import ingest
from voc_lib.collect.keys import keyed_hash
from voc_lib.settings import settings
from voc_lib.store import StoreError, open_store
from voc_lib.store_write import REKEYING, write_store


def hashes(store) -> set[str]:
    found = set()
    for table, columns in {"identity_keys": ["key_hash"], "identities": ["key_hash", "customer_id", "claim_id"], "customers": ["customer_id"], "touchpoints": ["customer_id", "order_key"],
                           "links": ["person_id", "customer_id"], "feedback": ["author_key"]}.items():
        rows = store.read(table, columns=columns).collect()
        found |= {value.lstrip("p") for name in columns for value in rows[name].drop_nulls()}
    return found


def test_old_hashes_are_gone_and_people_stay_together(linked, company):
    old, before, rows = hashes(linked), people(linked), {name: linked.sql(f"SELECT count(*) AS n FROM {'feedback_rows' if name == 'feedback' else name}")["n"].item() for name in schema.table_names()}
    with pytest.raises(RekeyError, match="--yes"):
        rekey()
    done = rekey(sure=True)
    assert done.generation == 2 and done.stores == ("s",) and (settings().secret.with_name("secret.2").stat().st_mode & 0o777) == 0o600
    fresh = open_store("s")
    assert not old & hashes(fresh) and len(hashes(fresh)) == len(old)
    written = b"".join(path.read_bytes() for path in settings().lake.rglob("*") if path.is_file())
    assert not [value for value in old if value.encode() in written]
    assert {name: fresh.sql(f"SELECT count(*) AS n FROM {'feedback_rows' if name == 'feedback' else name}")["n"].item() for name in schema.table_names()} == rows
    after = people(fresh)
    assert {name: (who[0], who[2]) for name, who in after.items()} == {name: (who[0], who[2]) for name, who in before.items()}


def test_what_is_read_later_finds_its_people_and_nothing_comes_twice(linked, company):
    touchpoints, claims = (linked.sql(f"SELECT count(*) AS n FROM {name}")["n"].item() for name in ("touchpoints", "identities"))
    rekey(sure=True)
    calls(company, "2026-11", [("N1", "2026-11-02", "16000000001", None, "又响"), ("N2", "2026-11-02", "16009999999", None, "还是那个电话")])
    for contract in settings().domains.glob("auto/*/*.yaml"):    # a changed contract reads every export again
        contract.write_text(contract.read_text("utf-8") + "# 改过\n" if contract.parent.name == "channels" else contract.read_text("utf-8").replace("freshness_days: 31", "freshness_days: 32"), "utf-8")
    ingest("s", company)
    found = people(open_store("s"))
    assert found["N1"][0] == "ann" and found["N2"][1] == found["C5"][1]
    assert [open_store("s").sql(f"SELECT count(*) AS n FROM {name}")["n"].item() for name in ("touchpoints", "identities")] == [touchpoints, claims]


def test_a_second_change_passes_through_all_three(linked):
    rekey(sure=True)
    once = keyed_hash("phone", pl.Series(["16000000001"])).item()
    rekey(sure=True)
    twice = keyed_hash("phone", pl.Series(["16000000001"])).item()
    assert once != twice and twice in hashes(open_store("s"))


def test_stopped_halfway_it_is_finished_by_running_it_again(linked, monkeypatch):
    import voc_lib.collect.identity.rekey as room

    before = people(linked)
    with monkeypatch.context() as patch:
        patch.setattr(room, "_put_in_place", lambda *_: (_ for _ in ()).throw(OSError("power")))
        with pytest.raises(OSError, match="power"):
            rekey(sure=True)
    assert (settings().lake / REKEYING).exists()
    with pytest.raises(StoreError, match="voc identity rekey"):
        with write_store("s", "anything"):
            pass
    rekey(sure=True)
    assert not (settings().lake / REKEYING).exists() and {name: who[0] for name, who in people(open_store("s")).items()} == {name: who[0] for name, who in before.items()}

"""A real PostgreSQL: fifty thousand rows, a second pull, a connection killed on the way, and no password anywhere."""

from __future__ import annotations

import importlib
import json
import logging
import os
import re
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from voc_lib.collect import sql_source
from voc_lib.collect.pull import pull
from voc_lib.store import open_store

room = importlib.import_module("voc_lib.collect.pull")
OWNER = "voc_owner"
PASSWORD = "p@ss:w/ö#%&'\" 密"  # everything that a URL, a quote or a log could stumble over
ROWS = 50_000
# One row a second from midnight of June 1st in Shanghai on, which is the mark's own unit.
MADE = """
CREATE SEQUENCE numbers;
CREATE TABLE claims (id bigint PRIMARY KEY, words text, day date, state text, phone text, updated timestamptz);
INSERT INTO claims SELECT i, '第 ' || i || ' 张：方向盘抖', date '2026-06-01', '受理', NULL, timestamptz '2026-06-01 00:00+08' + i * interval '1 second'
FROM generate_series(1, {rows}) AS i;
"""


def programs() -> Path | None:
    """The folder of PostgreSQL's programs; None where it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [Path(p) for p in [shutil.which("initdb")] if p]
    return found[-1].parent if found else None


@pytest.fixture(scope="session")
def postgres():
    """Host and port of a PostgreSQL that asks for a password; started for the session, as a user who is not root."""
    bin_folder = programs()
    if bin_folder is None:
        (pytest.fail if os.environ.get("VOC_REQUIRE_ALL") == "1" else pytest.skip)("PostgreSQL is missing")
    folder = Path(tempfile.mkdtemp(prefix="voc-postgres-"))
    other = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
    (folder / "password").write_text(PASSWORD, "utf-8")
    if other:
        shutil.chown(folder, "postgres", "postgres")
        shutil.chown(folder / "password", "postgres", "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def run(program, *words):
        subprocess.run([bin_folder / program, *words], check=True, cwd=folder, stdout=subprocess.DEVNULL, timeout=120, **other)

    try:
        run("initdb", "-D", "data", "-U", OWNER, "-A", "scram-sha-256", "--pwfile", "password", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c timezone=Asia/Shanghai"
        run("pg_ctl", "-D", "data", "-w", "-l", "log", "-o", options, "start")
        yield "127.0.0.1", port
        run("pg_ctl", "-D", "data", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Server:
    def __init__(self, host, port, database):
        self.url = f"postgresql://{OWNER}:{quote(PASSWORD, safe='')}@{host}:{port}/{database}"
        self.connection = psycopg.connect(host=host, port=port, user=OWNER, password=PASSWORD, dbname=database, autocommit=True)

    def run(self, query, *values):
        done = self.connection.execute(query, values or None)
        return done.fetchall() if done.description else None


@pytest.fixture
def server(postgres, request):
    """A database of its own for the test."""
    host, port = postgres
    owner = Server(host, port, "postgres")
    owner.run("DROP DATABASE IF EXISTS claims WITH (FORCE)")
    owner.run("CREATE DATABASE claims")
    made = Server(host, port, "claims")
    yield made
    made.connection.close()
    owner.connection.close()


def facts(count):
    assert not count.failed, count.failed
    return count.rows_read, count.feedback_stored, count.rows_repeated, count.rows_quarantined


def everything(home, caplog, *told):
    """All that was written or said, as one text."""
    files = (path.read_bytes().decode("utf-8", "ignore") for path in sorted((home / "data" / "lake").rglob("*")) if path.is_file())
    store = open_store("s")
    tables = (store.read(name).collect().write_json() for name in ("feedback", "status_history", "sightings", "quarantine", "exports", "identity_keys"))
    return "\n".join([*files, *tables, *(str(count.as_dict()) for count in told), *(r.getMessage() + str(r.exc_info) for r in caplog.records)])


def test_fifty_thousand_rows_then_only_what_is_new(server, warranty):
    server.run(MADE.format(rows=ROWS))
    warranty(server.url)
    assert facts(*pull("s", "test")) == (ROWS, ROWS, 0, 0)
    first = open_store("s")
    assert facts(*pull("s")) == (601, 0, 601, 0)  # the ten minutes up to the mark, and the mark itself
    assert open_store("s").snapshot == first.snapshot and open_store("s").versions == first.versions
    late = "timestamptz '2026-06-01 00:00+08' + {0} * interval '1 second'"
    server.run(f"INSERT INTO claims VALUES (60001, '晚到', '2026-06-01', '受理', NULL, {late.format(ROWS - 300)})")
    server.run("INSERT INTO claims SELECT 70000 + i, '新的', '2026-06-02', '受理', '13800138000', timestamptz '2026-06-02 12:00+08' FROM generate_series(1, 3) AS i")
    server.run("UPDATE claims SET state = '结案', updated = timestamptz '2026-06-02 12:00+08' WHERE id IN (1, 2)")
    assert facts(*pull("s")) == (607, 4, 603, 0)
    store = open_store("s")
    assert store.sql("SELECT status, count(*) AS n FROM feedback GROUP BY 1 ORDER BY 2").rows() == [("结案", 2), ("受理", ROWS + 2)]
    assert store.sql("SELECT cursor FROM exports ORDER BY ingested_at")["cursor"].to_list() == [
        "datetime:2026-06-01T13:53:20+08:00", "datetime:2026-06-02T12:00:00+08:00"]
    assert store.sql("SELECT count(*) AS n FROM identity_keys")["n"].item() == 3
    assert facts(*pull("s")) == (5, 0, 5, 0) and open_store("s").snapshot == store.snapshot


@pytest.mark.parametrize("cursor", [True, False], ids=["cursor", "full"])
def test_a_connection_killed_on_the_way_loses_nothing(server, warranty, home, monkeypatch, caplog, cursor):
    monkeypatch.setattr(sql_source, "FETCH", 5_000)
    monkeypatch.setattr(room, "FLUSH_ROWS", 8_000)
    server.run(MADE.format(rows=ROWS))
    warranty(server.url, *([] if cursor else [("  cursor: updated\n", "")]))
    calls, asked = [], []

    def killing(*words):
        calls.append(1)
        if len(calls) == 4:
            asked.extend(server.run("SELECT query FROM pg_stat_activity WHERE application_name = 'voc'"))
            server.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'voc'")
        return apply(*words)

    apply = room.apply_contract
    with monkeypatch.context() as patch, caplog.at_level(logging.DEBUG):
        patch.setattr(room, "apply_contract", killing)
        (count,) = pull("s", "test")
    assert asked[0][0].startswith("FETCH FORWARD 5000")  # a cursor on the server: neither side holds it all
    (why,) = count.failed.values()
    assert "读完 20,000 行后连接中断（驱动 postgresql，主机 127.0.0.1）" in why and "再运行一次会从" in why
    kept = open_store("s").read("feedback").collect().height
    assert kept == count.feedback_stored == (20_000 if cursor else 0)
    assert ("20,000 行已存好" if cursor else "没有存入") in why
    (again,) = pull("s")
    assert facts(again)[1] == ROWS - kept and again.rows_read == ROWS - kept + (601 if cursor else 0)
    ids = open_store("s").sql("SELECT count(*) AS n, count(DISTINCT source_id) AS ids FROM feedback").row(0)
    assert ids == (ROWS, ROWS)
    said = everything(home, caplog, count, again)
    assert PASSWORD not in said and quote(PASSWORD, safe="") not in said and OWNER not in said


@pytest.mark.parametrize(("change", "said"), [
    ((quote(PASSWORD, safe=""), "wr%40ng-" + quote(PASSWORD, safe="")), "连不上数据库（驱动 postgresql，主机 127.0.0.1）：.*password authentication failed.*〔已隐去〕"),
    ((OWNER, "nobody_here"), "连不上数据库.*〔已隐去〕"),
    (("/claims", "/clams"), '连不上数据库.*database "clams" does not exist'),
    (("postgresql:", "postgresql+psycopg2:"), "没有装数据库驱动「psycopg2」"),
    (("FROM claims", "FROM claim"), '第 8 行：数据库不接受这个查询（驱动 postgresql，主机 127.0.0.1）：relation "claim" does not exist'),
    (("SELECT id, words", "SELECT id, id, words"), "第 8 行.*「id」出现了不止一次"),
    (("SELECT id, words", "SELECT id, 1 / 0 AS x, words"), "division by zero"),
    (("FROM claims", f"FROM claims WHERE words = '{OWNER}' AND no_such > 1"), "第 8 行"),
    (("SELECT id, words, day, state, phone, updated FROM claims", "WITH x AS (DELETE FROM claims RETURNING *) SELECT * FROM x"), "第 8 行"),
    (("SELECT id, words", "SELECT nextval('numbers') AS x, id, words"), "read-only transaction"),
])
def test_what_cannot_be_pulled_names_no_user_and_no_password(server, warranty, home, caplog, change, said):
    server.run(MADE.format(rows=3))
    changed = server.url.replace(*change)
    warranty(changed, *([change] if changed == server.url else []))
    with caplog.at_level(logging.DEBUG):
        (count,) = pull("s", "test")
    (why,) = count.failed.values()
    assert re.search(said, why), why
    told = everything(home, caplog, count)
    assert not [secret for secret in (PASSWORD, quote(PASSWORD, safe=""), OWNER, "nobody_here", "wr@ng", "wr%40ng") if secret in told]
    assert server.run("SELECT count(*) FROM claims") == [(3,)] and open_store("s").snapshot == "000000"


PLANTED = ("16712345678", "１６７１２３４５６７９", "0571-87654321", "339999199001011235", "LXLAA1A11NA000013", "浙A·D12345", "6222021234567890128", "zhang_wei99@example.com")
FIELDS = ("id", "words", "title", "answer", "car", "place", "shop", "state", "nick", "thread", "phone", "unused")


def test_personal_data_in_any_column_stays_outside(server, warranty, home, caplog):
    columns = ", ".join(f"{name} text" for name in FIELDS)
    server.run(f"CREATE TABLE claims ({columns}, extra jsonb, day text, updated bigint)")
    number = 0
    for planted in PLANTED:
        for name in (*FIELDS, "extra", "day"):
            number += 1
            row = {n: f"{n}{number}" for n in FIELDS} | {"extra": json.dumps({"备注": "无"}), "day": "2026-06-01", "updated": number}
            row[name] = json.dumps({"电话": planted}, ensure_ascii=False) if name == "extra" else planted
            server.run(f"INSERT INTO claims VALUES ({', '.join(['%s'] * len(row))})", *row.values())
    warranty(
        server.url, ("SELECT id, words, day, state, phone, updated", "SELECT *"),
        ("identity:", '  title: "title"\n  reply: "answer"\n  followup: "extra"\n  product: "car"\n  region: "place"\n  dealer: "shop"\n'
                      '  author: "nick"\n  thread_id: "thread"\nidentity:'))
    with caplog.at_level(logging.DEBUG):
        (count,) = pull("s", "test")
    assert facts(count) == (len(PLANTED) * 14, len(PLANTED) * 13, 0, len(PLANTED))
    told = "".join(everything(home, caplog, count).split())
    assert [planted for planted in PLANTED if planted in told] == []
    assert "〔手机号〕" in told and "〔邮箱〕" in told and "〔车架号〕" in told
    assert open_store("s").read("identity_keys").collect().height  # the phone's hash is kept

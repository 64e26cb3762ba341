"""Domains of one channel: a database, and files that a test writes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

CONTRACT = """\
channel: warranty
title: 索赔单
owner: 质量部
base: vehicles
solicited: false
cannot_tell: 只有进站的车
read:
  sql: SELECT id, words, day, state, phone, updated FROM claims
  connection: "env:WARRANTY_URL"
  cursor: updated
columns:
  source_id: "id"
  verbatim: "words"
  occurred_at: {from: day, formats: ["%Y-%m-%d"]}
  status: "state"
identity: {phone: phone}
"""


@pytest.fixture
def warranty(home, monkeypatch):
    """Writes the contract, with pairs of old and new words replaced, and names the database; returns its path."""
    folder = home / "data" / "domains" / "test" / "channels"
    folder.mkdir(parents=True)

    def write(url, *pairs):
        text = CONTRACT
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        (folder / "warranty.yaml").write_text(text, "utf-8")
        monkeypatch.setenv("WARRANTY_URL", url) if url else monkeypatch.delenv("WARRANTY_URL", raising=False)
        return folder / "warranty.yaml"

    return write


SITE = """\
channel: site
title: 网站
owner: 质量部
base: vehicles
solicited: false
cannot_tell: 只有投诉者
read: {glob: "site/*", export_date: '(\\d{4}-\\d{2}-\\d{2})'}
columns:
  source_id: "id"
  verbatim: "text"
  occurred_at: {from: day, formats: ["%Y-%m-%d"]}
  status: "state"
  thread_id: "thread"
  parent_id: "answers"
  author: "nick"
  deleted: "gone"
identity: {phone: mobile}
optional: [state, thread, answers, nick, gone, mobile]
"""


@pytest.fixture
def site(home, tmp_path):
    """A domain with one channel, and a function that writes an export of it."""
    folder = home / "data" / "domains" / "test" / "channels"
    folder.mkdir(parents=True)
    (folder / "site.yaml").write_text(SITE, "utf-8")
    exports = tmp_path / "导出 数据"
    (exports / "site").mkdir(parents=True)

    def write(name, *rows, header="id,text,day,state"):
        (exports / "site" / name).write_text("\n".join([header, *rows]) + "\n", "utf-8")
        return exports

    return write


@pytest.fixture(scope="session")
def unseen():
    """The writers of three exports in layouts that no contract knows."""
    spec = importlib.util.spec_from_file_location("unseen_exports", Path(__file__).with_name("unseen.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

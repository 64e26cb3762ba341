"""A domain whose only source is a database."""

from __future__ import annotations

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

"""Identity keys: one person, one key, in every channel; a secret only its owner can read."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest

from voc_lib.collect.keys import SecretError, keyed_hash, normalise, secret
from voc_lib.settings import settings


def test_the_secret_is_made_once_with_0600(home):
    first = secret()
    assert stat.S_IMODE(settings().secret.stat().st_mode) == 0o600
    assert secret() == first and len(first) == 32
    settings().secret.write_bytes(b"short")
    with pytest.raises(SecretError, match="5 字节"):
        secret()


def test_the_same_phone_is_one_key_however_it_is_written(home):
    written = ["13800138000", "+86 138-0013-8000", "１３８００１３８０００", "138 0013 8000"]
    plain = pl.Series([normalise("phone", value) for value in written])
    hashed = keyed_hash("phone", plain)
    assert hashed.n_unique() == 1 and hashed[0] not in written
    assert keyed_hash("vin", plain)[0] != hashed[0]  # the kind is part of the key
    assert keyed_hash("phone", pl.Series([None, "1"], dtype=pl.String)).to_list()[0] is None


@pytest.mark.parametrize(("kind", "value", "expected"), [
    ("phone", "12345", None), ("phone", "86 13800138000", "13800138000"), ("vin", "LSVAA49J1", None),
    ("account", " Ｕser_1 ", "user_1"), ("account", "  ", None), ("phone", None, None),
])
def test_normal_forms(kind, value, expected):
    assert normalise(kind, value) == expected


def test_another_secret_gives_other_keys(home):
    one = keyed_hash("phone", pl.Series(["13800138000"]))[0]
    settings().secret.unlink()
    assert keyed_hash("phone", pl.Series(["13800138000"]))[0] != one


def test_threads_that_meet_at_the_first_use_agree_on_one_secret(home):
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: secret(), range(32)))) == 1
    assert [path.name for path in settings().secret.parent.iterdir()] == ["secret"]

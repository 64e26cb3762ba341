"""Identity keys: normalised, HMAC-hashed with a local secret, then dropped. The key itself is never stored."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import tempfile
import unicodedata
from pathlib import Path

import polars as pl

from voc_lib.messages import Told, system_words
from voc_lib.settings import settings

SECRET_BYTES = 32
MIN_PHONE_DIGITS = 7


class SecretError(Told):
    """The secret file is there but cannot be trusted."""


def secret() -> bytes:
    """The first local secret, created at first use and readable by its owner only (0600)."""
    path = settings().secret
    try:
        return _read(path) if path.exists() else _created(path)
    except OSError as error:
        raise _unusable(path, error) from None


def secrets_in_force() -> tuple[bytes, ...]:
    """All secrets, the first one first: `voc identity rekey` adds one (`secret.2`, `secret.3`, ...), and a key passes through all of them in turn.

    So stored hashes can be made new without the keys themselves, which nobody has any more, and what was hashed without the last secret fits nowhere.
    """
    found, path = [secret()], settings().secret
    while (following := generation_path(len(found) + 1)).exists():
        try:
            found.append(_read(following))
        except OSError as error:
            raise _unusable(path, error) from None
    return tuple(found)


def generation_path(number: int) -> Path:
    """The file of the n-th secret."""
    path = settings().secret
    return path if number == 1 else path.with_name(f"{path.name}.{number}")


def _unusable(path: Path, error: OSError) -> SecretError:
    what, remedy = system_words(error)
    return SecretError(f"密钥文件 {path} 读不了或建不了：{what}。没有它就不能给身份键加密，所以没有导入任何文件。{remedy}后重新运行即可。")


def _created(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # made with 0600
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(SECRET_BYTES))
    try:
        os.link(beside, path)  # fails where another process or thread was first: its secret counts
    except FileExistsError:
        pass
    finally:
        os.unlink(beside)
    return _read(path)


def _read(path: Path) -> bytes:
    content = path.read_bytes()
    if len(content) < SECRET_BYTES:
        raise SecretError(f"密钥文件 {path} 只有 {len(content)} 字节，可能已损坏。请从备份恢复；删除它会使已有的身份键全部失配。")
    return content


def keyed_hash(kind: str, values: pl.Series) -> pl.Series:
    """HMAC-SHA256 (first 128 bits, hex) of every value under its kind; null stays null.

    The same phone gives the same key in every channel, and nobody without the secret can try numbers against it.
    """
    first, *later = secrets_in_force()
    unique = values.unique().drop_nulls()
    if unique.is_empty():
        return pl.Series(values.name, [None] * len(values), dtype=pl.String)
    hashed = [hmac.digest(first, f"{len(kind)}:{kind}{value}".encode("utf-8", "replace"), hashlib.sha256).hex()[:32] for value in unique]
    for key in later:
        hashed = [passed_on(key, value) for value in hashed]
    return values.replace_strict(unique, pl.Series(hashed, dtype=pl.String), default=None, return_dtype=pl.String)


def passed_on(key: bytes, hashed: str) -> str:
    """A stored hash under one more secret."""
    return hmac.digest(key, hashed.encode(), hashlib.sha256).hex()[:32]


def normalise(kind: str, value: str | None) -> str | None:
    """A key in its one form: digits of a phone without +86, capitals of a VIN; null where nothing usable is left.

    >>> normalise("phone", "+86 138-0013 8000")
    '13800138000'
    >>> normalise("vin", "lsvaa49j 132 012345")
    'LSVAA49J132012345'
    """
    if value is None:
        return None
    if kind.startswith("author:"):    # as the channel's contract gives its author
        return value.strip() or None
    plain = unicodedata.normalize("NFKC", value).strip()
    if kind == "phone":
        digits = re.sub(r"\D", "", plain)
        digits = re.sub(r"^(0086|86)(?=1\d{10}$)", "", digits)
        return digits if len(digits) >= MIN_PHONE_DIGITS else None
    if kind == "vin":
        vin = re.sub(r"[^0-9A-Za-z]", "", plain).upper()
        return vin if len(vin) == 17 else None
    return plain.casefold() or None

"""People who speak in public but are no customers: prospects, owners of other brands, staff, the media. Who one is follows from the account."""

from __future__ import annotations

import zlib

ROLES = (("prospect", 48), ("other_brand", 32), ("owner", 10), ("media", 6), ("staff", 4))  # owner: bought from a private person, in no CRM
_BY_HUNDRED = tuple(role for role, share in ROLES for _ in range(share))


def role_of(author: int) -> str:
    """The role of an account outside the frame; always the same for the same account."""
    return _BY_HUNDRED[zlib.crc32(b"role%d" % author) % 100]


def place_of(author: int, places: int) -> int:
    """A place (city, product) of an account outside; always the same."""
    return zlib.crc32(b"place%d" % author) % places

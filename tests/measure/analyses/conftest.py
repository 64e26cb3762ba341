"""Voices of people drawn as lines, and levels of a made domain."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from voc_lib.measure.levels import Levels

SCHEMA = {"feedback_id": pl.String, "person_id": pl.String, "local_date": pl.Date, "channel": pl.String, "codes": pl.List(pl.String)}


@pytest.fixture(scope="session")
def levels():
    """Said in public < told the company < repaired; a survey has no level; 售后 says how it was handled."""
    return Levels(("公开说", "找公司", "修"), {"forum": 0, "hotline": 1, "workshop": 2}, ("进店",), 7, ("售后",))


@pytest.fixture(scope="session")
def said():
    """A feedback frame from lines `person day channel code,code`: day counts from 1 January 2026; `-` is nobody, no day, no code."""
    def drawn(*lines: str) -> pl.DataFrame:
        rows = []
        for at, line in enumerate(lines):
            person, day, channel, codes = line.split()
            rows.append({"feedback_id": f"f{at}", "person_id": None if person == "-" else person, "local_date": None if day == "-" else date(2026, 1, 1) + timedelta(days=int(day)),
                         "channel": channel, "codes": [] if codes == "-" else codes.split(",")})
        return pl.DataFrame(rows, schema=SCHEMA)

    return drawn


@pytest.fixture(scope="session")
def story():
    """One person's matter over three channels, somebody else's voice, and another matter of the first."""
    return ("a 0 forum 充电-速度-慢,充电-充电-评价", "a 7 hotline 充电-速度-慢", "a 9 hotline 充电-速度-慢", "a 20 workshop 充电-家桩-坏", "b 3 forum 充电-速度-慢", "a 5 forum 空调-出风-异味")

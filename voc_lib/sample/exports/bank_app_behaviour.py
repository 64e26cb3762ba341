"""What customers do in the mobile bank: Parquet by month, no words. It belongs to the touchpoints; no contract claims it as feedback."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from voc_lib.sample.exports import Stage

PAGES = ("转账", "信用卡", "理财", "贷款", "生活缴费")


def write_month(month: date, stage: Stage, ids: pl.Series, out: Path) -> None:
    """One row a customer who opened the app in the month: days, pages, failed logins, whether help was sought."""
    frame = stage.frame
    on = np.flatnonzero(frame.in_use(month) & (frame["app_days"] > 0))
    stream = stage.world.stream("app_behaviour", month)
    pages = {page: stream.poisson(frame["app_days"][on] * 0.4) for page in PAGES}
    path = out / "app_behaviour"
    path.mkdir(parents=True, exist_ok=True)
    pl.DataFrame({
        "customer_id": ids[on.tolist()], "month": [month] * len(on), "active_days": frame["app_days"][on].astype(np.int32), **pages,
        "failed_logins": stream.poisson(0.2, len(on)), "help_opened": stream.random(len(on)) < 0.05 + 0.05 * (frame["satisfaction"][on] < -0.8),
    }).write_parquet(path / f"behaviour_{month:%Y-%m}.parquet", compression="zstd", statistics=False)

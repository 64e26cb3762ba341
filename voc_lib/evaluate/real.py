"""`voc evaluate --real`: codes and opinions held against public feedback that nobody here wrote, as one table.

A folder laid out like the shared public data; a part that is missing is a row that says so. Without `fit_on` five folds by
text; with it models are fitted on that folder and tested on this one. Thresholds are chosen inside the fitting part only.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import polars as pl

from voc_lib.evaluate.found import EvaluateError
from voc_lib.evaluate.real_bank import bank_measures
from voc_lib.evaluate.real_codes import code_measures
from voc_lib.evaluate.real_mentions import mention_measures
from voc_lib.evaluate.real_parts import MEASURES, Encoder
from voc_lib.evaluate.real_stars import star_measures
from voc_lib.evaluate.real_subjects import subject_measures
from voc_lib.evaluate.real_topics import topic_measures

GROUPS = (("车主评论的主题和观点", subject_measures), ("库里每个提及的观点", mention_measures), ("应用商店的星级", star_measures), ("编码", code_measures), ("银行论坛", bank_measures),
          ("主题", topic_measures))


def evaluate_real(folder: Path | str, fit_on: Path | str | None = None, tell: Callable[[str], None] = lambda said: None) -> pl.DataFrame:
    """The table: `measure, found, reach, stretch, note, seconds`; `found` is null where a part is missing, with the reason in `note`.

    `seconds` is the processor time of the group a measure belongs to. EvaluateError where a folder is not there.
    """
    folders = [Path(folder), Path(fit_on) if fit_on is not None else None]
    for given in folders:
        if given is not None and not given.is_dir():
            raise EvaluateError(f"没有文件夹 {given}。请写一个含 bdci2018_car、appstore、bdci2021_bank 等子文件夹的路径。")
    encoder, found = Encoder(), []
    for name, measures in GROUPS:
        tell(f"{name}……")
        found.append(_timed(measures, folders[0], folders[1], encoder))
    return pl.concat(found)


def _timed(measures, folder: Path, fit_on: Path | None, encoder: Encoder) -> pl.DataFrame:
    began = time.process_time()
    rows = measures(folder, fit_on, encoder)
    spent = round(time.process_time() - began, 1)
    return pl.DataFrame([row | {"seconds": spent} for row in rows], schema=MEASURES)

"""The numbers of the house, one file each; the file name is the name in `estimate(frame, "...")`."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

from voc_lib.contracts import Metric

FOLDER = Path(__file__).parent


def metric_names() -> list[str]:
    """Names of all metrics, sorted: the files of this folder.

    >>> "code_share" in metric_names()
    True
    """
    return sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))


def metric(name: str | Metric) -> Metric:
    """The definition behind a name (a Metric passes through). Raises ValueError in Chinese for an unknown one.

    >>> metric("people").unit
    'count'
    """
    if isinstance(name, Metric):
        return name
    names = metric_names()
    if name not in names:
        near = get_close_matches(str(name), names, n=1, cutoff=0.5)
        guess = f"是否想写「{near[0]}」？" if near else ""
        raise ValueError(
            f"没有名为「{name}」的指标。{guess}指标就是 voc_lib/measure/metrics 里的文件，现有：{'、'.join(names)}。"
        )
    return replace(import_module(f"{__name__}.{name}").METRIC, name=name)

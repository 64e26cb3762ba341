"""Opinion model `hub:NAME_OR_FOLDER`: any transformers text-classification model, from a folder or the local cache.

Its labels are read by name (negative, 负面, label_0, 1 star ...); a model whose labels nobody can read is refused in words.
Slower than `start` by a factor of hundreds: for a thorough look, rarely for the week.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

import numpy as np

from voc_lib.enrich.opinions import OpinionError
from voc_lib.settings import settings

FORM = "hub:模型名或文件夹"
BATCH, TOKENS = 32, 256
_READINGS = (
    (0, re.compile(r"^(neg|negative|负面|消极|差评|不满|[12] stars?|-1)")),
    (2, re.compile(r"^(pos|positive|正面|积极|好评|满意|[45] stars?|1$)")),
    (1, re.compile(r"^(neu|neutral|中性|中立|3 stars?|0$)")),
)


class Hub:
    """See `voc_lib.enrich.opinions.OpinionModel`."""

    def __init__(self, name: str) -> None:
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        folder = settings().home / name
        source = str(folder) if folder.is_dir() else name
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=folder.is_dir())
            self._model = AutoModelForSequenceClassification.from_pretrained(source, local_files_only=folder.is_dir()).eval()
        except (OSError, ValueError) as error:
            raise OpinionError(f"观点模型“hub:{name}”读不出来：{str(error).splitlines()[0]}。请写一个已下载的模型文件夹") from None
        self._columns = read_labels(self._model.config.id2label, name)
        content = (Path(source) / "config.json").read_bytes() if folder.is_dir() else name.encode()
        self.fingerprint = f"hub-{hashlib.sha256(name.encode() + content).hexdigest()[:12]}"

    def probabilities(self, texts: list[str]) -> np.ndarray:
        import torch

        found = np.zeros((len(texts), 3))
        for start in range(0, len(texts), BATCH):
            batch = self._tokenizer(texts[start : start + BATCH], padding=True, truncation=True, max_length=TOKENS, return_tensors="pt")
            with torch.no_grad():
                spread = self._model(**batch).logits.softmax(-1).numpy()
            for column, opinion in self._columns.items():
                found[start : start + len(spread), opinion] += spread[:, column]
        return found / found.sum(1, keepdims=True)


def load(rest: str, store: str | None = None) -> Hub:
    return _loaded(rest)


@cache
def _loaded(name: str) -> Hub:
    return Hub(name)


def read_labels(named: dict[int, str], model: str) -> dict[int, int]:
    """Column of the model -> 0 negative, 1 neutral, 2 positive. OpinionError where a label cannot be read.

    >>> read_labels({0: "Negative", 1: "Positive"}, "m")
    {0: 0, 1: 2}
    """
    labels = {int(column): str(label).strip().lower() for column, label in named.items()}
    if set(labels.values()) == {"label_0", "label_1"}:
        return {0: 0, 1: 2}
    if set(labels.values()) == {"label_0", "label_1", "label_2"}:
        return {0: 0, 1: 1, 2: 2}
    found = {column: next((opinion for opinion, reading in _READINGS if reading.match(label)), None) for column, label in labels.items()}
    if None in found.values() or not {0, 2} <= set(found.values()):
        raise OpinionError(f"观点模型“{model}”的类别读不懂：{'、'.join(map(str, named.values()))}。应含 negative 和 positive（或 负面、正面）")
    return found

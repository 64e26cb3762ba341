"""The feeling about a subject, by the pretrained reader (`aspects_e5`) that is given the subject in front of the text: 油耗：动力不错，油耗太高了.

Beside `aspects_tuned`, which reads a text once for all subjects, every layer knows here what is asked (Sun, Huang & Qiu 2019, doi:10.18653/v1/N19-1035). Dearer by as many times as a text has subjects.
"""

from __future__ import annotations

import copy

import numpy as np

from voc_lib.enrich import language
from voc_lib.enrich.aspects_e5 import E5Sense
from voc_lib.enrich.aspects_sense import HIDDEN, NOWHERE, alone, batches, dropped, fast, learn
from voc_lib.enrich.aspects_tuned import OPINIONS, SMOOTHING, weights_of

BETWEEN, BATCH = "：", 32
EPOCHS = 3  # with five it knows its labels by heart and is far too sure of others, with two it has not learnt enough


class Asked:
    """A fitted network: the feeling about a subject that a text is known to have."""

    def __init__(self, sense: E5Sense) -> None:
        import torch

        self._sense = sense
        self._layers = torch.nn.ModuleDict({"look": torch.nn.Linear(sense.width, 1), "join": torch.nn.Linear(4 * sense.width, HIDDEN), "feel": torch.nn.Linear(HIDDEN, OPINIONS)})

    def probabilities(self, texts: list[str], rows: np.ndarray, about: list[str]) -> np.ndarray:
        """float[mentions, 3]: the feeling about `about[i]` in `texts[rows[i]]`, weighed half-way between as often as they occurred and alike."""
        import torch

        tokens = self._sense.read(_asked(language.telling_texts(texts), rows, about))
        found = np.zeros((len(tokens), OPINIONS))
        with alone(self._sense.teaching.threads), torch.no_grad():
            for chosen in batches(tokens, None):
                found[chosen] = self._read(self._sense.batch(tokens, chosen), False).softmax(-1).numpy()
        return found

    def _read(self, batch, learning: bool):
        """Logits of feelings [n, 3]."""
        import torch
        from torch.nn import functional

        layers, part = self._layers, self._sense.teaching.dropout
        given, over = batch
        features = self._sense.features(given, learning).float()
        inside = (~over).unsqueeze(-1)
        with fast():
            looked = layers["look"](dropped(features, learning, part)).float().squeeze(-1).masked_fill(over, NOWHERE).softmax(-1)
            mean, strongest = (features * inside).sum(1) / inside.sum(1), features.masked_fill(~inside, NOWHERE).max(1).values
            joined = torch.cat([features[:, 0], mean, strongest, (looked.unsqueeze(1) @ features).squeeze(1)], -1)
            joined = torch.relu(layers["join"](functional.dropout(joined, part, learning)))
            return layers["feel"](functional.dropout(joined, part, learning)).float()


def fit_asked(texts: list[str], rows: np.ndarray, about: list[str], opinions: np.ndarray, start: E5Sense, epochs: int = EPOCHS) -> Asked:
    """Fit on mentions as `aspects_tuned.fit_tuned` does; `start` is left as it is. Deterministic on one machine."""
    import torch
    from torch.nn import functional

    wanted, weight = np.asarray(opinions), weights_of(opinions)
    with alone(start.teaching.threads):
        model = Asked(copy.deepcopy(start))
        sense, told = model._sense, _asked(language.telling_texts(texts), rows, about)
        tokens, known = sense.read(told), torch.from_numpy(wanted)

        def loss_of(chosen: np.ndarray):
            return functional.cross_entropy(model._read(sense.batch(tokens, chosen), True), known[chosen], weight=weight, label_smoothing=SMOOTHING)

        learn(loss_of, tokens, sense.groups([*model._layers.parameters()], sense.teaching.rates), epochs, BATCH)
    return model


def _asked(told: list[str], rows: np.ndarray, about: list[str]) -> list[str]:
    return [f"{subject}{BETWEEN}{told[row]}" for row, subject in zip(rows, about, strict=True)]

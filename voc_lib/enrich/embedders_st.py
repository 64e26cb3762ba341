"""Embedder `st:NAME_OR_FOLDER`: any sentence-transformers model, from a folder or from what was fetched before.

Nothing is asked of the network: a model that is not on this machine is an error that says how to bring it. Code that
comes with a model is not run. On CPUs with bfloat16 the model computes in it, which halves time and memory.
Rows are normalised float32 whatever the model computes in. Beside other texts a vector moves by 1e-6, in bfloat16 by up to 0.02.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib import metadata
from pathlib import Path

import numpy as np

from voc_lib.enrich.embedders import EmbedderError, cleaning_mark, encode_spoken
from voc_lib.settings import settings

FORM = "st:模型名或文件夹"
BATCH = 32
CPU_FLAGS = Path("/proc/cpuinfo")
BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16", "svebf16"}  # x86 and ARM, as Linux names them
TASK = "Instruct: Identify what a piece of customer feedback is about\nQuery: "
# What the makers of a family ask for, by a pattern of the model's name: (before feedback, before a question).
# Feedback is compared with feedback, for which e5 wants `query: ` on both sides.
FAMILIES = {
    r"e5-.*instruct": (TASK, TASK),
    r"(^|[-_/])e5[-_]": ("query: ", "query: "),
    r"bge-.*zh": ("", "为这个句子生成表示以用于检索相关文章："),
    r"bge-.*en": ("", "Represent this sentence for searching relevant passages: "),
    r"qwen3-embedding": ("", "Instruct: Given a question, retrieve customer feedback that answers it\nQuery:"),
}
# The model's own prompts, where its family is not known: the first that it has.
OWN_FEEDBACK = ("clustering", "Clustering", "document", "passage", "search_document")
OWN_QUESTION = ("query", "search_query", "Retrieval-query")
# Files that do not decide a vector: documentation, and the same weights for other engines.
IGNORED_FOLDERS = {"onnx", "openvino", "flax", "coreml", "imgs", "images", ".git", ".cache"}
HASHED = {".json", ".safetensors", ".bin", ".txt", ".model", ".pt", ".jinja"}


class SentenceTransformers:
    """See `voc_lib.enrich.embedders.Embedder`; `prompts` are what stands before feedback and before a question."""

    def __init__(self, name: str, folder: Path, dtype: str) -> None:
        import torch
        from sentence_transformers import SentenceTransformer

        try:
            self._model = SentenceTransformer(str(folder), local_files_only=True, trust_remote_code=False, model_kwargs={"dtype": getattr(torch, dtype)})
        except Exception as error:  # the library raises whatever its readers raise
            raise EmbedderError(f"模型文件夹「{folder}」打不开：{_why(folder, error)}。请确认它是完整的 sentence-transformers 模型"
                                "（有 modules.json、config.json、权重和词表），且不需要运行它自带的代码。") from error
        self.prompts = prompts(name, dict(self._model.prompts))
        self.dimensions = int(self._model.get_embedding_dimension())
        version = metadata.version("sentence-transformers")
        self.fingerprint = f"st-{version}-{_hash(folder, self.prompts[0])}-{dtype}-{cleaning_mark()}"

    def encode(self, texts: list[str]) -> np.ndarray:
        return self._encode(texts, self.prompts[0])

    def encode_queries(self, questions: list[str]) -> np.ndarray:
        return self._encode(questions, self.prompts[1])

    def _encode(self, texts: list[str], prompt: str) -> np.ndarray:
        # The bar is drawn by whoever knows how many texts there are in all.
        return encode_spoken(texts, self.dimensions, lambda spoken: self._model.encode(
            spoken, prompt=prompt, batch_size=BATCH, show_progress_bar=False, convert_to_numpy=True).astype(np.float32))


def load(rest: str, store: str | None = None) -> SentenceTransformers:
    """The model of that name or folder, loaded once. EmbedderError where it is not on this machine."""
    return _loaded(rest, find_folder(rest), fitting_dtype(), cleaning_mark())


@cache
def _loaded(name: str, folder: Path, dtype: str, cleaning: str) -> SentenceTransformers:
    return SentenceTransformers(name, folder, dtype)


def _why(folder: Path, error: Exception) -> str:
    missing = [name for name in ("modules.json", "config.json") if not (folder / name).is_file()]
    return f"里面没有 {'、'.join(missing)}" if missing else f"sentence-transformers 的原话是「{str(error).strip().splitlines()[0]}」"


def find_folder(name: str) -> Path:
    """A folder (relative to voc.toml, or absolute), or what an earlier download left on this machine."""
    folder = Path(settings().home, Path(name).expanduser())
    if folder.is_dir():
        return folder.resolve()
    from huggingface_hub import snapshot_download

    for candidate in [name] if "/" in name else [name, f"sentence-transformers/{name}"]:
        try:
            return Path(snapshot_download(candidate, local_files_only=True))
        except (OSError, ValueError):  # not there, or not a name that a hub could have
            continue
    raise EmbedderError(
        f"本机没有向量模型「{name}」：既不是文件夹，也没有下载过。客户的话不出本机，所以也不会自动联网下载。"
        f"请在能上网的机器上运行 hf download {name} --local-dir 模型文件夹，把文件夹拷到本机，再在 voc.toml 里写 embedder = \"st:模型文件夹\"。")


def prompts(name: str, own: dict[str, str]) -> tuple[str, str]:
    """What to put before feedback and before a question: the family's rule, else the model's own prompts, else nothing.

    >>> prompts("intfloat/multilingual-e5-small", {})
    ('query: ', 'query: ')
    >>> prompts("nobody/new-model", {"document": "doc: ", "query": "ask: "})
    ('doc: ', 'ask: ')
    """
    for pattern, both in FAMILIES.items():
        if re.search(pattern, name, re.IGNORECASE):
            return both
    feedback = next((own[key] for key in OWN_FEEDBACK if own.get(key)), "")
    return feedback, next((own[key] for key in OWN_QUESTION if own.get(key)), feedback)


def fitting_dtype(cpuinfo: Path = CPU_FLAGS) -> str:
    """`bfloat16` where the processor (or the graphics card) computes in it, else `float32`."""
    import torch

    if torch.cuda.is_available():
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    if not cpuinfo.exists():
        return "float32"
    flags = next((line.split(":")[1].split() for line in cpuinfo.read_text().splitlines() if line.startswith(("flags", "Features"))), [])
    return "bfloat16" if BFLOAT16_FLAGS & set(flags) else "float32"


def _hash(folder: Path, prompt: str) -> str:
    """Names and contents of the model's files, and the prompt before feedback: a moved folder stays the same model."""
    digest = hashlib.blake2b(repr(prompt).encode())
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and path.suffix in HASHED and not IGNORED_FOLDERS & set(inside.parts):
            digest.update(f"{inside.as_posix()}\0".encode())
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "blake2b").digest())
    return digest.hexdigest()[:12]

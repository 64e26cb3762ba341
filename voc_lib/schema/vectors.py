"""Table `vectors`: a cleaned text x embedder."""

import polars as pl

from voc_lib.schema import Column, count, text

GRAIN = "a cleaned text x embedder"
KEY = ("text_hash", "fingerprint")
COLUMNS = (
    text("text_hash", "sha256 of the cleaned text"),
    text("fingerprint", "embedder, its model and cleaning"),
    count("dimensions", "length of the vector"),
    Column("vector", pl.Binary(), "float16 numbers, little endian, L2-normalised before rounding"),
)

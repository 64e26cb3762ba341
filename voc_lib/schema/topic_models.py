"""Table `topic_models`: every fit of the topic engine, frozen, so that any snapshot can be read with the model it had."""

import polars as pl

from voc_lib.schema import Column, count, moment, number, text

GRAIN = "a version of the topic model"
KEY = ("version",)
COLUMNS = (
    text("version", "topics-<number>-<fingerprint of the state>"),
    count("number", "1 for the first; the greatest is in force"),
    text("previous", "version it goes on from; null for the first, and where the vectors changed"),
    moment("fitted_at", "UTC"),
    text("vectors", "fingerprint of the vectors it reads"),
    text("embedder", "the line of voc.toml that made them"),
    count("documents", "different texts it was fitted on"),
    count("topics", "topics alive in it"),
    count("seed", "of the starts of k-means"),
    text("until", "last week whose texts it was fitted on"),
    number("kept_share", "of the texts it was fitted on, how many have the topic they had in the version before; null for the first"),
    Column("state", pl.Binary(), "the frozen model, npz"),
)

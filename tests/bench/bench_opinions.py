"""Repeats and opinions on real comments: what is found of planted edits, how often mixed is said and right, texts a CPU second.

    python tests/bench/bench_opinions.py
"""

import random
import sys
import time
from pathlib import Path

import polars as pl

PROJECT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(PROJECT / "tests" / "enrich")]
DATA = PROJECT.parent / "shared" / "data" / "bdci2018_car" / "train.csv"


def repeats(texts: list[str]) -> None:
    from test_duplicates import edited, found

    lots = random.Random(3)
    sources = dict(enumerate(range(0, len(texts), 5), len(texts)))
    everything = [*texts, *(edited(texts[of], lots) for of in sources.values())]
    began = time.process_time()
    rows = found(everything)
    spent = time.process_time() - began
    said = {at: int(of[1:]) for at, of in enumerate(rows["duplicate_of"]) if of is not None}
    right = sum(said.get(at) == of or (of in said and said.get(at) == said[of]) for at, of in sources.items())
    wrong = sum(at not in sources for at in said)
    print(f"repeats   recall {right / len(sources):.3f}   precision {right / (right + wrong):.3f}   {len(everything) / spent:,.0f} texts a CPU second")


def opinions(comments: pl.DataFrame) -> None:
    from voc_lib.enrich.coding import code_keywords
    from voc_lib.enrich.domain import load_domain
    from voc_lib.enrich.opinions import MIXED, WHOLE, judge
    from voc_lib.enrich.opinions_start import start_model

    texts = comments.select(pl.int_range(pl.len()).cast(pl.String).alias("feedback_id"), text="content")
    mentions, model = code_keywords(texts, load_domain(PROJECT / "data" / "domains", "auto")), start_model()
    model.probabilities(["热身"])
    began = time.process_time()
    judged = judge(texts, mentions, model)
    spent = time.process_time() - began
    mixed = (judged.filter(pl.col("code") == WHOLE)["opinion"] == MIXED).fill_null(False)
    both = comments["both"]
    print(f"opinions  {texts.height / spent:,.0f} texts a CPU second   mixed said of {mixed.mean():.1%}, labelled both ways {both.mean():.1%}, "
          f"precision {(mixed & both).sum() / max(mixed.sum(), 1):.2f}, recall {(mixed & both).sum() / both.sum():.2f}")


if __name__ == "__main__":
    if not DATA.exists():
        print(f"repeats and opinions: no {DATA.name} beside the project, skipped")
        raise SystemExit
    rows = pl.read_csv(DATA, infer_schema=False)
    comments = rows.group_by("content", maintain_order=True).agg(both=pl.col("sentiment_value").is_in(["-1"]).any() & pl.col("sentiment_value").is_in(["1"]).any())
    repeats(comments.filter(pl.col("content").str.len_chars() >= 12)["content"].to_list())
    opinions(comments)

"""A planted split and merge: are they in the ledger of topics, and where do their texts lie?"""

from __future__ import annotations

import polars as pl

from voc_lib.engine import quote
from voc_lib.enrich.ledger import MACHINE
from voc_lib.enrich.topic_store import events_of
from voc_lib.store import Store

NO_MODEL = "还没有主题模型（voc topics fit）"
ONE_FIT = "只拟合过一次，看不出分合（先 voc topics fit --until {}，再 voc topics fit）"


def parted_row(planted: dict, store: Store, rows: pl.DataFrame) -> dict | None:
    """The columns of `evaluate` for a truth with a topic that splits and two that merge (`split`, `merge`); None for any other.

    Found is a split of the topic that holds most of the split texts told before, and a merge of all topics that hold the merged ones, or of parts that the
    machine took out of them; the weaker finding is the event that suspects it.
    """
    if "split" not in planted or "merge" not in planted:
        return None
    fits = store.sql("SELECT version FROM topic_models ORDER BY number")
    seen = NO_MODEL if fits.is_empty() else ONE_FIT.format(planted["split"]["week"]) if fits.height < 2 else _found(planted, store, rows, fits["version"][0], fits["version"][-1])
    leaves = {*planted["split"]["leaves"], *planted["merge"]["leaves"]}
    listed = _listed(planted, leaves)
    return {
        "truth": f"{planted['truth']}_ledger", "title": "话题的分裂与合并：台账里有没有", "begins": planted["split"]["week"], "planted": listed.height,
        "customers": listed["customer_id"].n_unique() - listed["customer_id"].has_nulls(), "sizes": "",
        "in_store": rows.join(listed, on=["channel", "source_id"], how="semi").height, "found": seen,
    }  # fmt: skip


def _listed(planted: dict, leaves: set[str]) -> pl.DataFrame:
    """The planted feedback that tells any of the leaves."""
    told = [one for one in planted["feedback"] if leaves.intersection(one["leaves"])]
    return pl.DataFrame(told, schema={"channel": pl.String, "source_id": pl.String, "customer_id": pl.String})


def _found(planted: dict, store: Store, rows: pl.DataFrame, first: str, last: str) -> str:
    events = events_of(store)
    lines = [(row["event"], row["action"], row["topic_id"], (row["others"] or "").split()) for row in events.filter(pl.col("who") == MACHINE).iter_rows(named=True)]
    taken_out = {topic: {*others} for _, action, topic, others in lines if action == "split" and topic in others}
    said = []
    for kind, weaker, name in (("split", "apart", "分裂"), ("merge", "together", "合并")):
        homes = _homes(planted, planted[kind], store, rows, first)
        parts_of = [{home, *taken_out.get(home, ())} for home in sorted(homes)]
        found = []
        for looked in (kind, weaker):
            told = [(number, topic, {*others}) for number, action, topic, others in lines if action == looked and not (looked == "split" and topic in others)]
            hit = [number for number, topic, others in told if (_is_theirs if looked == "merge" else _is_about)(parts_of, topic, others)]
            found.append((hit, len(told)))
        (hit, all_of), (weak, all_weak) = found
        told_of = _halves if kind == "split" else _gathered
        seen = f"在台账第 {hit[0]} 条{told_of(planted, store, rows, last, events, hit[0])}" if hit else f"只作为疑似记在台账第 {weak[0]} 条" if weak else "没有记入"
        said.append(f"{name}{seen}；台账共有 {all_of} 次{name}、{all_weak} 次疑似")
    return "；".join(said)


def _is_theirs(parts_of: list[set[str]], topic: str, others: set[str]) -> bool:
    """A merge of every home or a part of it, and of nothing else."""
    return bool(parts_of) and all(parts & {topic, *others} for parts in parts_of) and others <= set().union(*parts_of)


def _is_about(parts_of: list[set[str]], topic: str, others: set[str]) -> bool:
    return any(parts & {topic, *others} for parts in parts_of)


def _gathered(planted: dict, store: Store, rows: pl.DataFrame, version: str, events: pl.DataFrame, number: int) -> str:
    """How much of what is planted since the merge lies in the merged topic under a version, and how much of the topic it is."""
    topic = events.filter(pl.col("event") == number)["topic_id"].item()
    placed = _placed(store, version, planted["merge"]["week"])
    here = rows.join(_listed(planted, {*planted["merge"]["leaves"]}), on=["channel", "source_id"], how="semi").join(placed, on="feedback_id")
    inside, holds = here.filter(pl.col("topic_id") == topic).height, placed.filter(pl.col("topic_id") == topic).height
    return f"（合并后说这些的 {here.height} 条，{inside} 条在合并成的主题里，占它的 {inside / holds:.0%}）" if holds else ""


def _placed(store: Store, version: str, since: str) -> pl.DataFrame:
    return store.sql(f"SELECT feedback_id, topic_id FROM topic_assignments WHERE version = {quote(version)} AND iso_week >= {quote(since)}")


def _halves(planted: dict, store: Store, rows: pl.DataFrame, version: str, events: pl.DataFrame, number: int) -> str:
    """How far the parts of a split, under a version, keep the planted leaves apart that are told alone since then."""
    parts = (events.filter(pl.col("event") == number)["others"].item() or "").split()
    placed = _placed(store, version, planted["split"]["week"])
    alone = [[one for one in planted["feedback"] if one["leaves"] == [leaf]] for leaf in planted["split"]["leaves"]]
    told = [rows.join(pl.DataFrame(part, schema={"channel": pl.String, "source_id": pl.String}), on=["channel", "source_id"], how="semi").join(placed, on="feedback_id") for part in alone]
    lies = [[found.filter(pl.col("topic_id") == part).height for part in parts] for found in told]
    inside, all_of = sum(map(sum, lies)), sum(found.height for found in told)
    if len(parts) != 2 or not inside:
        return ""
    same = lies[0][0] + lies[1][1]
    return f"（分开后单说一件的 {all_of} 条，{inside} 条在这两半里，其中 {max(same, inside - same) / inside:.0%} 各归各半）"


def _homes(planted: dict, part: dict, store: Store, rows: pl.DataFrame, version: str) -> set[str]:
    """The topic under a version that most of the planted feedback of each leaf lay in before the week it happened."""
    placed = store.sql(f"SELECT feedback_id, topic_id FROM topic_assignments WHERE version = {quote(version)} AND iso_week < {quote(part['week'])}")
    homes = set()
    for leaf in part["leaves"]:
        here = rows.join(_listed(planted, {leaf}), on=["channel", "source_id"], how="semi").join(placed, on="feedback_id").drop_nulls("topic_id")
        homes |= set(here["topic_id"].mode().sort().head(1))
    return homes

"""People found against people planted: links in pairs, what must not be merged, escalations, the emotion curve. One row a measure."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from voc_lib.collect.identity.link import KEYS
from voc_lib.collect.identity.probable import FEWEST, LEAST, accounts_named, match
from voc_lib.collect.identity.report import links_now
from voc_lib.collect.keys import keyed_hash, normalise
from voc_lib.engine import quote
from voc_lib.measure.analyses.emotion import journey, mood_turns, moods
from voc_lib.measure.analyses.journeys import NEAR, case_steps
from voc_lib.measure.feedback import feedback
from voc_lib.measure.levels import journey_levels
from voc_lib.store import Store

SPEAKERS = "speakers.parquet"
SCHEMA = {"measure": pl.String, "found": pl.Float64, "reach": pl.Float64, "note": pl.String}


def people_rows(store: Store, folder: Path) -> pl.DataFrame:
    """measure, found, reach, note: pairwise precision and recall of links, merges through keys that lie. Empty where the world tells no speakers."""
    path = folder / SPEAKERS
    if not path.exists():
        return pl.DataFrame(schema=SCHEMA)
    told = spoken(store, path)
    about = json.loads((folder / "identities.json").read_text("utf-8"))
    rows = [*_pairs(told), *_merges(store, told, about), *_probable(store, told)]
    for name, look in (("escalations", _escalations), ("mood_curve", _curve)):
        truth = folder / f"{name}.json"
        rows += look(store, told, json.loads(truth.read_text("utf-8"))) if truth.exists() else []
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def spoken(store: Store, path: Path) -> pl.DataFrame:
    """Feedback of the store with who truly said it: feedback_id, channel, source_id, who (customer or outside account), customer (true number or null), person_id, customer_id, keyed."""
    rows = store.sql("SELECT feedback_id, channel, source_id FROM feedback_rows")
    truth = pl.read_parquet(path).with_columns(pl.coalesce("customer_id", pl.format("outside {}", "author")).alias("who")).rename({"customer_id": "customer"}).unique(["channel", "source_id"])
    keyed = store.sql(f"SELECT DISTINCT feedback_id, true AS keyed FROM ({KEYS})")
    return rows.join(truth, on=["channel", "source_id"]).join(links_now(store), on="feedback_id", how="left").join(keyed, on="feedback_id", how="left").with_columns(pl.col("keyed").fill_null(False))


def pair_counts(told: pl.DataFrame) -> tuple[int, int, int]:
    """(pairs found, of them right, pairs that are truly of one person): of the rows given."""
    found = _pairs_of(told.drop_nulls("person_id"), ["person_id"])
    return found, _pairs_of(told.drop_nulls("person_id"), ["person_id", "who"]), _pairs_of(told, ["who"])


def _pairs_of(rows: pl.DataFrame, by: list[str]) -> int:
    sizes = rows.group_by(by).len()["len"].cast(pl.Int64)
    return int((sizes * (sizes - 1) // 2).sum())


def _pairs(told: pl.DataFrame) -> list[tuple]:
    found, right, _ = pair_counts(told)
    keyed = told.filter("keyed")
    _, right_keyed, there = pair_counts(keyed)
    everyone = pair_counts(told.filter(pl.col("customer").is_not_null()))
    return [
        ("关联：配对精确率", right / found if found else None, 0.995, f"{found:,} 对里 {right:,} 对真是同一人"),
        ("关联：配对召回率（带键的反馈之间）", right_keyed / there if there else None, 0.95, f"{there:,} 对同一人的反馈里关联上 {right_keyed:,} 对"),
        ("关联：配对召回率（全部客户反馈，含没有键的）", everyone[1] / everyone[2] if everyone[2] else None, None, f"{everyone[2]:,} 对；没有键的渠道谁也认不出"),
    ]


def _probable(store: Store, told: pl.DataFrame) -> list[tuple]:
    """What the probabilistic step would match, were it asked for: pairs of accounts, right and of all there are."""
    accounts = accounts_named(store)
    if accounts.height < FEWEST:
        return []
    authors = store.sql("SELECT feedback_id, channel || ':' || author_key AS account FROM feedback_rows WHERE author_key IS NOT NULL")
    who = told.join(authors, on="feedback_id").join(accounts.select(pl.col("unique_id").alias("account")), on="account", how="semi").select("account", "who").unique("account")
    pairs = match(accounts, LEAST).join(who, left_on="left", right_on="account").join(who, left_on="right", right_on="account", suffix="_right")
    right, there = pairs.filter(pl.col("who") == pl.col("who_right")).height, _pairs_of(who, ["who"])
    return [("概率方法（平时不用）：配对精确率", right / pairs.height if pairs.height else None, None, f"匹配概率 {LEAST} 以上的 {pairs.height:,} 对账号里 {right:,} 对真是同一人，全部有 {there:,} 对")]


def _merges(store: Store, told: pl.DataFrame, about: dict) -> list[tuple]:
    """How many people share a person_id with somebody of the wrong kind: another customer of the dealer's phone, the first owner of a resold car."""
    linked = told.drop_nulls("person_id")
    mixed = linked.group_by("person_id").agg(pl.col("who").unique()).filter(pl.col("who").list.len() > 1)
    together = {frozenset(pair) for whole in mixed["who"].to_list() for pair in _two(sorted(whole))}
    resold = {frozenset((one["customer_id"], one["first_owner"])) for one in about["resold"]}
    family = {frozenset((one["customer_id"], one["owner_of_phone"])) for one in about["family_phone"]}
    twice = linked.drop_nulls("customer_id").group_by("person_id").agg(pl.col("customer_id").n_unique().alias("n")).filter(pl.col("n") > 1).height
    return [
        ("误并：经门店电话", float(_through(store, told, about["dealer_phone"]["phone"])), 0.0, "带着门店电话、却因此并到别人名下的反馈"),
        ("误并：经卖掉的车", float(len(together & resold)), 0.0, f"埋了 {len(resold):,} 对前后车主"),
        ("误并：经家人电话", float(len(together & family)), 0.0, f"埋了 {len(family):,} 对共用电话的人"),
        ("误并：两个客户编号成一人", float(twice), 0.0, ""),
        ("误并：其他", float(len(together - resold - family)), None, "把不同的人并到一起的对数"),
    ]


def _through(store: Store, told: pl.DataFrame, phone: str) -> int:
    """Feedback that carries the phone and went to somebody who did not say it."""
    carried = keyed_hash("phone", pl.Series([normalise("phone", phone)])).item()
    mine = told.join(store.sql(f"SELECT feedback_id FROM identity_keys WHERE key_hash = {quote(carried)}"), on="feedback_id", how="semi").drop_nulls("person_id")
    true = keyed_hash("member", pl.Series([normalise("member", value) for value in mine["customer"]], dtype=pl.String))
    return mine.filter(true.ne_missing(mine["person_id"])).height


def _escalations(store: Store, told: pl.DataFrame, truth: dict) -> list[tuple]:
    """How many planted trails are one case with all three steps, how many that only look alike are, and how many cases hold feedback of two people."""
    rows, levels = feedback(store), journey_levels(store)
    planted = pl.DataFrame(truth["feedback"]).select("channel", "source_id", "part").join(told.select("channel", "source_id", "feedback_id"), on=["channel", "source_id"])
    told_apart, near = case_steps(rows, levels), case_steps(rows, levels, near=NEAR)
    built, alike = _whole(planted, near)
    across = near.join(told.select("feedback_id", "who"), on="feedback_id").group_by("case_id").agg(pl.col("who").n_unique().alias("people")).filter(pl.col("people") > 1).height
    later = near.filter(pl.col("by") == "time")
    right = later.join(planted.filter(pl.col("part").str.starts_with("trail")), on="feedback_id", how="semi").height
    return [
        ("升级：重建的三步", float(built), float(truth["escalations"] - 2), f"埋了 {truth['escalations']} 起；只凭编码一致的 {_whole(planted, told_apart)[0]} 起，其余有一步只凭同一人、时间相近"),
        ("升级：跨人的", float(across + alike), 0.0, f"埋了 {truth['lookalikes']} 起看着像、其实不是一个人的"),
        ("升级：只凭时间连上的步里，属于埋下的", right / later.height if later.height else None, None, f"{later.height} 步里 {right} 步：列出来请人看，不进入任何合计"),
    ]


def _whole(planted: pl.DataFrame, steps: pl.DataFrame) -> tuple[int, int]:
    """How many trails, and how many lookalikes, are one case with all three feedback."""
    placed = planted.join(steps.select("feedback_id", "case_id"), on="feedback_id", how="left")
    whole = placed.group_by("part").agg((pl.len() == 3) & (pl.col("case_id").n_unique() == 1) & (pl.col("case_id").null_count() == 0)).filter("len")
    return tuple(whole.filter(pl.col("part").str.starts_with(kind)).height for kind in ("trail", "lookalike"))


def _curve(store: Store, _: pl.DataFrame, truth: dict) -> list[tuple]:
    """How far the turns found on the curve of the planted people lie from those planted, in steps; a turn too many or too few counts as the whole length.

    The curve is that of all feedback linked to them in those weeks, whatever else they said.
    """
    people = keyed_hash("member", pl.Series([normalise("member", value) for value in truth["customers"]], dtype=pl.String))
    weeks = sorted({week for step in truth["weeks"] for week in step})
    said = moods(store, feedback(store, weeks)).filter(pl.col("customer_id").is_in(people.implode()))
    turns = mood_turns(journey(said, least=truth["steps"]))["step"].to_list()
    off = max(abs(one - other) for one, other in zip(turns, truth["breaks"], strict=True)) if len(turns) == len(truth["breaks"]) else truth["steps"]
    return [("情绪曲线：拐点最多差几步", float(off), 1.0, f"埋在第 {'、'.join(map(str, truth['breaks']))} 步，找到第 {'、'.join(map(str, turns)) or '—'} 步")]


def _two(names: list[str]) -> list[tuple[str, str]]:
    return [(one, other) for at, one in enumerate(names) for other in names[at + 1:]]

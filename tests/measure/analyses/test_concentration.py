"""Where a problem sits: told when its people share a value far more often than others, and never of a handful."""

import polars as pl

from voc_lib.measure.analyses.concentration import concentration


def people(said: dict, others: dict) -> pl.DataFrame:
    """{(product, region): people} who name 异响, and who do not."""
    rows, kinds = [], (("空调-运转-异响", said), ("价格-价格-评价", others))
    for code, groups in kinds:
        for (product, region), many in groups.items():
            rows += [{"person": f"{code}{product}{region}{at}", "codes": [code], "product": product, "region": region} for at in range(many)]
    return pl.DataFrame(rows, schema={"person": pl.String, "codes": pl.List(pl.String), "product": pl.String, "region": pl.String})


def test_a_value_shared_by_most_is_named_with_its_counts():
    frame = people({("A7", "华东"): 12, ("A7", "华南"): 8}, {("A7", "华东"): 20, ("S5", "华东"): 30, ("S5", "华南"): 50})
    first = concentration(frame, "空调-运转-异响")
    # 20 of 20 drive the A7, elsewhere 20 of 100; 12 of 20 are in 华东, elsewhere 50 of 100: not clear
    assert first == [{"column": "product", "value": "A7", "people": 20, "of": 20, "share": 1.0, "share_elsewhere": 0.2}]


def test_one_person_counts_once_however_often_he_writes():
    frame = people({("A7", "华东"): 20}, {("A7", "华东"): 20, ("S5", "华南"): 80})
    assert concentration(pl.concat([frame] * 3), "空调-运转-异响") == concentration(frame, "空调-运转-异响") != []


def test_an_even_spread_a_handful_and_nobody_give_nothing():
    even = people({("A7", "华东"): 20, ("S5", "华南"): 20}, {("A7", "华东"): 50, ("S5", "华南"): 50})
    few = people({("A7", "华东"): 9}, {("S5", "华南"): 500})
    assert concentration(even, "空调-运转-异响") == concentration(few, "空调-运转-异响") == concentration(even, "没有-这个-码") == []
    unknown = even.with_columns(pl.lit(None, pl.String).alias("product"), pl.lit(None, pl.String).alias("region"))
    assert concentration(unknown, "空调-运转-异响") == []


def test_everybody_in_one_region_is_no_concentration():
    assert concentration(people({("A7", "华东"): 30}, {("A7", "华东"): 300}), "空调-运转-异响") == []

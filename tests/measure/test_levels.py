"""journey.yaml: every domain has levels, and what is wrong in a file is said with file and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from voc_lib.collect.contract import load_channels
from voc_lib.measure.levels import JourneyError, journey_levels, read_levels
from voc_lib.store_write import write_store

DOMAINS = Path(__file__).resolve().parents[2] / "data" / "domains"
GOOD = "levels:\n- title: 公开说\n  channels: [a]\n- title: 找公司\n  channels: [b, c]\n"


@pytest.mark.parametrize("path", sorted(DOMAINS.glob("*/journey.yaml")), ids=lambda path: path.parent.name)
def test_every_channel_named_has_a_contract(path):
    levels = read_levels(path)
    assert set(levels.channels) <= {channel.channel for channel in load_channels(DOMAINS, path.parent.name)} and levels.top >= 1


def test_levels_from_the_lowest_up(tmp_path):
    (tmp_path / "journey.yaml").write_text(GOOD + "answers: [进店]\nowed_days: 3\n", "utf-8")
    levels = read_levels(tmp_path / "journey.yaml", ("售后",))
    assert levels.channels == {"a": 0, "b": 1, "c": 1} and levels.titles == ("公开说", "找公司") and (levels.top, levels.answers, levels.owed_days, levels.aside) == (1, ("进店",), 3, ("售后",))


def test_a_domain_takes_the_levels_of_the_one_it_extends(home):
    with write_store("mine", "test", "public_auto") as writer:
        writer.remember(x="1")
    assert journey_levels("mine").channels["car_forum"] == 0 and "售后服务" in journey_levels("mine").aside
    for path in (home / "data" / "domains").glob("*/journey.yaml"):
        path.unlink()
    with pytest.raises(JourneyError, match="领域「public_auto」没有 journey.yaml.*照 auto/journey.yaml"):
        journey_levels("mine")


@pytest.mark.parametrize(("written", "said"), [
    ("levels: [", "第 1 行：YAML 写法不对"), ("- a\n", "名称: 内容"), (GOOD + "level: 1\n", "不认识「level」"), ("levels:\n- title: a\n  channels: [a]\n", "至少要两级"),
    ("levels:\n- title: a\n  channels: [a]\n- title: b\n", "第 2 级应写 title"), (GOOD.replace("[b, c]", "[a]"), "渠道「a」写在两级里（公开说、找公司）"),
    (GOOD.replace("找公司", "公开说"), "「公开说」写了两次"), (GOOD + "answers: 进店\n", "answers 应是触点种类的列表"), (GOOD + "owed_days: 0\n", "owed_days 应是不小于 1 的整数，现在写的是「0」")])
def test_what_is_wrong_is_said(tmp_path, written, said):
    (tmp_path / "journey.yaml").write_text(written, "utf-8")
    with pytest.raises(JourneyError, match=said):
        read_levels(tmp_path / "journey.yaml")

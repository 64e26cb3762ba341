"""How far a matter has gone: the levels of `journey.yaml`, from what is said in public to what has to be repaired.

    data/domains/<domain>/journey.yaml
    levels:                       # from the lowest to the highest
    - title: 公开说
      channels: [microblog, car_forum]
    answers: [索赔, 进店]         # kinds of touchpoints after which nothing is owed any more
    owed_days: 7                  # within how many days a customer should have an answer

A domain without a file of its own takes that of the domain it extends.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from voc_lib.enrich.domain import load_domain
from voc_lib.messages import Told, yaml_words
from voc_lib.settings import settings
from voc_lib.store import Store, open_store

FILE = "journey.yaml"
OWED_DAYS = 7


class JourneyError(Told, ValueError):
    """A journey.yaml that is missing or cannot be used: names file, what was found and what to do."""


@dataclass(frozen=True)
class Levels:
    """Titles from the lowest to the highest level, the level (0, 1, ...) of each channel, and what else the domain says of matters.

    `aside`: systems or beginnings of codes that say how a matter was handled; they name no matter where another is named.
    """

    titles: tuple[str, ...]
    channels: dict[str, int]
    answers: tuple[str, ...] = ()
    owed_days: int = OWED_DAYS
    aside: tuple[str, ...] = ()

    @property
    def top(self) -> int:
        return len(self.titles) - 1


def journey_levels(store: Store | str | None = None) -> Levels:
    """The levels of the store's domain.

    Raises JourneyError: no file in the domain nor in those it extends; fewer than two levels; a level without title or channels; a channel in two levels.
    """
    store = store if isinstance(store, Store) else open_store(store)
    domain = load_domain(settings().domains, store.about["domain"])
    folders = [settings().domains / name for name in reversed(domain.lineage)]
    path = next((folder / FILE for folder in folders if (folder / FILE).exists()), None)
    if path is None:
        raise JourneyError(f"领域「{domain.name}」没有 {FILE}，分不出一件事走到了哪一级。请在 {domain.name} 文件夹里照 auto/{FILE} 写一份：由低到高列出各级和它们的渠道。")
    return read_levels(path, domain.last)


def read_levels(path: Path, aside: tuple[str, ...] = ()) -> Levels:
    """One journey.yaml; errors as in `journey_levels`."""
    try:
        source = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        _refuse(path, "不是 UTF-8 编码，请用编辑器另存为 UTF-8")
    try:
        told = yaml.safe_load(source)
    except yaml.YAMLError as error:
        line, words = yaml_words(error, source)
        raise JourneyError(f"{_named(path)} 第 {line} 行：YAML 写法不对，{words}。") from error
    if not isinstance(told, dict):
        _refuse(path, "应是「名称: 内容」的写法，至少要有 levels")
    unknown = sorted(set(told) - {"levels", "answers", "owed_days"})
    if unknown:
        _refuse(path, f"不认识「{'、'.join(map(str, unknown))}」。可以写：levels、answers、owed_days")
    titles, channels = _levels(path, told.get("levels"))
    answers, days = told.get("answers") or [], told.get("owed_days", OWED_DAYS)
    if not isinstance(answers, list) or not all(isinstance(kind, str) for kind in answers):
        _refuse(path, "answers 应是触点种类的列表，例如 [索赔, 进店]")
    if isinstance(days, bool) or not isinstance(days, int) or days < 1:
        _refuse(path, f"owed_days 应是不小于 1 的整数，现在写的是「{days}」")
    return Levels(tuple(titles), channels, tuple(answers), days, tuple(aside))


def _levels(path: Path, told: object) -> tuple[list[str], dict[str, int]]:
    if not isinstance(told, list) or len(told) < 2:
        _refuse(path, "levels 至少要两级，由低到高，每级写 title 和 channels")
    titles: list[str] = []
    channels: dict[str, int] = {}
    for number, level in enumerate(told):
        if not isinstance(level, dict) or set(level) != {"title", "channels"} or not isinstance(level["title"], str) or not isinstance(level["channels"], list) or not level["channels"]:
            _refuse(path, f"levels 的第 {number + 1} 级应写 title（名称）和 channels（渠道的列表，不能是空的），不写别的")
        if level["title"] in titles:
            _refuse(path, f"levels 里「{level['title']}」写了两次，请改名或合并")
        for channel in level["channels"]:
            if channel in channels:
                _refuse(path, f"渠道「{channel}」写在两级里（{titles[channels[channel]] if channels[channel] < number else level['title']}、{level['title']}），请只留一处")
            channels[str(channel)] = number
        titles.append(level["title"])
    return titles, channels


def _refuse(path: Path, message: str):
    raise JourneyError(f"{_named(path)}：{message}。")


def _named(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"

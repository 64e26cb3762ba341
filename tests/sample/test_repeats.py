"""What people say in the planted world is said once: exact repeats stay under 5 % outside planted spam."""

from __future__ import annotations

from collections import Counter

import pytest

from voc_lib.sample import World, plant
from voc_lib.sample.language.tongue import Tongue

MOST = 0.05


class Listening(Tongue):
    """The real language, with everything it said written down."""

    def __init__(self, domain: str) -> None:
        super().__init__(domain)
        self.heard: Counter[str] = Counter()

    def say(self, dice, ask):
        saying = super().say(dice, ask)
        if ask.motive != "spam" and saying.body:
            self.heard[saying.body] += 1
        return saying


@pytest.mark.parametrize("domain", ["auto", "bank"])
def test_hardly_a_text_is_said_twice(domain, tmp_path):
    tongue = Listening(domain)
    plant(World(domain, customers=3000), tmp_path / "world", tongue)
    said = sum(tongue.heard.values())
    assert said > 10_000 and (said - len(tongue.heard)) / said < MOST

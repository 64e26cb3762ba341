"""What makes a channel a channel: how much is said in it, by whom, in which temper. Each export module holds its own VOICE."""

from __future__ import annotations

from dataclasses import dataclass, field

CUSTOMER_FEEDBACK = 6.4  # feedback per customer in use over the usual 120 weeks, all channels and authors together
USUAL_WEEKS = 120


@dataclass(frozen=True)
class Voice:
    """How a channel speaks.

    `share`: thousandths of all feedback. `outside`: share of authors who are not customers. `replies`: replies per post (0 = no threads).
    `of_visits`: speakers are drawn from the week's visits. `has`: share of customers who have an account. `app`, `tier`, `fresh`, `young`:
    log-odds per standard step of the covariates. `anger`: how strongly dissatisfaction makes people speak here when selection is `angry`
    or `j_shaped`. `bad`: log-odds that a point is a complaint for the usual customer. `several`: chance of a second point. `systems`: the
    leaves spoken of here, by how their system begins (empty = all). From `bad` 5 on nothing but complaints is heard. `motives`: weights by polarity.
    """

    share: float
    outside: float = 0.0
    replies: float = 0.0
    of_visits: bool = False
    of_product: str = ""         # only owners of that product
    has: float = 1.0
    app: float = 0.0
    tier: float = 0.0
    fresh: float = 0.0
    young: float = 0.0
    anger: float = 0.0
    bad: float = 0.0
    neutral: float = 0.1
    several: float = 0.2
    systems: tuple[str, ...] = ()
    night: float = 0.25          # share said after office hours
    weekend: float = 1.0         # Saturdays and Sundays against other days
    motives: dict[int, dict[str, float]] = field(default_factory=lambda: MOTIVES)

    @property
    def weekly(self) -> float:
        """Feedback a customer in use and week, replies included."""
        return self.share / 1000 * CUSTOMER_FEEDBACK / USUAL_WEEKS


MOTIVES = {
    -1: {"vent": 30, "warn": 6, "ask": 8, "claim": 6, "help": 4, "tease": 12, "none": 34},
    0: {"ask": 60, "help": 10, "none": 30},
    1: {"praise": 70, "help": 5, "none": 25},
}
CALLING = {
    -1: {"vent": 20, "ask": 25, "claim": 25, "none": 30},
    0: {"ask": 80, "none": 20},
    1: {"praise": 60, "none": 40},
}
PLAIN = {-1: {"none": 1}, 0: {"none": 1}, 1: {"none": 1}}

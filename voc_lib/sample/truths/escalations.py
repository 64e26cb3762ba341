"""Truth 6: forty people go from a public post to the hotline to the workshop; three trails look the same and belong to three people each."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

import numpy as np

from voc_lib.sample.crowd import customers, picked
from voc_lib.sample.exports import modules
from voc_lib.sample.language.tongue import Point
from voc_lib.sample.planting import Planting
from voc_lib.sample.world import EVENT_WEEKS

TITLE = "升级：同一个人从社交媒体到热线到索赔，四十起；三起看着像，其实是不同的人"
DOMAIN = "auto"
TRAILS, LOOKALIKES = 40, 3
PUBLIC = ("microblog", "car_forum", "car_forum", "short_video")


def plant(stage, speaking) -> Planting:
    world, frame = stage.world, stage.frame
    start = world.back(EVENT_WEEKS - 1).monday
    people = picked(stage, customers(frame, start), TRAILS, "escalations")
    systems = modules("auto")["warranty"].VOICE.systems
    usable = [leaf for leaf in stage.tongue.leaves.values() if -1 in leaf.polarities and leaf.name.startswith(systems) and not leaf.months] or list(stage.tongue.leaves.values())
    usual = [leaf for leaf in usable if not leaf.products] or usable
    by_week, trails, asked = defaultdict(list), [], set()

    def trail(name: str, who: tuple[int, int, int]) -> None:
        dice = world.dice("escalations", name)
        bad = (Point(dice.choice(usual).name, -1),)
        day = start + timedelta(days=dice.randrange(7 * (EVENT_WEEKS - 5)))
        steps = (dice.choice(PUBLIC), day), ("hotline", day + timedelta(days=dice.randrange(1, 9))), ("warranty", day + timedelta(days=dice.randrange(11, 30)))
        # Asked for the phone after the post and before the call.
        wait = min(world.dice("escalations", name, "asked").randrange(2), (steps[1][1] - day).days - 1)
        knows = {"asked": wait}, {"keyed": True}, {}
        asked.add((steps[0][0], who[0]))
        part = "trail" if len(set(who)) == 1 else "lookalike"
        for (channel, at), one, mood, extra in zip(steps, who, (-1.0, -1.4, -0.5), knows, strict=True):
            said = speaking.told(f"escalations/{name}/{channel}", channel, speaking.at(at, channel, dice), one, bad, "escalations", f"{part} {name}", mood=mood, motive="claim" if channel == "hotline" else "none",
                                 extra=extra)
            by_week[(at - start).days // 7].append(said)
        trails.append({"name": name, "kind": part, "leaf": bad[0].leaf, "customers": [frame.customer_id(one) for one in who], "days": [str(at) for _, at in steps]})

    for at, who in enumerate(people):
        trail(f"E{at + 1:02d}", (who, who, who))
    for at in range(LOOKALIKES):
        trail(f"L{at + 1}", _strangers(stage, at))

    return Planting({"title": TITLE, "trails": trails, "escalations": len(people), "lookalikes": LOOKALIKES, "begins": world.back(EVENT_WEEKS - 1).label, "codes": [], "leaves": []},
                    lambda week: by_week.get(EVENT_WEEKS - 1 - week.left, ()), asked=frozenset(asked))


def _strangers(stage, at: int) -> tuple[int, int, int]:
    """Three customers of the same product in the same city."""
    frame = stage.frame
    on = customers(frame, stage.world.back(EVENT_WEEKS - 1).monday)
    groups = frame["city"][on].astype(np.int64) * 10 + frame["product"][on]
    names, sizes = np.unique(groups, return_counts=True)
    group = names[np.argsort(-sizes, kind="stable")][at]
    return tuple(picked(stage, on[groups == group], 3, "escalations", "strangers", at))

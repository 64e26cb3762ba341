"""The planted world: exports of a carmaker or a bank as the source systems would give them, and apart from them the truth.

`plant(World("auto"), Path("out"))` writes one folder a source system below `out` (microblog/, hotline/, crm/, ...) and `_truth/*.json`: what was
planted, with ids, weeks and sizes; who said every feedback stands in `_truth/speakers.parquet`, what every visitor would have answered in `_truth/visits.parquet`. Everything is invented and every page made from it must say 合成样例数据.

world.py       the settings, the calendar, the chance        cast*.py       products, cities, dealers
customers.py   the frame, speaking or silent                 identities.py  phones, VINs, accounts and their accidents
speaking.py    who speaks, where, about what                 voice.py       what makes a channel a channel
exports/       one file a channel                            records.py     CRM, touchpoints, exposure
bindings.py    which account belongs to which phone or car   speakers.py    who said every feedback, for the truth
visitors.py    what all who came would have answered         truths/        one file a planted truth
language/      the words

Imports nothing of collect, enrich, measure and report; the truth is read by `voc evaluate` and by tests only.
"""

from voc_lib.sample.plant import Planted, plant
from voc_lib.sample.world import World, WorldError

__all__ = ["Planted", "World", "WorldError", "plant"]

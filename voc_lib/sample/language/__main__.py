"""`python -m voc_lib.sample.language auto car_forum 20` writes samples to read aloud; `... auto repeats 100000` the share of repeats.

Arguments: domain, channel (or `all`, or `repeats`), how many, seed, role, motive.
"""

from __future__ import annotations

import sys

from voc_lib.sample.language.hearing import repeat_shares, samples
from voc_lib.sample.language.tongue import Tongue


def main(arguments: list[str]) -> None:
    """Writes what is asked for to standard output."""
    domain, channel, many, seed, *rest = [*arguments, *["auto", "all", "20", "1"][len(arguments):]]
    tongue = Tongue(domain)
    out = sys.stdout.write
    if channel == "repeats":
        for name, count, repeated, microseconds in repeat_shares(tongue, int(many), int(seed)):
            out(f"{name:16} {count:7} texts  {repeated:6.1%} repeated  {microseconds:6.0f} µs\n")
        return
    for name in tongue.styles if channel == "all" else [channel]:
        out(f"== {name}\n")
        for ask, saying in samples(tongue, name, int(many), int(seed), *rest):
            labels = " ".join(f"{point.leaf}{point.polarity:+d}" for point in ask.points)
            out(f"[{ask.role} {ask.motive} {ask.mood:+.1f} {ask.answers or ''} {labels}]\n")
            out((f"  《{saying.title}》\n" if saying.title else "") + "".join(f"    {who}：{said}\n" for who, said in saying.turns) + f"  {saying.body or '（空）'}\n")


main(sys.argv[1:])

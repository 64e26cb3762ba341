"""Writes _truth/identities.json: one line a customer who was heard, with all keys, and the accidents that make keys lie."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from voc_lib.sample.exports import Stage
from voc_lib.sample.planting import FOLDER


def write_identities(stage: Stage, heard: np.ndarray, bits: dict[str, int], out: Path, accidents: dict) -> int:
    """Who is who; `heard` has a bit a channel for every customer, `accidents` are those of the bindings. Returns the number of persons."""
    keys, frame = stage.keys, stage.frame
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    about = {
        "title": "谁是谁：同一个人的电话、车架号与各渠道账号，以及会骗人的键",
        "family_phone": [{"customer_id": frame.customer_id(a), "owner_of_phone": frame.customer_id(b)} for a, b in keys.family],
        "resold": [{"customer_id": frame.customer_id(a), "first_owner": frame.customer_id(b)} for a, b in keys.resold],
        "dealer_phone": {"dealer": frame.cast.shops[keys.dealer][1], "phone": keys.dealer_phone},
        **accidents,
    }
    speakers = np.flatnonzero(heard).tolist()
    with (folder / "identities.json").open("w", encoding="utf-8") as file:
        file.write(json.dumps(about, ensure_ascii=False)[:-1] + ', "persons": [\n')
        for at, who in enumerate(speakers):
            person = {"customer_id": frame.customer_id(who), "phone": keys.phone_of(who), "accounts": {name: keys.account(name, who) for name, bit in bits.items() if heard[who] & bit}}
            if stage.world.domain == "auto":
                person["vin"] = keys.vin_of(who)
            file.write((",\n" if at else "") + json.dumps(person, ensure_ascii=False))
        file.write("\n]}\n")
    return len(speakers)

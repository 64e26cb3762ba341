"""The exports that a contract has not read yet, one after the other; what is wrong with one is said of it and stops no other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

from voc_lib.collect.contract import ContractError
from voc_lib.collect.masking import mask_text
from voc_lib.collect.prepare import export_id
from voc_lib.collect.readers import ExportError
from voc_lib.collect.sniff import open_elsewhere
from voc_lib.contracts import Channel
from voc_lib.messages import system_words

log = logging.getLogger("voc.ingest")


def unread(files: list[Path], folder: Path, contract: Channel, known: dict[tuple[str, str], dict], failed: dict[str, str], again: Callable[[dict], None], read: Callable) -> Iterator[tuple[str, tuple]]:
    """(export_id, what `read(path, name, export_id)` gives) of every file not read before under this very contract; a file twice in the folder once.

    `known` holds the lines of the table `exports` by export and contract; `again` is told of each that is met again. A file that does not fit is named in `failed`.
    """
    met = set()
    for path in files:
        name = str(path.relative_to(folder))
        try:
            identity = export_id(path)
            if (identity, contract.fingerprint) in known:
                again(known[identity, contract.fingerprint])
                continue
            if identity in met:
                continue
            found = read(path, name, identity)
        except (ExportError, ContractError, OSError) as error:
            system = system_words(error)
            why = f"打不开：{system[0]}。{system[1]}后重试。" if system else str(error)
            why += "它旁边有锁文件：正在 Excel 或 WPS 里开着。" if open_elsewhere(path) else ""
            failed[mask_text(name)] = mask_text(why)
            log.error("%s：%s", name, why)
            continue
        met.add(identity)
        yield identity, found

"""Are the contracts right: each is loaded and tried on the newest export it claims; nothing is stored."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from pathlib import Path

from voc_lib.collect.contract import ContractError, load_contract
from voc_lib.collect.draft import claims, doubts_of
from voc_lib.collect.ingest import domain_of, files_of, known_sources
from voc_lib.collect.masking import mask_text
from voc_lib.collect.readers import ExportError
from voc_lib.collect.trial import Trial, try_contract
from voc_lib.messages import Told, system_words
from voc_lib.settings import settings


MOST_REFUSED = 0.2  # of the rows tried; a few bad rows are the export's fault, more than a fifth most likely the contract's


class CheckError(Told):
    """There is nothing to check as asked."""


@dataclass
class Checked:
    """One contract: what is wrong with it, what is still doubtful, what became of the rows it was tried on."""

    name: str
    path: Path
    error: str = ""
    doubts: list[tuple[int, str]] = field(default_factory=list)
    trials: list[Trial] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> bool:
        return bool(self.error) or any(sum(map(len, trial.refused.values())) > MOST_REFUSED * trial.read for trial in self.trials)

    def as_dict(self) -> dict:
        return {"contract": self.name, "path": str(self.path), "error": self.error, "notes": self.notes, "trials": [trial.as_dict() for trial in self.trials],
                "doubts": [{"line": line, "doubt": words} for line, words in self.doubts]}


def check_contracts(store: str, names: list[str], domain: str | None = None, against: Path | None = None) -> list[Checked]:
    """Check the named contracts (channels of the domain, or files), else all of the domain. Raises CheckError."""
    if against is not None and not against.is_file():
        raise CheckError(f"没有文件「{against}」。请用 --against 给出一个导出文件。")
    paths = [Path(name) if name.endswith((".yaml", ".yml")) else None for name in names]
    if not names or None in paths:
        domain = domain or domain_of(store, None)
    folder = settings().domains / (domain or "") / "channels"
    have = sorted(folder.glob("*.yaml"))
    if domain and not have:
        domains = "、".join(sorted(path.parent.name for path in settings().domains.glob("*/channels")))
        raise CheckError(f"领域「{domain}」里没有合同。有合同的领域：{domains}。用 voc contract draft 文件 起草一份。")
    chosen = [path or _of_name(name, have, domain) for name, path in zip(names, paths, strict=True)] if names else have
    if against is not None and not names:
        chosen = [path for path in have if claims(path, against)] or _none_claims(against, domain)
    return [_checked(path, store, against) for path in chosen]


def _of_name(name: str, have: list[Path], domain: str | None) -> Path:
    for path in have:
        if path.stem == name:
            return path
    near = difflib.get_close_matches(name, [path.stem for path in have], 1, 0.5)
    raise CheckError(f"领域「{domain}」里没有渠道「{name}」的合同。{f'是否想写「{near[0]}」？' if near else ''}现有：{'、'.join(path.stem for path in have)}。")


def _none_claims(against: Path, domain: str | None) -> list[Path]:
    raise CheckError(f"领域「{domain}」里没有合同认领「{mask_text(against.name)}」。请写明渠道：voc contract check 渠道 --against 文件；还没有合同就先 voc contract draft 文件。")


def _checked(path: Path, store: str, against: Path | None) -> Checked:
    found = Checked(path.stem, path)
    if not path.is_file():
        found.error = f"没有文件「{path}」。"
        return found
    try:
        contract = load_contract(path)
    except ContractError as error:
        found.error = mask_text(str(error))
        return found
    found.doubts = doubts_of(path)
    if contract.read.sql:
        found.notes.append("来源是数据库，没有试读；voc ingest 会直接去取。")
        return found
    files = [against] if against else _newest(contract, store)
    if not files:
        found.notes.append("没有找到它认领的文件，只检查了写法。要试读，请加 --against 文件。")
    for file in files:
        try:
            found.trials.append(try_contract(contract, file))
        except (ExportError, ContractError, OSError) as error:
            system = system_words(error)
            found.error = f"{mask_text(file.name)}：" + mask_text(f"打不开：{system[0]}。{system[1]}后重试。" if system else str(error))
    return found


def _newest(contract, store: str) -> list[Path]:
    files = [path for folder in known_sources(store) if folder.is_dir() for path in files_of(contract, folder)]
    return files[-1:]

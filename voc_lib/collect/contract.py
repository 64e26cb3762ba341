"""Read a channel's contract (YAML) and refuse it with file, line, what was found and what to do."""

from __future__ import annotations

import codecs
import difflib
import hashlib
import json
import re
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from voc_lib import schema
from voc_lib.collect.contract_weighting import wrong_weighting
from voc_lib.contracts import Channel, Read, Variant
from voc_lib.messages import Told, type_words, yaml_words

# Filled by ingest itself; a contract cannot give them.
COMPUTED = {"feedback_id", "channel", "iso_week", "local_date", "export_id", "ingested_at", "solicited", "author_key", "base", "exported_at"}
COMPUTED |= {"customer_id", "touchpoint_id", "claim_id", "entry_id", "register", "key_type", "key_hash", "said_at", "added_at"}
EXTRA = ("author", "status", "deleted")  # expressions that feed author_key, status_history and sightings
NEEDED = {
    "feedback": {"source_id": "给出编号列，没有编号的来源用 {hash_of: [列, 列]}"},
    "exposure": {"month": "写成 2026-11 这样的月份", "in_use": "当月在用的数量"},
    "customers": {"valid_from": "这份档案截至哪一天"},
    "touchpoints": {"occurred_on": "哪一天发生", "kind": "发生了什么"},
    "identities": {},
}
NEEDED_KEYS = {"customers": ("member",), "touchpoints": ("member",)}
NAMED_BY = {"feedback": "channel", "exposure": "base"}  # the key of a contract that repeats its file name; "register" for the others
KEY_FORM = re.compile(r"(author:|weak:)?[a-z][a-z0-9_]*")
WEIGHTING = ("bands", "weigh_by", "held_out", "bases")  # of a register of customers: how it is used, not how it is read
OF_DATABASES = {"sql", "connection", "cursor"}
CONNECTION = re.compile(r"env:[A-Za-z_]\w*")
NAMED = r"""(?:"[^"]+"|`[^`]+`|\w+)"""
COMPARED = re.compile(rf"({NAMED}(?:\.{NAMED})*)\s*>=?\s*:cursor\b")  # the one form in which a query may use :cursor


class ContractError(Told):
    """A contract cannot be used; the message says where, what was found and what to do."""


def fields_of(table: str) -> tuple[str, ...]:
    """The names a contract's `columns` may fill."""
    given = tuple(c.name for c in schema.table(table).columns if c.name not in COMPUTED)
    return (*given, *EXTRA) if table == "feedback" else given


def _as_list(value):
    return value if isinstance(value, list | tuple) else [value]


def _as_expression(value):
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Dated(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    from_: str = Field(alias="from")
    formats: Annotated[list[str], BeforeValidator(_as_list)] = Field(min_length=1)


class _Hashed(_Strict):
    hash_of: list[str] = Field(min_length=1)


Expression = Annotated[str | _Dated | _Hashed, BeforeValidator(_as_expression)]


class _Read(_Strict):
    glob: Annotated[list[str], BeforeValidator(_as_list)] = []
    encodings: list[str] = ["utf-8-sig", "gb18030"]
    sheet: int | str = 0
    header_row: int = Field(0, ge=0)
    fill_merged: bool = False
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    export_date: str | None = None
    sql: str | None = None
    connection: str | None = None
    cursor: str | None = None

    @field_validator("encodings")
    @classmethod
    def known_encodings(cls, value: list[str]) -> list[str]:
        for name in value:
            try:
                codecs.lookup(name)
            except LookupError:
                raise ValueError(f"没有编码「{name}」，常用：utf-8-sig、gb18030、big5、utf-16") from None
        return value


class _Variant(_Strict):
    when_columns: list[str] = Field(min_length=1)
    columns: dict[str, Expression]


class _Contract(_Strict):
    channel: str
    title: str
    owner: str
    base: str
    solicited: bool
    cannot_tell: str
    timezone: str = "Asia/Shanghai"
    read: _Read
    aliases: dict[str, Annotated[list[str], BeforeValidator(_as_list)]] = {}
    variants: list[_Variant] = []
    optional: list[str] = []
    where: str | None = None
    columns: dict[str, Expression]
    identity: dict[str, str] = {}
    bands: dict[str, list[float]] = {}
    weigh_by: list[str] = []
    held_out: list[str] = []
    bases: dict[str, list[str]] = {}
    freshness_days: int = Field(8, ge=1)

    @field_validator("bands")
    @classmethod
    def rising(cls, value: dict[str, list[float]]) -> dict[str, list[float]]:
        for name, cuts in value.items():
            if not cuts or sorted(set(cuts)) != cuts:
                raise ValueError(f"{name} 的分档上界须从小到大写，例如 [30, 40, 50]，写的是 {cuts}")
        return value

    @field_validator("timezone")
    @classmethod
    def known_timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except Exception:
            raise ValueError(f"没有时区「{value}」，例如 Asia/Shanghai") from None
        return value


def load_channels(domains: Path, domain: str) -> list[Channel]:
    """All contracts of a domain's channels, by file name. Raises ContractError for an unknown domain or a wrong contract."""
    folder = domains / domain / "channels"
    if not folder.is_dir():
        have = sorted(path.parent.name for path in domains.glob("*/channels"))
        if folder.parent.is_dir():
            raise ContractError(f"领域「{domain}」还没有合同。在 {folder} 里给每个来源放一份「渠道名.yaml」。有合同的领域：{'、'.join(have) or '无'}。")
        near = difflib.get_close_matches(domain, have, 1, 0.5)
        hint = f"是否想写「{near[0]}」？" if near else ""
        raise ContractError(f"没有名为「{domain}」的领域。{hint}现有：{'、'.join(have) or '无，请检查 voc.toml 的 folders.domains'}。")
    return [load_contract(path) for path in sorted(folder.glob("*.yaml"))]


def load_contract(path: Path, table: str = "feedback") -> Channel:
    """One contract: of a channel, or of a register that fills another table. Raises ContractError naming file and line."""
    source = ""
    try:
        source = path.read_text("utf-8-sig")
        root = _composed(source)
        lines, content = _lines(root), None if root is None else yaml.SafeLoader("").construct_document(root)
    except UnicodeDecodeError:
        raise ContractError(f"合同 {path.name} 不是 UTF-8 编码。请用编辑器另存为 UTF-8。") from None
    except yaml.YAMLError as error:
        line, words = yaml_words(error, source)
        raise ContractError(f"合同 {path.name} 第 {line} 行不是有效的 YAML：{words}。") from None
    if not isinstance(content, dict):
        raise ContractError(f"合同 {path.name} 是空的或不是「键: 值」的形式。可照抄同一文件夹里的另一份合同改写。")
    named = NAMED_BY.get(table, "register")
    if table != "feedback":
        content = {"channel": content.get(named), "solicited": False, "base": "customers"} | {key: value for key, value in content.items() if key != "register"}
    try:
        given = _Contract.model_validate(content)
    except ValidationError as error:
        raise ContractError("\n".join(_explain(path, lines, found) for found in _told_once(error.errors()))) from None
    _check_read(path, lines, given.read)
    if given.channel != path.stem:
        raise ContractError(_at(path, lines, named, f"{named} 写的是「{given.channel}」，须与文件名「{path.stem}」相同。"))
    for place, columns in [("columns", given.columns), *((f"variants.{i}.columns", v.columns) for i, v in enumerate(given.variants))]:
        for name in columns:
            if name not in fields_of(table):
                near = difflib.get_close_matches(name, fields_of(table), 1, 0.5)
                hint = f"是否想写「{near[0]}」？" if near else f"可用：{'、'.join(fields_of(table))}。"
                raise ContractError(_at(path, lines, f"{place}.{name}", f"没有名为「{name}」的列。{hint}"))
    for name, how in NEEDED[table].items():
        if name not in given.columns:
            raise ContractError(_at(path, lines, "columns", f"columns 中缺少 {name}：{how}。"))
    for key in given.identity:
        if not KEY_FORM.fullmatch(key):
            raise ContractError(_at(path, lines, f"identity.{key}", f"身份键「{key}」的名字须是小写英文，如 phone、vin、member、order；账号写 author:渠道名，昵称一类的弱键写 weak:nick。"))
    if missing := [key for key in NEEDED_KEYS.get(table, ()) if key not in given.identity]:
        raise ContractError(_at(path, lines, "identity", f"identity 中缺少 {missing[0]}：客户编号所在的列。"))
    if table == "identities" and len(given.identity) < 2:
        raise ContractError(_at(path, lines, "identity", "identity 中至少要有两个键：登记说的是哪些键属于同一个人。"))
    for place, words in wrong_weighting(given.columns, given.bands, given.weigh_by, given.held_out):
        raise ContractError(_at(path, lines, place, words))
    fields = given.model_dump(by_alias=True)
    fields["read"] = Read(**{k: tuple(v) if isinstance(v, list) else v for k, v in fields["read"].items()})
    fields["variants"] = tuple(Variant(tuple(v["when_columns"]), v["columns"]) for v in fields["variants"])
    fields["aliases"] = {name: tuple(others) for name, others in fields["aliases"].items()}
    fields |= {name: tuple(fields[name]) for name in ("optional", "weigh_by", "held_out")}
    fields["bases"] = {name: tuple(kinds) for name, kinds in fields["bases"].items()}
    read_with = {key: value for key, value in content.items() if key not in WEIGHTING}
    fingerprint = hashlib.sha256(json.dumps(read_with, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()[:16]
    return Channel(**fields, path=path, fingerprint=fingerprint, lines=lines, table=table)


def _check_read(path: Path, lines: dict[str, int], read: _Read) -> None:
    """Files or a database, not both. What is written at `connection` is never repeated: it may hold a password."""
    given = read.model_fields_set
    query = (read.sql or "").strip()
    checks = (
        (not read.glob and not given & OF_DATABASES, "read", "「read.glob」缺少这一项。读文件写 glob，读数据库写 sql 和 connection。"),
        (bool(given & OF_DATABASES) and not query, "read", "「read.sql」缺少这一项：写出取数的查询（SELECT …）。"),
        (bool(query) and bool(given - OF_DATABASES), f"read.{min(given - OF_DATABASES, default='')}",
         f"「read.{min(given - OF_DATABASES, default='')}」只用于文件，不能与 sql 同时写。"),
        (bool(query) and not re.match(r"(select|with)\b", query, re.IGNORECASE), "read.sql", "sql 须以 SELECT 或 WITH 开头：工作台只读取，不改动对方的数据库。"),
        (bool(query) and not CONNECTION.fullmatch(read.connection or ""), "read.connection" if "connection" in given else "read",
         "connection 须写成「env:变量名」，例如 env:WARRANTY_URL；数据库地址和密码放在该环境变量里，不写进合同。"),
        (":cursor" in query and not read.cursor, "read.sql", "sql 里用了 :cursor，但没有写 cursor: 列名（更新时间或递增编号）。"),
        (":cursor" in COMPARED.sub("", query), "read.sql",
         ":cursor 只能写成「列 > :cursor」。换一种写法，或去掉这个条件：写了 cursor 时工作台自己会从上次读到的地方读起。"),
    )
    for wrong, place, words in checks:
        if wrong:
            raise ContractError(_at(path, lines, place, words))


def locate(channel: Channel, place: str) -> str:
    """「合同 x.yaml 第 n 行」 for a path such as `columns.rating` or `variants.0.columns.status`."""
    while place and place not in channel.lines:
        place = place.rpartition(".")[0]
    return f"合同 {channel.path.name} 第 {channel.lines.get(place, 1)} 行"


def _composed(source: str) -> yaml.Node | None:
    """The tree of a file by libyaml where it is there (contracts are read for every page, and this is ten times faster); what is wrong is said by PyYAML, whose words we know."""
    try:
        return yaml.compose(source, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        return yaml.compose(source, Loader=yaml.SafeLoader)


def _lines(node: yaml.Node | None, path: str = "") -> dict[str, int]:
    found: dict[str, int] = {}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            place = f"{path}.{key.value}".lstrip(".")
            found[place] = key.start_mark.line + 1
            found |= _lines(value, place)
    elif isinstance(node, yaml.SequenceNode):
        for i, item in enumerate(node.value):
            found[f"{path}.{i}"] = item.start_mark.line + 1
            found |= _lines(item, f"{path}.{i}")
    return found


def _told_once(errors: list[dict]) -> list[dict]:
    """Of an expression, which is written in one of three forms, only what is wrong with the form that was meant."""
    kept = []
    for error in errors:
        form = next((part for part in error["loc"] if part in ("str", _Dated.__name__, _Hashed.__name__)), None)
        whole = next((e["input"] for e in errors if e["loc"] == (*error["loc"][: error["loc"].index(form)], "str")), None) if form else None
        meant = "str" if not isinstance(whole, dict) else _Hashed.__name__ if "hash_of" in whole else _Dated.__name__
        if form in (None, meant):
            kept.append(error)
    return kept


def _explain(path: Path, lines: dict[str, int], error: dict) -> str:
    place = [str(part) for part in error["loc"] if not str(part).startswith("_") and str(part) != "str"]
    what = type_words(error)
    hint = ""
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(place[-1], [*_Contract.model_fields, *_Read.model_fields, "from", "formats", "hash_of"], 1, 0.6)
        hint = f"是否想写「{near[0]}」？" if near else ""
    found = "" if error["type"] in ("missing", "extra_forbidden", "value_error") or _may_be_secret(error) else f"，写的是「{error['input']}」"
    return _at(path, lines, ".".join(place), f"「{'.'.join(place)}」{what}{found}。{hint}")


def _may_be_secret(error: dict) -> bool:
    return error["loc"][-1] == "connection" or "://" in str(error["input"])


def _at(path: Path, lines: dict[str, int], place: str, words: str) -> str:
    while place and place not in lines:
        place = place.rpartition(".")[0]
    return f"合同 {path.name} 第 {lines.get(place, 1)} 行：{words}"

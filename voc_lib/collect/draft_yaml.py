"""The proposed contract as a commented file: every doubtful line says 存疑, what was not guessed is listed at the end."""

from __future__ import annotations

import json
import re

from voc_lib.collect.draft_columns import NO, WORD_SCORES, YES, Column
from voc_lib.collect.draft_guess import Guess
from voc_lib.collect.masking import mask_text

DOUBT = "# 存疑："
DIGITS_OF_PHONE = "right(regexp_replace({}, '[^0-9]', '', 'g'), 11)"
SCALES = (5, 10, 100)
# What an id is made of where there is none; never a phone or a VIN, which could be guessed back from the hash.
MADE_OF = ("occurred_at", "title", "verbatim", "product", "dealer", "city", "rating", "nps", "csat")


def contract_text(guess: Guess, read: dict[str, object], about: dict[str, object], doubts: dict[str, str], heads: dict[str, list[str]],
                  optional: list[str]) -> str:
    """The whole file. `heads`: alias -> other heads of the same column in further files; `doubts` by key of the file."""
    names = aliases_of(guess)
    lines = [f"# 由 voc contract draft 看着 {mask_text(str(about['file']))} 起草。「存疑」的地方请核对，核对过就删去那句注释。",
             "# 改的是词，不是程序；改完运行 voc contract check，再重新导入。"]
    for key in ("channel", "title", "owner", "base", "solicited", "cannot_tell"):
        lines.append(_line(0, key, _scalar(about[key]), doubts.get(key)))
    lines += ["timezone: Asia/Shanghai", "read:"]
    for key, value in read.items():
        lines.append(_line(2, key, json.dumps(value, ensure_ascii=False), doubts.get(key)))
    plain_columns = {alias: column for alias, column in names.items() if not column.path}
    if plain_columns:
        lines.append("aliases:                              # 左边是下面用的名字，右边是文件里的列名；列名以后变了，在方括号里加一个")
        for alias, column in plain_columns.items():
            lines.append(_line(2, alias, json.dumps([column.head, *heads.get(alias, [])], ensure_ascii=False)))
    if optional:
        lines.append(_line(0, "optional", json.dumps(optional), "不是每个文件都有这些列"))
    if about.get("where"):
        lines.append(_line(0, "where", _quoted(str(about["where"])), doubts.get("where")))
    lines.append(_line(0, "columns", "", doubts.get("columns.")))
    for name, value in _columns(guess, {id(column): alias for alias, column in names.items()}, doubts).items():
        lines.append(_line(2, name, value, doubts.get(f"columns.{name}")))
    keys = {kind: _used(column, names) for kind, column in guess.identity.items()}
    if keys:
        lines.append("identity:                             # 取哈希后即丢弃，原值不入库")
        lines += [_line(2, kind, _quoted(value)) for kind, value in keys.items()]
    lines.append("freshness_days: 8")
    lines += _not_used(guess)
    return "\n".join(lines) + "\n"


def aliases_of(guess: Guess) -> dict[str, Column]:
    """The short name by which the contract speaks of each column it uses; never that of another column of the file."""
    used = {**guess.fields, **{kind: column for kind, column in guess.identity.items()}} | ({"author": guess.author} if guess.author else {})
    everything = [*used.values(), *guess.unused, *guess.left_out]
    return {_free(name, column, everything): column for name, column in used.items()}


def _free(name: str, column: Column, everything: list[Column]) -> str:
    clash = any(other.raw.lower() == name and other.raw != column.raw for other in everything)
    return f"{name}_here" if clash else name


def _used(column: Column, names: dict[str, Column]) -> str:
    alias = next(alias for alias, other in names.items() if other is column)
    return _expression(column, alias)


def _expression(column: Column, alias: str) -> str:
    if not column.path:
        return alias
    return f"CASE WHEN json_valid(\"{column.raw}\") THEN json_extract_string(\"{column.raw}\", '$.\"{column.path[0]}\"') END"


def _columns(guess: Guess, names: dict[int, str], doubts: dict[str, str]) -> dict[str, str]:
    def of(column: Column) -> str:
        return _expression(column, names[id(column)])

    made: dict[str, str] = {}
    if "source_id" in guess.fields:
        made["source_id"] = _quoted(of(guess.fields["source_id"]))
    else:
        parts = [guess.fields[name] for name in MADE_OF if name in guess.fields] + ([guess.author] if guess.author else [])
        made["source_id"] = "{hash_of: " + json.dumps(list(dict.fromkeys(c.raw if c.path else names[id(c)] for c in parts)), ensure_ascii=False) + "}"
        doubts["columns.source_id"] = "没有编号列：这几列都相同的算同一条；若文件其实有编号，请换成那一列"
    for name, column in guess.fields.items():
        if name == "occurred_at":
            made[name] = _moment(column, of(column))
        elif name in ("rating", "csat", "nps", "ces"):
            made |= _score(name, column, of(column), doubts)
        elif name == "deleted":
            made[name] = _flag(of(column))
        elif name != "source_id":
            made[name] = _quoted(of(column))
    if guess.author is not None:
        made["author"] = _quoted(of(guess.author))
    elif guess.identity:
        kind, column = next(iter(guess.identity.items()))
        made["author"] = _quoted(DIGITS_OF_PHONE.format(of(column)) if kind == "phone" else of(column))
    if "author" in made:
        made["author_kind"] = _quoted("'unknown'")
    return made


def _moment(column: Column, expression: str) -> str:
    if column.path:
        forms = [form for form in column.formats if form not in ("iso", "excel", "epoch_s", "epoch_ms")]
        tries = [f"CAST(try_strptime({expression}, '{form}') AS TIMESTAMPTZ)" for form in forms] + [f"TRY_CAST({expression} AS TIMESTAMPTZ)"]
        tries += [f"to_timestamp(TRY_CAST({expression} AS DOUBLE){' / 1000' if form == 'epoch_ms' else ''})" for form in column.formats if form.startswith("epoch")]
        return _quoted(f"coalesce({', '.join(tries)})")
    return f"{{from: {expression}, formats: {json.dumps(column.formats, ensure_ascii=False)}}}"


def _score(name: str, column: Column, expression: str, doubts: dict[str, str]) -> dict[str, str]:
    if column.numeric >= 0.6:
        plain = all(re.fullmatch(r"\d+(\.\d+)?", value.strip()) for value in column.values)
        value = _quoted(expression if plain else f"regexp_extract({expression}, '[0-9.]+')")
        best = next((scale for scale in SCALES if max(column.numbers) <= scale), 100)
    else:
        cases = " ".join(f"WHEN '{word}' THEN {score}" for word, score in WORD_SCORES.items() if word in {v.strip() for v in column.values})
        value, best = _quoted(f"CASE trim({expression}) {cases} END"), 5
        doubts[f"columns.{name}"] = "文字评价换成了 1—5 分，请核对；没有列出的说法不算打分"
    if name != "rating":
        return {name: value}
    doubts.setdefault("columns.rating_scale", f"最高见到 {max(column.numbers, default=5):g} 分，满分按 {best} 分算")
    return {name: value, "rating_scale": _quoted(str(best))}


def _flag(expression: str) -> str:
    yes, no = (", ".join(f"'{word}'" for word in words) for words in (YES, NO))
    return _quoted(f"CASE WHEN lower(trim({expression})) IN ({yes}) THEN true WHEN lower(trim({expression})) IN ({no}) THEN false END")


def _not_used(guess: Guess) -> list[str]:
    lines = []
    if guess.left_out:
        lines.append(f"# 个人信息，没有读：{'、'.join(_head(c) for c in guess.left_out)}")
    if guess.unused:
        lines.append(f"# 没有用到的列：{'、'.join(_head(c) for c in guess.unused)}")
        lines.append("# 要用其中一列，在 aliases 里给它一个名字，再在 columns 里写上；可写的有 brand、product、variant、region、city、dealer、stage、status 等")
    return lines


def _head(column: Column) -> str:
    return mask_text(" ".join(column.head.split()))


def _line(indent: int, key: str, value: str, doubt: str | None = None) -> str:
    start = f"{' ' * indent}{key}: {value}".rstrip()
    return f"{start:<38}  {DOUBT}{' '.join(mask_text(doubt).split())}" if doubt else start


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if re.fullmatch(r"[^\W\d][\w（），。、；]+", str(value)) else json.dumps(str(value), ensure_ascii=False)


def _quoted(expression: str) -> str:
    """A YAML string that keeps the quotes and signs of SQL."""
    return json.dumps(expression, ensure_ascii=False)

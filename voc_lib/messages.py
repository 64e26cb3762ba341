"""What other people's software says in English, in the analyst's words: the system, the lake's format, DuckDB, YAML, TOML, pydantic.

Common ground: each door (settings, contracts, taxonomy, exports, the command line) puts its own place in front.
"""

from __future__ import annotations

import errno
import os
import re
import tomllib

import yaml

class Told(Exception):
    """An error whose message is written for the analyst; the command line shows it alone, any other keeps its traceback."""

    exit_status = 1


# errno -> what is wrong, what to do. Numbers of other systems (a Mac, Windows) are named alike in `errno`.
CAUSES = {
    errno.ENOSPC: ("磁盘已满", "腾出空间"),
    errno.EDQUOT: ("磁盘配额已用完", "腾出空间或请管理员放宽配额"),
    errno.EFBIG: ("文件大小超出了系统允许的上限", "放宽上限（ulimit -f）或换一块磁盘"),
    errno.EROFS: ("磁盘是只读的", "换一个可写的文件夹，或请管理员改为可写"),
    errno.EACCES: ("没有读写权限，或文件正被别的程序占用", "检查权限、关闭占用它的程序"),
    errno.EPERM: ("系统不允许这样做", "检查权限"),
    errno.ENOTDIR: ("路径上该是文件夹的地方是一个文件", "移走它或改名"),
    errno.EEXIST: ("该是文件夹的地方是一个文件", "移走它或改名"),
    errno.EISDIR: ("该是文件的地方是一个文件夹", "移走它或改名"),
    errno.ENOENT: ("文件不见了，可能已被移走或改名", "放回原处"),
    errno.EMFILE: ("打开的文件太多", "关闭别的程序或放宽上限（ulimit -n）"),
    errno.ENAMETOOLONG: ("路径太长", "换一个短一些的文件夹"),
    errno.EIO: ("磁盘读写出错，可能已损坏", "检查磁盘"),
}
WINDOWS = {5: errno.EACCES, 32: errno.EACCES, 112: errno.ENOSPC, 206: errno.ENAMETOOLONG}  # as Rust libraries number them there
UNKNOWN = "排除原因"

YAML_WORDS = (
    ("found character '\\t'", "用了 Tab；缩进只能用空格"),
    ("found unexpected end of stream", "引号没有合上"),
    ("found unexpected document separator", "引号没有合上"),
    ("mapping values are not allowed here", "多了一个冒号，或缩进不齐；带冒号的文字要加引号"),
    ("could not find expected ':'", "缺少冒号，或冒号后少了空格"),
    ("expected ',' or ']'", "方括号或逗号没有写全"),
    ("expected ',' or '}'", "花括号或逗号没有写全"),
    ("expected <block end>", "缩进与上一行不齐"),
    ("did not find expected", "缩进与上一行不齐，或少了标点"),
    ("cannot start any token", "有 YAML 不认的符号；给这段文字加引号"),
    ("found undefined alias", "以 * 开头的文字要加引号"),
)
SQL_WORDS = (
    (r'syntax error at or near "(?i:AS|FROM|\))"', "没有写完，或括号、逗号多了少了"),  # where our own words begin
    (r'syntax error at or near "(.*)"', "写法不对，出在「{}」附近；检查括号、引号和逗号"),
    (r"syntax error at end of input", "没有写完；检查括号和引号"),
    (r"has been disabled|disabled by configuration", "这里不许读文件或连网络，只能用这一行的各列"),
    (r"unterminated", "引号没有合上"),
    (r"Function with name \"?(\w+)\"? does not exist", "没有函数「{}」"),
    (r"No function matches the given name and argument types '(\w+)", "函数「{}」不能用于这种类型或这么多个值"),
    (r'Referenced column "(.+?)" (?:was )?not found', "没有列「{}」"),
    (r"Table with name (\S+) does not exist", "没有表「{}」"),
    (r"Could not convert string '(.*?)' to (\w+)", "「{}」不能当作 {}"),
    (r"Cannot compare values of type (\w+) and (?:type )?(\w+)", "{} 和 {} 不能相比；用 CAST 转成同一类型"),
)
AT_START = ("while scanning a simple key", "while scanning a quoted scalar", "while parsing a flow sequence", "while parsing a flow mapping")

TYPES = {
    "missing": "缺少这一项", "extra_forbidden": "不认识这一项", "bool_type": "应为 true 或 false", "bool_parsing": "应为 true 或 false",
    "string_type": "应为文字", "int_type": "应为整数", "int_parsing": "应为整数", "dict_type": "应为「键: 值」", "list_type": "应为列表",
    "tuple_type": "应为列表，如 [\"a\", \"b\"]", "model_type": "应为一节设置", "greater_than_equal": "太小", "too_short": "不能是空的",
    "string_too_short": "不能是空的", "string_too_long": "太长", "model_attributes_type": "应为「键: 值」",
}


def system_words(error: BaseException) -> tuple[str, str] | None:
    """What the operating system refused and what to do first; None where the error is not the system's.

    Rust libraries (Delta, Polars) hide the number in their text.

    >>> system_words(OSError(28, "No space left on device"))
    ('磁盘已满', '腾出空间')
    """
    number = error.errno if isinstance(error, OSError) else None
    hidden = re.search(r"\(os error (\d+)\)", str(error))
    if number is None and hidden:
        number = WINDOWS.get(int(hidden[1])) if os.name == "nt" else int(hidden[1])
    if number is None and not isinstance(error, OSError):
        return None
    what, remedy = CAUSES.get(number, (" ".join(str(error).split()), UNKNOWN))
    return what + (f"（{error.filename}）" if getattr(error, "filename", None) else ""), remedy


def newer_format(error: BaseException) -> bool:
    """Whether a Delta table was written in a format that this version cannot read.

    >>> newer_format(Exception("Kernel error: Unsupported: Unsupported minimum reader version 9"))
    True
    """
    return re.search(r"(?i)unsupported.{0,40}(version|feature)|(version|feature).{0,60}(unsupported|not supported)", str(error)) is not None


def sql_words(error: BaseException) -> str:
    """What DuckDB says of an expression or a query; what is not known here is quoted as it stands.

    >>> sql_words(Exception('Parser Error: syntax error at or near "than"'))
    '写法不对，出在「than」附近；检查括号、引号和逗号'
    """
    first = str(error).strip().splitlines()[0]
    for pattern, words in SQL_WORDS:
        if found := re.search(pattern, first):
            near = re.search(r'Candidate bindings: "([^"]+)"', str(error))
            hint = f"。是否想写「{near[1].split('.')[-1]}」" if near else ""
            return words.format(*found.groups()) + hint
    return f"DuckDB 的原话是「{first}」"


def yaml_words(error: yaml.YAMLError, source: str) -> tuple[int, str]:
    """Line (from 1) and what is wrong there."""
    if not isinstance(error, yaml.MarkedYAMLError):
        place = getattr(error, "position", 0)
        return source[:place].count("\n") + 1, "含有不能显示的字符，请删去"
    mark = error.context_mark if error.context in AT_START else error.problem_mark
    mark = mark or error.context_mark or error.problem_mark
    problem = error.problem or ""
    words = next((chinese for english, chinese in YAML_WORDS if english in problem), "检查缩进、冒号后的空格和引号")
    return (mark.line + 1 if mark else 1), words


def toml_words(error: tomllib.TOMLDecodeError, source: str) -> str:
    """The line that does not parse, as it stands."""
    found = re.search(r"at line (\d+)", str(error))
    lines = source.rstrip("\n").split("\n")
    number = min(int(found[1]) if found else len(lines), len(lines))
    return f"第 {number} 行「{lines[number - 1].strip()}」"


def type_words(error: dict) -> str:
    """One of pydantic's complaints."""
    if error["type"] in TYPES:
        return TYPES[error["type"]]
    said = str(error["msg"])
    return said.removeprefix("Value error, ") if said.startswith("Value error, ") else "类型不对"

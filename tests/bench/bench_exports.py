"""What a large or strange export costs: `python tests/bench/bench_exports.py [rows]` prints CPU seconds and the highest memory of each step.

A survey of 300,000 rows as .xlsx (with and without merged cells), the same as GBK text called .xls and as a web page called .xls;
proposed as a contract, tried, ingested. Every step runs in a process of its own.
"""

from __future__ import annotations

import html
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
HEADS = ["工单编号", "回访时间", "联系电话", "车型", "城市", "总体满意度(1-5)", "推荐意愿(0-10)", "意见与建议"]


def row(n: int) -> list:
    return [f"GD{n:07d}", 46_000 + n % 300 + 0.5, f"139{n:08d}", f"星澜{'SEA'[n % 3]}{n % 9}", ("杭州", "成都", "沈阳")[n % 3], n % 5 + 1, n % 11,
            f"第{n}次回访：空调开了{n % 20}分钟还不冷，客服电话{n % 7}次没人接，希望早点解决"]


def workbook(path: Path, rows: int, merged: bool) -> None:
    import xlsxwriter

    book = xlsxwriter.Workbook(path, {"constant_memory": not merged})
    sheet = book.add_worksheet("明细")
    sheet.write_row(0, 0, HEADS)
    for n in range(rows):
        sheet.write_row(n + 1, 0, row(n))
    for n in range(0, rows - 10, 1_000) if merged else ():
        sheet.merge_range(n + 1, 4, n + 10, 4, "杭州")
    book.close()


def text(path: Path, rows: int) -> None:
    with path.open("w", encoding="gb18030") as file:
        file.writelines("\t".join(map(str, cells)) + "\n" for cells in [HEADS, *map(row, range(rows))])


def page(path: Path, rows: int) -> None:
    with path.open("w", encoding="gb18030") as file:
        file.write("<html><head><meta charset=gb2312></head><body><table>")
        file.writelines("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells) + "</tr>\n" for cells in [HEADS, *map(row, range(rows))])
        file.write("</table></body></html>")


def step(home: Path, *words: str) -> tuple[float, float, str]:
    """CPU seconds, highest resident memory in MB and the last line said, of one command."""
    code = ("import sys, resource; from voc_lib.cli import main\nsys.argv[0] = 'voc'\ntry:\n    main()\nfinally:\n"
            "    used = resource.getrusage(resource.RUSAGE_SELF); print('USED', used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)")
    done = subprocess.run([sys.executable, "-c", code, *words], env=os.environ | {"VOC_HOME": str(home), "PYTHONPATH": str(PROJECT)}, capture_output=True, text=True, check=False)
    used = next(line for line in done.stderr.splitlines() if line.startswith("USED")).split()
    scale = 1e6 if sys.platform == "darwin" else 1e3  # ru_maxrss is in bytes there
    said = next((line for line in done.stdout.splitlines() if line.startswith(("新存", "没有新的", "检查了", "合同写在"))), done.stderr.splitlines()[0])
    return float(used[1]), float(used[2]) / scale, said.replace(str(home), "…")


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    with tempfile.TemporaryDirectory() as folder:
        home, exports = Path(folder) / "home", Path(folder) / "exports"
        exports.mkdir()
        home.mkdir()
        shutil.copy(PROJECT / "voc.toml", home)
        shutil.copytree(PROJECT / "data" / "domains", home / "data" / "domains")
        kinds = {"plain": ("回访.xlsx", lambda path: workbook(path, rows, False)), "merged": ("合并.xlsx", lambda path: workbook(path, rows, True)),
                 "text": ("文本.xls", lambda path: text(path, rows)), "page": ("网页.xls", lambda path: page(path, rows))}
        print(f"{rows:,} rows of {len(HEADS)} columns; load before: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB")
        print(f"{'export':8}{'MB':>7}  {'step':8}{'CPU s':>8}{'peak MB':>9}  said")
        for name, (file, write) in kinds.items():
            path = exports / name / file
            path.parent.mkdir()
            write(path)
            size = path.stat().st_size / 1e6
            for words in (("contract", "draft", str(path), "--domain", "auto", "--channel", name), ("contract", "check", name, "--domain", "auto", "--against", str(path)),
                          ("ingest", "--store", name, "--domain", "auto", str(path.parent))):
                seconds, memory, said = step(home, *words)
                print(f"{name:8}{size:>7.1f}  {words[1] if words[0] == 'contract' else words[0]:8}{seconds:>8.1f}{memory:>9.0f}  {said}", flush=True)
            path.unlink()


if __name__ == "__main__":
    main()

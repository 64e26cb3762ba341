"""Three exports in layouts that no contract of the project knows, written row by row so that every count is known beforehand."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import xlsxwriter

MODELS = ("星澜S5", "星澜E7", "星澜A3")
SAID = ("刹车的时候方向盘抖得厉害", "空调开了十分钟还是不冷", "车机导航到一半就黑屏重启", "店里的师傅很耐心，讲得明白", "冬天续航掉得太快，充电桩又少", "交车拖了两个星期没人联系")
CITIES = (("华东", "杭州"), ("华北", "石家庄"), ("西南", "成都"))
START = date(2025, 9, 1)
ROWS = 60


def mobile(n: int) -> str:
    return f"138{10_000_000 + n * 7_919:08d}"[:11]


def survey(folder: Path) -> Path:
    """A survey tool: two lines of title, merged heads above the heads, the region merged over its rows, dates as numbers, a row of sums."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "售后满意度问卷_20251101.xlsx"
    book = xlsxwriter.Workbook(path)
    notes = book.add_worksheet("填写说明")
    notes.write(0, 0, "每位进店客户一份")
    sheet = book.add_worksheet("答卷明细")
    sheet.merge_range(0, 0, 0, 8, "2025年第三季度售后满意度问卷")
    sheet.write(1, 0, "导出时间：2025-11-01 09:00    导出人：系统")
    sheet.merge_range(2, 0, 3, 0, "答卷编号")
    sheet.merge_range(2, 1, 2, 4, "客户与车辆")
    sheet.merge_range(2, 5, 2, 8, "回答")
    sheet.write_row(3, 1, ["客户姓名", "联系电话", "车型", "大区", "填写时间", "总体满意度（1-5）", "推荐意愿(0-10)", "5、您还有什么想对我们说的？"])
    for n in range(ROWS):
        row = 4 + n
        serial = (START + timedelta(days=n) - date(1899, 12, 30)).days + 0.375  # nine in the morning
        sheet.write_row(row, 0, [f"DJ25{n:05d}", "张三丰", mobile(n), MODELS[n % 3]])
        sheet.write_row(row, 5, [serial, n % 5 + 1, n % 11, SAID[n % 6] if n % 4 else ""])
    for n in range(0, ROWS, 20):  # twenty rows a region
        sheet.merge_range(4 + n, 4, 4 + n + 19, 4, CITIES[n // 20][0])
    sheet.write(4 + ROWS, 0, "合计")
    sheet.write(4 + ROWS, 6, 180)
    book.close()
    return path


def hotline(folder: Path) -> Path:
    """A hotline: GBK, semicolons, Chinese dates, called .xls; the first column only counts the rows."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "400热线来电记录202511.xls"
    lines = ["序号;受理编号;来电时间;主叫号码;车架号;车系;所在城市;诉求内容;处理状态;更新时间"]
    for n in range(ROWS):
        day = START + timedelta(days=n)
        when = f"{day.year}年{day.month}月{day.day}日 {n % 12 + 8}:{n % 60:02d}"
        lines.append(f"{n + 1};SL-{n:06d};{when};{mobile(n)};LSVAA4182E{2_100_000 + n};{MODELS[n % 3]};{CITIES[n % 3][1]};客户来电说{SAID[n % 6]}，电话{mobile(n)};{'已回访' if n % 2 else '处理中'};2025/11/2 9:05")
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode("gb18030"))
    return path


def forum(folder: Path) -> Path:
    """A crawl of a forum: JSON lines, English names, the author an object of its own, times as seconds since 1970."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "crawl_posts_1101.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for n in range(ROWS):
            moment = datetime(2025, 9, 1, 3, tzinfo=UTC) + timedelta(days=n)
            post = {"post_id": 880_000 + n, "thread_id": 7_000 + n // 4, "title": f"{MODELS[n % 3]}用车感受", "content": f"提车第{n}天，" + SAID[n % 6], "created_at": int(moment.timestamp()),
                    "user": {"id": 5_000 + n % 20, "name": f"车友{n % 20}", "city": CITIES[n % 3][1]}, "stars": n % 5 + 1, "like_count": n % 9, "url": f"https://forum.example/t/{n}"}
            file.write(json.dumps(post, ensure_ascii=False) + "\n")
    return path

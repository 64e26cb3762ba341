"""Facts about the bundled sample exports: what README.md there says is planted, is planted."""

import csv
import io
import json
import re
import unicodedata
from collections import Counter
from datetime import date, datetime
from functools import cache
from pathlib import Path

import openpyxl
import pytest
import yaml

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "tests" / "exports"
CONTRACTS = ROOT / "data" / "domains" / "auto" / "channels"
STATUSES = ["信息审核", "厂家受理", "已回复", "已解决"]
EAST = {"上海", "江苏", "浙江", "安徽", "福建", "山东"}
NORTH = {"华北", "东北", "西北"}
NORTH_PROVINCES = {"北京", "天津", "河北", "山西", "内蒙", "辽宁", "吉林", "黑龙", "陕西", "甘肃", "新疆"}


def table(path: str, encoding: str) -> list[dict]:
    return list(csv.DictReader(io.StringIO((SAMPLE / path).read_bytes().decode(encoding), newline="")))


@cache
def complaints(day: str) -> list[dict]:
    """Both snapshots under the English names of the second; values stripped."""
    names = "id brand car_series car_model title desc province city datetime status".split()
    raw = table(f"complaint_site/complaints_{day}.csv", "gbk")
    return [dict(zip(names, (v.strip() for v in row.values()), strict=True)) for row in raw]


@cache
def reviews() -> list[dict]:
    return table("app_store/reviews.csv", "utf-8-sig")


def call_lines() -> list[str]:
    return [line for month in (10, 11) for line in (SAMPLE / f"hotline/calls_2026-{month}.jsonl").read_text("utf-8").splitlines()]


@cache
def calls() -> list[dict]:
    """Lines that are JSON and whose day exists."""
    good = []
    for line in call_lines():
        try:
            row = json.loads(line)
            datetime.fromisoformat(row["start_time"])
        except ValueError:
            continue
        good.append(row)
    return good


@cache
def sheet() -> list[tuple]:
    return list(openpyxl.load_workbook(SAMPLE / "dealer_survey/survey.xlsx").active.iter_rows(values_only=True))


def answers() -> list[dict]:
    return [dict(zip(sheet()[2], row, strict=True)) for row in sheet()[3:] if row[0]]


@cache
def feedback() -> list[dict]:
    """One row per distinct feedback: channel, key, person, week, text, whether it rates, and product and region where exported."""
    rows = []
    for row in {row["id"]: row for day in ("2026-11-02", "2026-11-16") for row in complaints(day)}.values():
        area = row["province"][:2]
        region = "华东" if area in EAST else "北方" if area in NORTH_PROVINCES else "其他"
        day = date(*map(int, re.split("[/-]", row["datetime"])))
        rows.append(("complaint_site", row["id"], row["id"], day, row["desc"], row["car_series"], region, False))
    for row in {tuple(r.values()): r for r in reviews()}.values():
        day, advert = datetime.fromisoformat(row["发表时间"]).date(), "油卡充值" in row["内容"]
        rated = row["deleted"] != "True" and not advert
        rows.append(("app_store", row["发表时间"], row["作者"], day, f"{row['标题']} {row['内容']}", "", "", rated))
    for row in calls():
        day, area = datetime.fromisoformat(row["start_time"]).date(), row["region"][:2]
        region = "北方" if area in NORTH else area
        rows.append(("hotline", row["call_id"], digits(row["phone"]) or row["call_id"], day, row["summary"], row["product"] or "", region, False))
    for row in answers():
        region = "北方" if row["大区"] in NORTH else row["大区"]
        person, rated = digits(row["手机号"]) or row["工单号"], row["总体满意度(1-5)"] is not None
        text = row["您还有什么想说的"] or ""
        rows.append(("dealer_survey", row["工单号"], person, row["进店日期"].date(), text, row["车型"], region, rated))
    names = ("channel", "key", "person", "day", "text", "product", "region", "rated")
    return [dict(zip(names, row, strict=True)) | {"week": row[3].isocalendar().week, "product": row[5][-2:].upper()} for row in rows]


def digits(phone: object) -> str:
    return re.sub(r"\D", "", str(phone or ""))[-11:]


@cache
def stories() -> dict[tuple[str, int], dict[str, dict]]:
    """Story and week to its people: who spoke (phone, nick, else the feedback itself) to what they said."""
    said = {}
    for row in feedback():
        said.setdefault((row["channel"], row["key"]), row)
    found: dict[tuple[str, int], dict[str, dict]] = {}
    for line in csv.DictReader((ROOT / "tests/collect/sample_stories.csv").read_text("utf-8").splitlines()):
        row = said[line["channel"], line["key"]]  # KeyError: the list names a feedback no export has
        found.setdefault((line["story"], row["week"]), {})[row["person"]] = row
    return found


def people(story: str) -> list[int]:
    return [len(stories()[story, week]) for week in range(39, 47)]


def test_rows_of_every_file():
    assert [len(complaints("2026-11-02")), len(complaints("2026-11-16"))] == [114, 109]
    assert [len(reviews()), len(call_lines()), len(calls()), len(answers())] == [190, 256, 254, 285]


def test_eight_weeks_of_about_the_same_size():
    weeks = Counter(r["week"] for r in feedback())
    assert sum(weeks.values()) == 887
    assert sorted(weeks) == list(range(39, 47)) and min(weeks.values()) >= 95 and max(weeks.values()) <= 125


def test_encodings_are_those_of_real_exports():
    for day in ("2026-11-02", "2026-11-16"):
        with pytest.raises(UnicodeDecodeError):
            (SAMPLE / f"complaint_site/complaints_{day}.csv").read_bytes().decode("utf-8")
    assert (SAMPLE / "app_store/reviews.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_two_snapshots_of_the_complaint_list():
    first = {row["id"]: row for row in complaints("2026-11-02")}
    second = {row["id"]: row for row in complaints("2026-11-16")}
    both = first.keys() & second.keys()
    changed = [i for i in both if first[i]["status"] != second[i]["status"]]
    assert (len(first), len(second), len(both), len(changed)) == (114, 107, 59, 42)
    assert all(STATUSES.index(first[i]["status"]) <= STATUSES.index(second[i]["status"]) for i in both)
    assert {row["status"] for row in [*first.values(), *second.values()]} == set(STATUSES)
    assert all(first[i]["desc"] == second[i]["desc"] for i in both)
    start = min(row["datetime"] for row in second.values())
    in_window = [i for i, row in first.items() if datetime.strptime(row["datetime"], "%Y/%m/%d") >= datetime.fromisoformat(start)]
    assert [i for i in in_window if i not in second] == ["937447"]  # withdrawn between the two


def test_complaint_files_differ_in_header_and_carry_stray_blanks():
    chinese = (SAMPLE / "complaint_site/complaints_2026-11-02.csv").read_bytes().decode("gbk")
    english = (SAMPLE / "complaint_site/complaints_2026-11-16.csv").read_bytes().decode("gbk")
    assert chinese.startswith("投诉编号,") and english.startswith("id,")
    assert "\t," in chinese and "\t," in english
    assert {"星澜A7", "星澜 A7"} <= {r["car_series"] for r in complaints("2026-11-02")}
    assert {"星澜A7", "星澜a7", "A7"} <= {r["car_series"] for r in complaints("2026-11-16")}


def test_reviews_have_duplicates_spam_and_deleted_ones():
    rows = [tuple(r.values()) for r in reviews()]
    assert len(rows) - len(set(rows)) == 4
    spam = [r for r in set(rows) if "油卡充值" in r[3]]
    assert len(spam) == len({r[4] for r in spam}) == 5 and len({r[3] for r in spam}) == 1
    assert sum(r[7] == "True" for r in set(rows)) == 8


def test_two_broken_call_lines_and_many_unanswered_satisfactions():
    bad = [line for line in call_lines() if '"CC202610150777"' in line or '"CC202611310091"' in line]
    with pytest.raises(ValueError):
        json.loads(bad[0])
    with pytest.raises(ValueError):
        datetime.fromisoformat(json.loads(bad[1])["start_time"])
    assert len({c["call_id"] for c in calls()}) == 254
    assert 0.5 < sum(c["csat"] is None for c in calls()) / 254 < 0.8
    assert all(c["start_time"].endswith("+08:00") for c in calls())


def test_survey_sheet_has_titles_blank_rows_a_total_and_mixed_cells():
    assert sheet()[2][0] == "工单号" and "合成样例数据" in sheet()[1][0]
    assert sum(not any(row) for row in sheet()[3:]) == 4 and sheet()[-1][4] == "合计"
    assert all(isinstance(a["进店日期"], datetime) for a in answers())
    assert {int, str} <= {type(a["手机号"]) for a in answers()}
    assert {"不方便回答"} < {a["推荐意愿(0-10)"] for a in answers() if isinstance(a["推荐意愿(0-10)"], str)}
    assert sum(a["您还有什么想说的"] is None for a in answers()) == 58
    assert len({a["工单号"] for a in answers()}) == 285


def test_fourteen_owners_speak_through_hotline_and_survey():
    called = {digits(c["phone"]) for c in calls() if c["phone"]}
    asked = {digits(a["手机号"]) for a in answers() if a["手机号"]}
    assert len(called & asked) == 14
    assert len([c for c in calls() if c["phone"]]) - len(called) == 5  # called twice


def test_planted_stories_have_the_people_a_week_the_readme_says():
    assert people("空调异响") == [1, 2, 1, 2, 3, 5, 14, 36]
    assert people("数字钥匙失灵") == [3, 3, 5, 10, 28, 31, 13, 5]
    assert people("低温续航缩水") == [4, 5, 6, 8, 10, 12, 14, 15]
    readme = (SAMPLE / "README.md").read_text("utf-8")
    for story in {story for story, _ in stories()}:
        assert f"| {story} | " + " | ".join(map(str, people(story))) + " |" in readme


@pytest.mark.parametrize("story", ["车机卡顿黑屏", "门店销售服务", "充电慢桩不兼容", "座椅"])
def test_flat_stories_have_no_trend(story):
    assert min(people(story)) >= 10 and max(people(story)) <= 14


def test_air_conditioning_noise_is_mostly_the_a7_in_the_east_and_in_three_channels():
    last = list(stories()["空调异响", 46].values())
    assert sum(r["product"] == "A7" and r["region"] == "华东" for r in last) / len(last) > 0.85
    assert {r["channel"] for r in last} == {"complaint_site", "hotline", "dealer_survey"}


def test_winter_range_is_a_story_of_the_north():
    cold = [r for week in range(39, 47) for r in stories()["低温续航缩水", week].values()]
    assert sum(r["region"] == "北方" for r in cold) / len(cold) > 0.85
    assert Counter(r["product"] for r in cold).keys() >= {"E3", "A7", "S5"}


@pytest.mark.parametrize("story, words", [
    ("空调异响", "(空调|暖风|出风|鼓风|除雾|风量).*(响|声|噪|嗡|吱|咔)"),
    ("数字钥匙失灵", "(蓝牙|蓝芽|数字|手机)钥匙|解锁"),
    ("低温续航缩水", "续航|电耗|掉电|满电"),
    ("充电慢桩不兼容", "快充|慢充|充电|桩"),
])
def test_plain_words_find_most_of_a_story_and_miss_some(story, words):
    told = [r["text"] for week in range(39, 47) for r in stories()[story, week].values()]
    assert 0.6 < sum(bool(re.search(words, text)) for text in told) / len(told) < 1


def test_every_week_has_raters_and_reviewers_enough_for_a_share():
    for week in range(39, 47):
        own = [r for r in feedback() if r["week"] == week and r["rated"]]
        reviewers = {r["person"] for r in own if r["channel"] == "app_store"}
        assert len(reviewers) >= 11 and len({r["person"] for r in own}) >= 12


def test_verbatims_are_many_and_hardly_repeat():
    said = Counter(r["text"] for r in feedback() if r["text"] and "油卡充值" not in r["text"])
    repeats = sum(n - 1 for n in said.values())
    assert len(said) >= 750 and repeats / sum(said.values()) < 0.05


def test_planted_personal_data_is_in_the_exports_and_its_check_digits_hold():
    lines = (ROOT / "tests/collect/sample_pii.txt").read_text("utf-8").splitlines()
    kinds: dict[str, list[str]] = {}
    for line in lines[2:]:
        kinds.setdefault(line[2:], current := []) if line.startswith("# ") else current.append(line)
    assert set(kinds) == {"手机号", "固定电话", "车牌", "车架号", "身份证号", "银行卡号", "邮箱", "微信号", "QQ号", "姓名", "网名"}
    parts = [(SAMPLE / f"complaint_site/complaints_{d}.csv").read_bytes().decode("gbk") for d in ("2026-11-02", "2026-11-16")]
    everything = "\n".join([*parts, *(str(r) for r in reviews()), *call_lines(), *(str(row) for row in sheet())])
    plain = re.sub(r"[ ·-]", "", unicodedata.normalize("NFKC", everything)).upper()
    assert [p for found in kinds.values() for p in found if p not in everything and p.upper() not in plain] == []
    assert {"１", "-", " ", "+"} <= {c for phone in kinds["手机号"] for c in phone}
    assert all(vin_holds(v.upper()) for v in kinds["车架号"]) and any(v.islower() or v != v.upper() for v in kinds["车架号"])
    assert all(id_holds(number) for number in kinds["身份证号"])
    assert all(luhn(c.replace(" ", "")) for c in kinds["银行卡号"])


def vin_holds(vin: str) -> bool:
    value = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", [*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)], strict=True))
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    rest = sum(w * (int(c) if c.isdigit() else value[c]) for c, w in zip(vin, weights, strict=True)) % 11
    return vin[8] == ("X" if rest == 10 else str(rest))


def id_holds(number: str) -> bool:
    return sum((10 if d == "X" else int(d)) * pow(2, 17 - i, 11) for i, d in enumerate(number)) % 11 == 1


def luhn(number: str) -> bool:
    return sum(sum(divmod(int(d) * (1 + i % 2), 10)) for i, d in enumerate(reversed(number))) % 10 == 0


@pytest.mark.parametrize("channel, header", [
    ("complaint_site", lambda: set(table("complaint_site/complaints_2026-11-02.csv", "gbk")[0])),
    ("app_store", lambda: set(reviews()[0])),
    ("dealer_survey", lambda: set(sheet()[2])),
])
def test_aliases_of_the_contract_name_columns_of_the_export(channel, header):
    contract = yaml.safe_load((CONTRACTS / f"{channel}.yaml").read_text("utf-8"))
    assert contract["channel"] == channel
    assert {name for names in contract["aliases"].values() for name in names} <= header()

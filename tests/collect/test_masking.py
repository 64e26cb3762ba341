"""The masking door: every kind of personal data in every position and spelling goes, ordinary numbers stay. All of it made up by rule."""

from __future__ import annotations

import logging
import random
import sys

import polars as pl
import pytest

from voc_lib.collect.masking import MaskingLogFilter, mask, mask_text

CONTEXTS = ("{}", "{}请尽快联系", "请联系{}谢谢", "刹车异响，请联系{}", "（{}）", "「{}」。", "异响;{},谢谢", "call {} now", "\t{}\n", "2020年6月15日换了ID.4，{}！13.5万", "😡{}😡")
WIDE = {i: i + 0xFEE0 for i in range(0x21, 0x7F)}
SEPARATORS = (" ", "-", ".", "·", "—", " - ", "\u200b", "－", "．", "\u3000", "一")


def luhn_card(prefix: str, length: int, rng: random.Random) -> str:
    body = prefix + "".join(rng.choices("0123456789", k=length - 1 - len(prefix)))
    doubled = [int(d) * (2 if place % 2 == 0 else 1) for place, d in enumerate(reversed(body))]
    return body + str(-sum(d - 9 if d > 9 else d for d in doubled) % 10)


def id_card(rng: random.Random) -> str:
    body = rng.choice(["110105", "310115", "440306", "650102"]) + f"{rng.randint(1940, 2015)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}{rng.randint(1, 999):03}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


def vin(rng: random.Random, start: str = "LSV") -> str:
    values = {**{str(d): d for d in range(10)}, **dict(zip("ABCDEFGH", range(1, 9), strict=True)), **dict(zip("JKLMN", range(1, 6), strict=True)), "P": 7, "R": 9,
              **dict(zip("STUVWXYZ", range(2, 10), strict=True))}
    chars = list(start + "".join(rng.choices(sorted(values), k=14 - 6)) + "".join(rng.choices("0123456789", k=6)))
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    rest = sum(values[c] * w for c, w in zip(chars, weights, strict=True)) % 11
    return "".join([*chars[:8], "0123456789X"[rest], *chars[9:]])


def grouped(number: str, sizes: tuple[int, ...], mark: str) -> str:
    parts, at = [], 0
    for size in sizes:
        parts.append(number[at:at + size])
        at += size
    return mark.join(parts)


def planted() -> list[tuple[str, str]]:
    """(personal datum as written, its label): eight of each kind, in each of its spellings."""
    rng, found = random.Random(20200615), []
    for _ in range(8):
        mobile = f"1{rng.randint(3, 9)}{rng.randint(0, 10**9 - 1):09}"
        found += [(mobile, "手机号"), ("".join(SPOKEN[int(d)] for d in mobile), "手机号"), ("".join("⓪①②③④⑤⑥⑦⑧⑨"[int(d)] for d in mobile), "手机号"),
                  ("".join(d + "\ufe0f\u20e3" for d in mobile), "手机号"), *((p + mobile, "手机号") for p in ("+86", "+86 ", "0086", "86", "86-", "(+86)", "（＋８６）", "0"))]
        found += [(grouped(mobile, sizes, mark), "手机号") for mark in SEPARATORS for sizes in ((3, 4, 4), (4, 4, 3), (3, 8), (1,) * 11)]
        area, local = rng.choice(["010", "021", "0755", "0571", "028", "0431"]), str(rng.randint(20_000_000, 89_999_999))
        found += [(text.format(area, local), "固定电话") for text in ("{}-{}", "{}{}", "({}){}", "（{}）{}", "{} {}", "{}—{}", "{}-{}-801", "{}-{}转123", "{}·{}")]
        found += [(f"{area}-{local[:4]} {local[4:]}", "固定电话"), (f"+86-{area[1:]}-{local}", "固定电话"), (f"0086 {area[1:]} {local}", "固定电话")]
        card = id_card(rng)
        found += [(text, "身份证号") for text in (card, card.lower(), *(grouped(card, (6, 8, 4), mark) for mark in SEPARATORS))]
        found += [(f"{card[:6]}{card[8:17]}", "身份证号")]
        for prefix, length in (("6222", 19), ("6217", 16), ("4", 16), ("52", 16), ("35", 16), ("37", 15), ("622", 17), ("621", 18)):
            bank = luhn_card(prefix, length, rng)
            found += [(bank, "银行卡号"), *((grouped(bank, (4, 4, 4, length - 12), mark) if length == 16 else bank, "银行卡号") for mark in SEPARATORS)]
        frame = vin(rng, rng.choice(["LSV", "LFV", "LB3", "WDD"]))
        found += [(frame, "车架号"), (frame.lower(), "车架号"), (grouped(frame, (3, 6, 8), "\u200b"), "车架号"), (grouped(frame, (3, 6, 8), " "), "车架号")]
        city, five = rng.choice("京沪粤浙川新") + rng.choice("ABCDEFG"), f"{rng.choice('ABHJK')}{rng.randint(0, 9999):04}"
        found += [(text, "车牌") for text in (city + five, f"{city}·{five}", f"{city} {five}", f"{city}-{five}", f"{city}D{rng.randint(10000, 99999)}", f"{city}{five[1:]}9F",
                                              *(city + five[1:] + end for end in "挂学警港澳"), (city + five).lower())]
        name = "".join(rng.choices("abcdefghij", k=5)) + str(rng.randint(10, 99))
        found += [(text.format(name), "邮箱") for text in ("{}@qq.com", "{}.x+y@mail.example.com.cn", "{}＠163．com", "{} @ 126.com", "{}(at)qq.com")]
    found += [(text.translate(WIDE), label) for text, label in found if text.isascii() and "(at)" not in text]
    return found


SPOKEN = "零幺二三四五六七八九"
PLANTED = planted()


def test_every_kind_goes_in_every_position_and_nothing_else_does():
    wrong = [(text, got) for datum, label in PLANTED for context in CONTEXTS
             if (got := mask_text(text := context.format(datum))) != context.format(f"〔{label}〕")]
    assert wrong[:5] == []
    assert len(PLANTED) > 1500


def test_a_frame_is_masked_exactly_as_its_cells():
    cells = [CONTEXTS[place % len(CONTEXTS)].format(datum) for place, (datum, _) in enumerate(PLANTED)] + ORDINARY + [text for text, _ in SPOKEN_OF]
    frame = mask(pl.DataFrame({"verbatim": cells}))
    assert frame["verbatim"].to_list() == [mask_text(cell) for cell in cells]


def test_random_scraps_neither_break_the_door_nor_slip_past_its_screens():
    rng = random.Random(7)
    scraps = ["1", "3", "8", "86", "+", "138", "6222", "021", " ", "-", ".", "·", "—", "\u200b", "\ufe0f", "\n", "\u3000", "８", "①", "❶", "٣", "⑩", "㎏", "一", "零", "a", "X", "@", "＠", "qq.com", "(", "）", "京A", "使", "D", "挂",
              "微", "信", "vx", "QQ", "号", "：", "姓名", "我叫", "本人", "车主", "张", "三", "欧阳", "先生", "电话", "身份证", "卡", "VIN", "LSVAA", "2180", "E2123456", "19491231", "110105", "_", "元", "0.", "#", "转", "K", "ſ"]
    cells = ["".join(rng.choices(scraps, k=rng.randint(2, 20))) for _ in range(6_000)] + ["".join(rng.choices("0123456789 -１①", k=rng.randint(9, 24))) for _ in range(4_000)]
    assert mask(pl.DataFrame({"v": cells}))["v"].to_list() == [mask_text(cell) for cell in cells]


def test_several_in_one_cell():
    rng = random.Random(1)
    text = f"我叫李晓明，电话13800138000或0571-87654321,身份证{id_card(rng)}、车架号{vin(rng)} 京A·12345 a@qq.com 微信号:abc_123"
    assert mask_text(text) == "我叫〔姓名〕，电话〔手机号〕或〔固定电话〕,身份证〔身份证号〕、车架号〔车架号〕 〔车牌〕 〔邮箱〕 微信号:〔微信号〕"
    assert mask_text("13800138000 13900139000/13700137000、13600136000") == "〔手机号〕 〔手机号〕/〔手机号〕、〔手机号〕"


SPOKEN_OF = [
    ("微信13800138000", "微信〔手机号〕"), ("微信号：zhang_san88", "微信号：〔微信号〕"), ("加我vx: abcdefg", "加我vx: 〔微信号〕"), ("＋V：ａｂｃ１２３", "＋V：〔微信号〕"),
    ("wx号是abc-d123，在线等", "wx号是〔微信号〕，在线等"), ("薇信abc12345", "薇信〔微信号〕"), ("V信854100440开票", "V信〔微信号〕开票"), ("Vx【zq391abc】", "Vx【〔微信号〕】"), ("weixin=lisi2020", "weixin=〔微信号〕"),
    ("微\u200b信：abc12345", "微\u200b信：〔微信号〕"), ("QQ12345678", "QQ〔QQ号〕"), ("扣扣是 1234 5678 哦", "扣扣是 〔QQ号〕 哦"), ("企鹅号：123456", "企鹅号：〔QQ号〕"), ("加ｑ：５３８６６０７好", "加ｑ：〔QQ号〕好"),
    ("QQ/微信：98765432", "QQ/微信：〔微信号〕"),
    ("姓名：张三 电话", "姓名：〔姓名〕 电话"), ("姓名张三电话空着", "姓名〔姓名〕电话空着"), ("姓 名:欧阳娜娜", "姓 名:〔姓名〕"), ("姓名:张 三", "姓名:〔姓名〕"), ("姓名：买买提·艾力", "姓名：〔姓名〕"), ("姓名：Zhang San", "姓名：〔姓名〕"),
    ("我叫李晓明，车坏了", "我叫〔姓名〕，车坏了"), ("我叫王五是车主", "我叫〔姓名〕是车主"), ("我叫张向东我要投诉", "我叫〔姓名〕我要投诉"), ("我叫刘胜男，", "我叫〔姓名〕，"), ("你好我叫司马光", "你好我叫〔姓名〕"),
    ("联系人：李想，手机", "联系人：〔姓名〕，手机"), ("联系人王芳电话", "联系人〔姓名〕电话"), ("本人王建国于2020年购买", "本人〔姓名〕于2020年购买"), ("本人张伟，购车", "本人〔姓名〕，购车"),
    ("车主王先生反映异响", "车主〔姓名〕反映异响"), ("车主李雷反映异响", "车主〔姓名〕反映异响"), ("我是陈女士", "我是〔姓名〕"), ("我是张伟，", "我是〔姓名〕，"), ("姓名张\u200b三，", "姓名〔姓名〕，"),
    ("身份证号110105194912310021", "身份证号〔身份证号〕"), ("银行卡号6222021234567890127", "银行卡号〔银行卡号〕"), ("车架号WVWZZZ1KZAW000001", "车架号〔车架号〕"), ("座机 8765-4321", "座机 〔固定电话〕"), ("+852 9123 4567", "〔手机号〕"),
]


@pytest.mark.parametrize(("text", "expected"), SPOKEN_OF)
def test_what_only_its_neighbours_betray(text, expected):
    assert mask_text(text) == expected


ORDINARY = [
    "落地价¥199999.00，优惠后12.98万元", "行驶13800公里，保养3次", "跑了138000 km油耗13.5 12.8 11.2 10.9", "里程：18600 160000公里", "订单号202006151234", "订单号2020061512345678901 已发货", "运单号6222021234567890128",
    "ID.4 CROZZ、1.5T、2.0L、1.8TSI", "拨打12365和12315投诉", "客服400-820-8820、4008208820、800-820-8820、95588", "5G手机 P30 Pro 8GB+128GB", "哈弗H93、RAV4、3008、MX-5、奥迪A4L、CR-V2021款", "京东A12345号仓库发货",
    "2020-06-15 10:23:45", "20200615", "2020/6/15 10点 13-15日", "OTA 3.2.1.10086 版本", "1.8.20210.3015", "故障码P0301、P030113", "appid wx1234567890abcdef", "水温105℃，胎压2.5，-30°", "IP 192.168.100.10 端口8080",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709", "e3b0c44298fc1c149afbf13812345678996fb92427ae41e4649b934ca495991b", "550e8400-e29b-41d4-a716-446655440000", "评分0.13812345678", "新K5 2021款 新A4L 新Q5L 45TFSI 新S60 B5",
    "我叫了救援", "我叫他来修", "我叫拖车来的", "我叫高速救援来", "本人购买一年", "本人于去年购买", "本人马上投诉", "本人江苏人", "车主反映异响", "车主高速行驶时", "车主任性投诉", "联系人方式不对", "姓名不匹配", "姓名：匿名", "姓名：", "客户经理态度差",
    "用户满意度低", "本人全款购车", "我是米粉，谢谢", "我是高速上坏的", "我是石家庄的", "微信支付19999", "微信小程序Android8.0闪退", "微信运动10000步", "支持微信CarPlay", "QQ音乐卡顿", "奇瑞QQ 31000元", "奇瑞QQ3跑了12万公里", "QQ 35000公里",
    "@车友们 周末见", "1999-12-31 235", "0-100加速5.8秒 010", "第13812345678901个", "12345678901", "2333333333333333", "订单138123456789", "23813812345678", "LSVAA2180E2123456 1234567890123456789", "11010519491231002", "价格15999 138000元",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_numbers_and_words_stay(text):
    assert mask_text(text) == text


def test_a_wrong_check_digit_stays():
    rng = random.Random(3)
    card, bank, frame = id_card(rng), luhn_card("6222", 19, rng), vin(rng)
    wrong_card = card[:-1] + ("1" if card[-1] != "1" else "2")
    wrong_bank = bank[:-1] + str((int(bank[-1]) + 1) % 10)
    wrong_vin = frame[:8] + ("1" if frame[8] != "1" else "2") + frame[9:]
    for text in (wrong_bank, wrong_vin):
        assert mask_text(f"编码{text}。") == f"编码{text}。"
    assert "身份证号" not in mask_text(f"编码{wrong_card}。")
    assert mask_text("12345678901234567") == "12345678901234567"  # seventeen figures are no VIN


def test_an_untouched_cell_is_the_same_to_the_bit():
    odd = ["ｆｕｌｌ　ｗｉｄｔｈ，２０２０款！", "e\u0301 ﬁ ㎞ ① ½", "\u200b零宽\u200d", "", "\x00空", "〔手机号〕已遮", "\u202e反向", "𝟏𝟐", None]
    frame = pl.DataFrame({"verbatim": odd})
    assert mask(frame).equals(frame)


def test_masking_twice_changes_nothing_more():
    once = mask(pl.DataFrame({"v": [context.format(datum) for datum, _ in PLANTED[::5] for context in CONTEXTS[:4]] + [text for text, _ in SPOKEN_OF]}))
    assert mask(once).equals(once)


def test_every_text_column_and_nested_text_is_masked():
    phone, hidden = "打13800138000", "打〔手机号〕"
    frame = pl.DataFrame({
        "text": [phone, None], "number": [1, 2], "kind": pl.Series([phone, "a"], dtype=pl.Categorical), "closed": pl.Series([phone, "a"], dtype=pl.Enum([phone, "a"])),
        "many": [[phone, "b"], None], "nested": [{"a": phone, "n": 1}, {"a": None, "n": 2}], "kept": pl.Series(["x", "y"], dtype=pl.Enum(["x", "y"])),
    })
    masked = mask(frame)
    assert masked.columns == frame.columns
    assert masked.row(0) == (hidden, 1, hidden, hidden, [hidden, "b"], {"a": hidden, "n": 1}, "x")
    assert masked.row(1) == (None, 2, "a", "a", None, {"a": None, "n": 2}, "y")
    assert masked.schema["kind"] == pl.Categorical and masked.schema["kept"] == frame.schema["kept"] and masked.schema["closed"] == pl.String


def test_few_distinct_values_and_empty_frames():
    values = ["上海", "13800138000", None, "北京", "打13900139000"] * 1_000
    masked = mask(pl.DataFrame({"city": values}))["city"].to_list()
    assert masked == ["上海", "〔手机号〕", None, "北京", "打〔手机号〕"] * 1_000
    assert mask(pl.DataFrame(schema={"v": pl.String, "n": pl.Int64})).shape == (0, 2)
    assert mask(pl.DataFrame({"v": pl.Series([None, None], dtype=pl.String)}))["v"].to_list() == [None, None]


def test_named_columns_only_and_helpful_errors():
    frame = pl.DataFrame({"a": ["13800138000"], "b": ["13800138000"], "n": [13800138000]})
    assert mask(frame, ["b"]).row(0) == ("13800138000", "〔手机号〕", 13800138000)
    assert mask(frame).row(0) == ("〔手机号〕", "〔手机号〕", 13800138000)
    assert frame.row(0) == ("13800138000", "13800138000", 13800138000)  # the frame handed in is left alone
    with pytest.raises(ValueError, match="「c」不在表里.*a、b、n"):
        mask(frame, ["c"])
    with pytest.raises(ValueError, match="「n」是 Int64.*cast"):
        mask(frame, ["n"])


def test_very_long_posts():
    for filler in ("车", "a", "1 ", "微信", "姓名", "0.1", "京A", "1\u200b"):
        assert mask_text(filler * 2_000 + "，电话:13800138000。").endswith("，电话:〔手机号〕。")


def test_log_records_arguments_exceptions_and_extra(caplog):
    logger, lines = logging.getLogger("voc_lib.test_masking"), []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(logging.Formatter("%(message)s %(file_path)s").format(record))
    handler.addFilter(MaskingLogFilter())
    logger.addHandler(handler)
    try:
        logger.error("第 %d 行：%s", 3, "电话13800138000", extra={"file_path": "导出_13900139000.csv"})
        try:
            raise ValueError("坏值 13700137000")
        except ValueError:
            logger.error("读不了", exc_info=sys.exc_info(), extra={"file_path": ""})
        logger.error("格式 %d", "13600136000", extra={"file_path": ""})
    finally:
        logger.removeHandler(handler)
    assert lines[0] == "第 3 行：电话〔手机号〕 导出_〔手机号〕.csv"
    assert "Traceback" in lines[1] and "坏值 〔手机号〕" in lines[1]
    assert "〔手机号〕" in lines[2] and not any(number in "".join(lines) for number in ("13800138000", "13900139000", "13700137000", "13600136000"))

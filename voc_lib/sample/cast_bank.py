"""The invented bank 远山银行: its cards and accounts, branches, releases. Cities are real, nothing else is."""

from __future__ import annotations

from datetime import date

from voc_lib.sample.cast import Cast, City, Product, Release

# name, province, region, tier, weight, cold (unused), branches
_CITIES = """
上海 上海 华东 1 70 .35 徐汇 浦东
杭州 浙江 华东 2 58 .35 西湖 萧山
苏州 江苏 华东 2 40 .38 姑苏
南京 江苏 华东 2 42 .42 鼓楼
合肥 安徽 华东 2 30 .45 蜀山
福州 福建 华东 3 24 .15 仓山
济南 山东 华东 2 30 .60 历城
北京 北京 华北 1 58 .70 海淀 丰台
天津 天津 华北 2 26 .68 河西
石家庄 河北 华北 3 22 .65 长安
沈阳 辽宁 东北 2 24 .88 和平
哈尔滨 黑龙江 东北 3 20 1.0 南岗
西安 陕西 西北 2 28 .58 雁塔
兰州 甘肃 西北 4 10 .75 城关
广州 广东 华南 1 56 .05 越秀 海珠
深圳 广东 华南 1 56 .03 福田
南宁 广西 华南 3 16 .06 青秀
武汉 湖北 华中 2 44 .45 江汉
郑州 河南 华中 2 34 .58 金水
长沙 湖南 华中 2 30 .38 天心
成都 四川 西南 2 54 .25 武侯 锦江
重庆 重庆 西南 2 44 .22 渝中
昆明 云南 西南 3 18 .15 五华
"""


def _city(row: str) -> City:
    name, province, region, tier, weight, cold, *districts = row.split()
    return City(name, province, region, int(tier), float(weight), float(cold), tuple(f"{name}{district}支行" for district in districts))


CAST = Cast(
    brand="远山银行", company="远山银行",
    cities=tuple(map(_city, _CITIES.strip().splitlines())),
    products=(
        Product("储蓄卡", "远山储蓄卡", ("普卡", "金卡"), 0, date(2019, 1, 1), 0.1, {"": 0.52}),
        Product("信用卡", "远山信用卡", ("青年卡", "白金卡", "车主卡"), 0, date(2020, 1, 1), -0.1, {"": 0.36}),
        Product("贷款", "远山易贷", ("消费贷", "装修贷"), 0, date(2021, 6, 1), -0.05, {"": 0.12}),
    ),
    suppliers=("自营", "合作方"),
    software=(Release("核心 5.1", date(2024, 1, 20)), Release("核心 5.2", date(2025, 4, 12)), Release("核心 5.3", date(2026, 3, 14))),
    apps=(Release("7.4.0", date(2024, 3, 5)), Release("7.8.0", date(2024, 11, 12)), Release("8.0.0", date(2025, 6, 17)), Release("8.1.2", date(2026, 2, 10)),
          Release("8.2.0", date(2026, 8, 18)), Release("8.2.3", date(2026, 10, 27))),
    others=("云泽银行", "汇川银行", "南桥银行", "青石支付"),
    id_prefix="YS",
    channels=("hotline", "app_store", "branch_survey", "bank_forum", "card_complaints", "app_behaviour"),
)

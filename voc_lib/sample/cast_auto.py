"""The invented carmaker 星澜: three cars, thirty cities, their dealers, two brake suppliers, its releases. Cities are real, nothing else is."""

from __future__ import annotations

from datetime import date

from voc_lib.sample.cast import Cast, City, Product, Release

# name, province, region, tier, weight, cold, districts of the dealers
_CITIES = """
上海 上海 华东 1 70 .35 闵行 嘉定
杭州 浙江 华东 2 62 .35 滨江 余杭
宁波 浙江 华东 3 30 .35 鄞州
苏州 江苏 华东 2 48 .38 园区 吴中
南京 江苏 华东 2 40 .42 江宁
无锡 江苏 华东 3 26 .40 新吴
合肥 安徽 华东 2 34 .45 滨湖
厦门 福建 华东 3 18 .15 湖里
济南 山东 华东 2 30 .60 历下
北京 北京 华北 1 60 .70 亦庄 朝阳
天津 天津 华北 2 28 .68 西青
石家庄 河北 华北 3 22 .65 裕华
太原 山西 华北 3 16 .72 小店
呼和浩特 内蒙古 华北 4 8 .90 赛罕
哈尔滨 黑龙江 东北 3 30 1.0 松北 道里
大庆 黑龙江 东北 4 14 1.0 让胡路
沈阳 辽宁 东北 2 24 .88 浑南
大连 辽宁 东北 3 18 .75 甘井子
长春 吉林 东北 3 16 .95 净月
西安 陕西 西北 2 30 .58 未央
兰州 甘肃 西北 4 10 .75 城关
乌鲁木齐 新疆 西北 4 10 .92 高新
广州 广东 华南 1 56 .05 天河 番禺
深圳 广东 华南 1 60 .03 龙华 南山
佛山 广东 华南 3 28 .05 禅城
南宁 广西 华南 3 16 .06 青秀
武汉 湖北 华中 2 44 .45 汉阳
郑州 河南 华中 2 36 .58 郑东
长沙 湖南 华中 2 32 .38 岳麓
成都 四川 西南 2 58 .25 高新 双流
重庆 重庆 西南 2 46 .22 渝北
昆明 云南 西南 3 18 .15 官渡
贵阳 贵州 西南 3 14 .28 观山湖
"""


def _city(row: str) -> City:
    name, province, region, tier, weight, cold, *districts = row.split()
    return City(name, province, region, int(tier), float(weight), float(cold), tuple(f"{name}星澜{district}店" for district in districts))


CAST = Cast(
    brand="星澜", company="星澜汽车",
    cities=tuple(map(_city, _CITIES.strip().splitlines())),
    products=(
        # In the cold north-east the plug-in hybrid sells, in the warm south the small electric car: the mix that turns the winter figures round.
        Product("A7", "星澜A7", ("2025款 纯电620km 旗舰版", "2026款 纯电520km 舒适版", "2026款 纯电620km 尊享版"), 189_800, date(2022, 3, 1), 0.15,
                {"": 0.48, "黑龙江": 0.17, "广东": 0.27, "东北": 0.3}),
        Product("S5", "星澜S5", ("2025款 1.5T 插混80km 两驱版", "2026款 1.5T 插混110km 四驱版"), 159_800, date(2022, 9, 1), 0.0,
                {"": 0.30, "黑龙江": 0.72, "广东": 0.13, "东北": 0.55}),
        Product("E3", "星澜E3", ("2025款 310km 元气版", "2026款 310km 元气版"), 79_800, date(2023, 1, 1), -0.2,
                {"": 0.22, "黑龙江": 0.11, "广东": 0.60, "东北": 0.15}),
    ),
    suppliers=("岳衡制动", "瑞磐制动"),
    software=(
        Release("OTA 2.8.0", date(2024, 3, 12)), Release("OTA 3.0.0", date(2024, 9, 19)), Release("OTA 3.1.0", date(2025, 3, 20)),
        Release("OTA 3.1.6", date(2025, 8, 14)), Release("OTA 3.2.0", date(2026, 1, 15)), Release("OTA 3.2.1", date(2026, 5, 21)),
    ),
    apps=(
        Release("3.5.0", date(2024, 2, 6)), Release("3.6.0", date(2024, 8, 20)), Release("3.7.0", date(2025, 2, 18)), Release("3.7.4", date(2025, 7, 8)),
        Release("3.8.1", date(2026, 1, 13)), Release("3.8.5", date(2026, 6, 9)), Release("3.9.0", date(2026, 10, 15)), Release("3.9.2", date(2026, 11, 4)),
    ),
    others=("北辰L6", "云行X3", "驰野H9", "朗途E5", "启川M2"),
    id_prefix="XL",
    channels=("microblog", "car_forum", "short_video", "app_store", "complaint_site", "hotline", "online_chat", "dealer_survey", "in_car",
              "dealer_notes", "warranty"),
)

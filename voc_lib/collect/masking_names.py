"""Personal data that only its neighbours betray: WeChat and QQ ids after their words, names after 姓名, 我叫, 本人.

A name is taken where it is announced, never guessed from its look alone: a column that holds nothing but
names has to be dropped by its contract. Where the end of a name is in doubt the longer reading is masked:
one character of the text lost is better than one of the name kept. 张先生, 李女士 are names only behind
我是, 我叫, 姓名, 联系人, 车主 and their like.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from voc_lib.collect.masking_checks import UNIT, Span, Z, is_date, without_opaque

WECHAT_WORDS = ("微信", "薇信", "威信", "徽信", "维信", "微x", "v信", "v x", "vx", "wx", "weixin", "wechat", "加v", "+v", "加微")
QQ_WORDS = ("qq", "扣扣", "企鹅", "球球", "加q", "q群", "q号", "q:")
_JOIN = rf"(?:[一-鿿]{{0,3}}号码?|[账帐]号|群|名|加|是|为|联系|id|[ ,=:\"'“”「『【《<(\[/、\-{Z}]){{0,6}}"
WECHAT = re.compile(
    rf"(?ai)(?P<word>微[ {Z}]?信|[薇威徽维]信|微x|(?<![a-z])(?:v信|v ?x|wx|weixin|wechat)|加v|\+v|加微)(?P<join>{_JOIN})"
    rf"(?P<id>[a-z](?:{Z}*[a-z0-9_\-]){{5,19}}|[1-9](?:{Z}*\d){{4,11}})(?![a-z0-9_])"
)
QQ = re.compile(rf"(?ai)(?P<word>(?<![a-z])qq|扣扣|企鹅|球球|加q|(?<![a-z])q(?=[:号群]))(?P<join>{_JOIN})(?P<id>[1-9](?:[ \-{Z}]{{0,2}}\d){{4,10}})(?!\d)")
WECHAT_STARTS, QQ_STARTS = re.compile("[微薇威徽维vVwW加+]"), re.compile("[qQ扣企球加]")
#: What stands behind 微信 in talk about software and devices.
NOT_AN_ID = re.compile(r"(?i)(?:android|iphone|ipad|carplay|carlife|harmony|huawei|hicar|version|windows|wechat|weixin|wxid$|bluetooth|miui|google|apple|system|update|login)")
SAID = re.compile(r"(?i)[:=是为号]|id|账|帐|加|\+")


def find_accounts(folded: str) -> Iterator[Span]:
    """Ids of WeChat (a letter and 5-19 more, or a QQ number) and QQ (5-11 digits) behind their words."""
    text = without_opaque(folded)
    for match in filter(None, (WECHAT.match(text, start.start()) for start in WECHAT_STARTS.finditer(text))):
        found, said = match["id"].replace(Z, ""), SAID.search(match["word"] + match["join"])
        figures = sum(c.isdigit() for c in found)
        if found[0].isdigit():
            taken = (said or len(found) >= 6) and not _quantity(text, match.end(), found, bool(said))
        else:
            taken = not NOT_AN_ID.match(found) and (said or figures >= 2 or "_" in found or figures and match["join"])
        if taken:
            yield *match.span("id"), "微信号"
    for match in filter(None, (QQ.match(text, start.start()) for start in QQ_STARTS.finditer(text))):
        found, said = re.sub(rf"[ \-{Z}]", "", match["id"]), SAID.search(match["join"])
        model = text[max(0, match.start() - 3):match.start()].endswith(("奇瑞", "奇瑞 ")) and not said
        if not model and not _quantity(text, match.end(), found, bool(said)):
            yield *match.span("id"), "QQ号"


def _quantity(text: str, end: int, found: str, said: bool) -> bool:
    """10000步, 31000元, 20200615: a number that is not an id, however it is introduced."""
    return bool(UNIT.match(text, end) or re.match(r"\.\d", text[end:end + 2])) or not said and len(found) == 8 and is_date(found)


COMPOUND = "欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 宗政 濮阳 公冶 太叔 申屠 公孙 慕容 仲孙 钟离 长孙 宇文 司徒 鲜于 司空 令狐 第五 百里 呼延 东郭 南门 西门 纳兰 完颜 拓跋 轩辕".split()
SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳酆鲍史唐费廉岑薛雷贺倪汤滕殷罗"
    "毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱"
    "骆高夏蔡田樊胡凌霍虞万支柯昝管卢莫经房裘缪干解应宗丁宣邓郁单杭洪包诸左石崔吉钮龚程嵇邢滑裴陆荣翁荀羊於惠甄曲封芮羿储靳汲邴糜松井段富巫乌焦巴弓牧隗山谷"
    "车侯宓蓬全郗班仰秋仲伊宫宁仇栾暴甘钭厉戎祖武符刘景詹束龙叶幸司韶郜黎蓟薄印宿白怀蒲邰从鄂索咸籍赖卓蔺屠蒙池乔阴胥苍双闻莘党翟谭贡劳逄姬申扶堵冉宰郦雍璩"
    "桑桂濮牛寿通边扈燕冀郏浦尚农温别庄晏柴瞿阎充慕连茹习宦艾鱼容向古易慎戈廖庾终暨居衡步都耿满弘匡国文寇广禄阙东殴沃利蔚越夔隆师巩厍聂晁勾敖融冷訾辛阚那简"
    "饶空曾母沙乜养鞠须丰巢关蒯相查后荆红游竺权逯盖益桓公付肖岳苑闫展代海晋楚佟迟亓揭苟邸仝覃佘初旷么原闪泮冼邝肇练"
    "趙錢鄭陳衛韓許呂張嚴華謝鄒竇雲蘇韋鳳費賀湯羅畢齊顧黃蕭龐項婁鍾駱萬盧鄧單龔陸榮劉龍葉喬譚馮楊吳馬孫蔣賈閻關溫莊聶歐賴簡魏藍"  # as written in Hong Kong and Taiwan
)
#: Surnames that are mostly another word: believed behind 姓名: only.
RARELY_NAMES = set("时向都从应相连经常全平通养须充利越后要别单双空那东公国文初原查代展满盖么明成水干支计车权益红强广师海")
FORM = "客户姓名 车主姓名 用户姓名 姓名 联系人 收件人 收货人 投诉人 报修人 持卡人 机主 户主 户名 驾驶员 驾驶人 名字".split()
SPEECH = "我叫 名叫 我的名字".split()
LOOSE = "本人 车主 客户 用户 我是".split()
ANNOUNCED = re.compile(
    rf"(?P<word>姓 {{0,3}}名|{'|'.join(FORM + SPEECH + LOOSE)})(?P<join>(?:姓名|名字|名叫|叫做|叫|是|为|[ :=\"'“「(\[\-{Z}]){{0,4}})(?P<rest>[一-鿿] [一-鿿](?![一-鿿])|[一-鿿㐀-䶿·{Z}]{{2,24}}|[A-Z][a-zA-Z]+(?: [A-Z][a-zA-Z]+){{0,2}})"
)
#: Never part of a given name; never its last character unless the text ends there; words that follow names in feedback.
PARTICLES = set("的了是在我您你他她它吗呢吧啊呀哦们把被很")
FOLLOWERS = set("跟与和及或又曾将到从对向给让使因所此该这那于就都也还没不已说称想要去买请男女等")
FIELDS = re.compile(
    r"今[年天日早晚]|昨[天日晚]|前[天年]|去年|上[周月午]|下[周午]|现在|目前|电话|手机|联系|号码|身份|住[在址]|地址|来[电自]|家住|性别|年龄|微信|邮箱|车[主牌架型辆]|先生|女士|小姐|太太|师傅"
    r"|反映|反应|投诉|购[买车]|提车|表示|来电|致电|要求|希望|咨询|询问|汉族|有[一个辆]|开[着车的]|驾驶|发现|认为|觉得|一[名个位直辆]|自[己从]|本人|打[电了]|拨打|再次|多次|强烈|同意|申请|报修|维修|预约|行驶"
)
NO_NAME = re.compile(r"(?:匿名|保密|未知|不详|未填|没填|同上|本人|车主|客户|用户|先生|女士|必填|选填|隐藏|无名|暂无|不便|为空|电话|手机|填写|请填|已核|如下|真实)")
ORDINARY = set("陈述 杜绝 谢谢 别克 林肯 荣威 宝骏 江淮 江铃 路虎 贝壳 洪水 石家 何况 高配 牛逼 高德 贺卡 安排 祝大 花了 包牌 华为 米粉 米家 金牌 花粉 申首 荣耀 云粉 高管 孙女 孙子".split())
TITLE = "先生|女士|小姐|太太|师傅"


@cache
def _ordinary(word: str) -> bool:
    """Whether a word is an ordinary one in the segmenter's dictionary (高速, 马上) and no name (张三, 李四)."""
    import rjieba  # costs a quarter of a second: only when a candidate turns up

    tagged = rjieba.tag(word)
    return word in ORDINARY or rjieba.has_word(word) and not (len(tagged) == 1 and tagged[0][1].startswith("nr"))


def _name_length(rest: str, behind: str) -> int:
    """How many leading characters are surname and given name; 0 where they are none."""
    surname = 2 if rest[:2] in COMPOUND else 1 if rest[0] in SURNAMES else 0
    if not surname or len(rest) == surname or rest[surname] in PARTICLES or FIELDS.match(rest, surname):
        return 0
    second = surname + 1
    follows = second < len(rest) and rest[second] in FOLLOWERS and (second + 1 < len(rest) or behind.isdigit())
    if second == len(rest) or rest[second] in PARTICLES or follows or FIELDS.match(rest, second):
        return second
    return second + 1


def find_names(folded: str) -> Iterator[Span]:
    """Names announced by 姓名, 联系人, 我叫, 本人, 车主 ...; Chinese of 2-4 characters, 买买提·艾力, Zhang San."""
    position = 0
    while match := ANNOUNCED.search(folded, position):
        length = _length(match["word"], match["join"], match["rest"], folded[match.end():match.end() + 1])
        start = match.start("rest")
        if length:
            yield start, start + length, "姓名"
        position = start + length if length else match.end("word")


def _length(word: str, join: str, rest: str, behind: str) -> int:
    form = (word in FORM or word[0] == "姓") and bool(set(join) & set(":="))
    if len(rest) < 2:
        return 0
    if "A" <= rest[0] <= "Z":
        return len(rest) if form or word in SPEECH else 0
    if rest[1] == " ":
        return 3 if form and rest[0] in SURNAMES else 0
    if Z in rest:  # characters of a name split by invisible ones: measure without, return with
        inner = _length(word, join, rest.replace(Z, ""), behind)
        return next((i for i in range(len(rest) + 1) if i - rest.count(Z, 0, i) == inner), 0) if inner else 0
    if title := re.match(rf"(?:{'|'.join(COMPOUND)}|[{SURNAMES}])[一-鿿]{{0,2}}?(?:{TITLE})", rest):
        return title.end()
    if NO_NAME.match(rest):
        return 0
    if dotted := re.match(r"[一-鿿]{1,8}(?:·[一-鿿]{1,8}){1,3}", rest):
        end = dotted.end()
        return end if form or word in SPEECH else 0
    length = _name_length(rest, behind)
    if form:
        return length or (len(rest) if len(rest) <= 4 else 0)
    if not length or rest[0] == "于" and rest[1] in "一二三四五六七八九十去今昨前上本当每此年":
        return 0
    introduced = word in SPEECH or word == "姓名"
    if rest[0] in RARELY_NAMES or _ordinary(rest[:2]) or length < len(rest) and _ordinary(rest[:3]):
        alone = length == len(rest) <= 3 and behind in ",.;!。;、"  # 我叫高峰, but not 我叫高速救援
        return length if introduced and alone or _reads_as_name(rest[:length]) and _ended(rest, length) else 0
    return length if introduced or _ended(rest, length) else 0


def _ended(rest: str, length: int) -> bool:
    return length == len(rest) or rest[length] in PARTICLES | FOLLOWERS or bool(FIELDS.match(rest, length))


@cache
def _reads_as_name(name: str) -> bool:
    """Whether the segmenter takes three characters together for a name: 黄国燕, though 黄国 is a word."""
    import rjieba

    tagged = rjieba.tag(name)
    return len(name) == 3 == len(tagged[0][0]) and tagged[0][1].startswith("nr") and not rjieba.has_word(name) and name[:2] not in ORDINARY

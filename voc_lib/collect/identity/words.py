"""What keys and reasons are called in Chinese."""

from __future__ import annotations

from voc_lib.collect.identity.cluster import HANDED

KEYS = {"phone": "手机号", "vin": "车架号", "member": "会员号", "order": "工单号", "plate": "车牌号", "account": "账号", "feedback": "反馈", "edit": "人工改"}
AUTHORS = {"car_forum": "论坛账号", "bank_forum": "论坛账号", "microblog": "微博账号", "short_video": "短视频账号", "in_car": "车机"}
WHYS = {
    "shared": "两位以上客户共用", "crowd": "连着太多人（门店、车队或公司的）", "conflict": "同一条反馈的键指向不同客户", "chain": "没有客户编号的键连得太长",
    "malformed": "键不是哈希值，或写在两种类型下", "period": "那天没有登记的车主", "edit": "人工拆开",
}


def key_words(kind: str) -> str:
    """A kind of key.

    >>> key_words("author:in_car"), key_words("phone")
    ('车机', '手机号')
    """
    if kind.startswith("author:"):
        channel = kind.removeprefix("author:")
        return AUTHORS.get(channel, f"{channel} 的账号")
    return KEYS.get(kind, kind)


def reason_words(reason: str | None) -> str:
    """Why a feedback is linked, or why it could not be, as an analyst reads it.

    >>> reason_words("author:car_forum<+phone"), reason_words("splink:w=8.1")
    ('论坛账号（登记过）、手机号', '特征相似（概率方法，匹配权重 8.1）')
    """
    if (reason or "").startswith("splink:w="):
        return f"特征相似（概率方法，匹配权重 {reason.removeprefix('splink:w=')}）"
    if reason in WHYS:
        return WHYS[reason]
    return "、".join(key_words(part.removesuffix(HANDED)) + ("（登记过）" if part.endswith(HANDED) else "") for part in (reason or "").split("+") if part)

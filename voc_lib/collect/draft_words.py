"""What the heads of columns are called in exports: words by which `draft` guesses, in Chinese and English.

A head is compared in small letters, without blanks and signs. The whole head counts most, then its end, then a part of it;
of several words the longest counts, so that 更新时间 is no 时间.
"""

from __future__ import annotations

import re
import unicodedata

# Columns of feedback, in the order in which they choose.
WORDS = {
    "source_id": "编号 工单号 工单编号 单号 流水号 记录号 投诉编号 投诉单号 受理号 受理编号 评论id 帖子id 反馈id 通话id 会话id 问卷编号 答卷编号 答卷id 业务单号 id pid ticketid ticket reviewid commentid postid callid orderno caseid caseno feedbackid messageid msgid recordid uuid mid",
    "occurred_at": "发生时间 投诉时间 投诉日期 反馈时间 反馈日期 来电时间 通话时间 呼入时间 接入时间 受理时间 发表时间 发布时间 发帖时间 评论时间 评价时间 回访时间 回访日期 提交时间 提交答卷时间 答题时间 填写时间 填写日期 进店日期 进店时间 到店日期 访问时间 开始时间 登记时间 留言时间 咨询时间 创建时间 创建日期 日期 时间 createdat createtime createdtime created posttime postedat posted publishedat publishtime pubtime submittedat starttime occurredat timestamp datetime reviewdate ts tsms date time",
    "verbatim": "客户原话 原话 原声 用户原声 客户原声 反馈内容 投诉内容 评论内容 评价内容 帖子内容 留言内容 咨询内容 诉求内容 客户诉求 来电内容 通话内容 通话摘要 问题描述 问题简述 故障描述 情况描述 详细描述 描述 正文 内容 意见 建议 意见建议 意见与建议 意见和建议 意见或建议 还有什么想说的 还有什么 想对我们说的 想说的话 想说的 说点什么 想说 留言 评论 评语 反馈 诉求 原因 摘要 verbatim content comment commenttext reviewtext review text body message description desc feedback remark summary",
    "title": "标题 主题 帖子标题 评论标题 投诉标题 headline title subject topic",
    "reply": "商家回复 官方回复 企业回复 厂家回复 开发者回复 回复内容 答复内容 处理意见 处理结果 解决方案 答复 回复 reply response answer devreply",
    "followup": "追评 追加评论 追加评价 追加内容 append followup",
    "nps": "推荐意愿 推荐度 愿意推荐 推荐 净推荐值 nps recommend likelihood",
    "csat": "总体满意度 整体满意度 服务满意度 满意度 满意度评价 满意 csat satisfaction",
    "ces": "省心 费力 费力度 省力 方便程度 办事省心 ces effort",
    "rating": "评分 星级 打分 评级 得分 分数 几星 评价星级 rating stars star score grade",
    "status": "状态 处理状态 工单状态 投诉状态 处理进度 进度 status state",
    "deleted": "已删除 是否删除 删除标记 删除状态 deleted isdeleted removed",
    "thread_id": "主题id 主帖id 主帖编号 楼主帖id 帖子编号 会话编号 threadid tid thread rootid topicid conversationid",
    "parent_id": "父id 父评论 回复楼层id 回复的id 上级id parentid replyto inreplyto parent",
    "software_version": "软件版本 系统版本 版本号 app版本 车机版本 版本 softwareversion appversion version ver",
    "batch": "批次 生产批次 批次号 batch lot",
    "variant": "配置 款型 车款 规格 版型 颜色规格 variant trim sku skuattr",
    "product": "车型 车系 产品 产品名称 机型 商品 商品名称 型号 应用 app model product car productname modelname carmodel series item",
    "brand": "品牌 brand brandname make",
    "region": "大区 区域 地区 省份 省 所在省 所属区域 region location province area",
    "city": "城市 所在城市 市 city cityname",
    "dealer": "经销商 经销商名称 门店 门店名称 网点 支行 服务店 4s店 店名 dealer dealername storename shopname branchname store branch shop",
    "stage": "阶段 客户阶段 用车阶段 生命周期 stage phase",
}
MEANING = {
    "source_id": "编号", "occurred_at": "时间", "verbatim": "原话", "title": "标题", "reply": "答复", "followup": "追评", "rating": "评分", "rating_scale": "满分", "nps": "推荐意愿",
    "csat": "满意度", "ces": "省心程度", "status": "状态", "deleted": "已删除", "thread_id": "主帖", "parent_id": "回的哪条", "software_version": "软件版本", "batch": "批次",
    "variant": "配置", "product": "产品", "brand": "品牌", "region": "地区", "city": "城市", "dealer": "门店", "stage": "阶段",
}
# Only hashed: keys that link, and who wrote.
IDENTITY = {
    "phone": "手机 手机号 手机号码 电话 电话号码 联系电话 联系方式 来电号码 主叫号码 主叫 客户电话 回访电话 phone mobile tel telephone caller phonenumber",
    "vin": "车架号 车架号码 底盘号 车辆识别代号 车辆识别码 vin vincode vinno chassis",
    "account": "会员号 会员编号 客户号 客户编号 客户id 会员id 账号 帐号 账户 账户号 卡号 memberid memberno customerid customerno userno accountid account openid",
}
AUTHOR = "用户id 用户编号 用户名 用户 用户昵称 昵称 网名 作者 发帖人 发布人 评论者 评论人 author authorid authorname userid username user uid nick nickname screenname"
# Personal and of no use: left out altogether.
LEFT_OUT = "姓名 客户姓名 车主姓名 联系人 投诉人 报修人 车主 客户名称 客户 称呼 身份证 身份证号 证件号 证件号码 邮箱 电子邮箱 地址 住址 家庭地址 详细地址 微信 微信号 qq qq号 车牌 车牌号 车牌号码 银行卡 银行卡号 生日 出生日期 ip ip地址 ipaddress name realname fullname customername email mail address idcard idnumber plate wechat birthday"
# Counts the rows of one export: the next begins at 1 again, so it can never be an id.
ROW_NUMBERS = "序号 行号 序 no 编号序 rownum rownumber rowno index number"
# Times of something else.
NOT_SAID = ("更新", "修改", "完成", "关闭", "结案", "办结", "处理时间", "处理日期", "结束", "导出", "打印", "购车", "购买", "提车", "出生", "上牌", "回复时间", "截止", "有效期", "时长", "update", "modif", "clos", "finish", "end", "export", "crawl", "birth", "duration")
# What a channel is called, what counts it, whether the company asked; by words in the file's name or its heads.
KINDS = (
    (("满意度", "问卷", "调研", "回访", "答卷", "survey", "nps"), "survey", "visits", True),
    (("热线", "来电", "通话", "呼入", "hotline", "call"), "hotline", "calls", False),
    (("客服", "在线", "会话", "聊天", "chat"), "online_chat", "customers", False),
    (("投诉", "complaint"), "complaints", "customers", False),
    (("论坛", "帖", "贴吧", "社区", "forum", "post", "thread"), "forum", "customers", False),
    (("微博", "weibo"), "weibo", "customers", False),
    (("短视频", "抖音", "快手", "video"), "short_video", "customers", False),
    (("评论", "评价", "应用商店", "review", "appstore", "app_store"), "reviews", "app_users", False),
    (("工单", "维修", "ticket", "case"), "tickets", "customers", False),
)


def plain(head: str) -> str:
    """A head as it is compared: folded, in small letters, without blanks and signs, scales in brackets left out.

    >>> plain(" 推荐意愿（0-10） "), plain("Created_At"), plain("user.name")
    ('推荐意愿', 'createdat', 'user.name')
    """
    folded = unicodedata.normalize("NFKC", head).lower()
    folded = re.sub(r"[(\[【].*?[)\]】]", "", folded)
    folded = re.sub(r"^\s*(?:q\d+|\d+)\s*[.、:：)]\s*", "", folded)  # 3、您的意见: questions of a survey tool
    return re.sub(r"[^\w.]|_", "", folded)


def likeness(head: str, words: str) -> float:
    """How well a head is one of the words: 3 the very word, 2 its end, 1 and more a part of it, by how much of the head it is.

    >>> likeness("投诉时间", "时间 投诉时间"), likeness("更新时间", "时间"), likeness("车龄", "时间")
    (3.0, 2.5, 0.0)
    """
    name = plain(head)
    last = name.rpartition(".")[2]
    best = 0.0
    for word in words.split():
        if word in (name, last):
            return 3.0
        if len(word) < 2 or word.isascii() and len(word) < 4:  # short ones are part of too many others
            continue
        if word in name:
            best = max(best, (2.0 if name.endswith(word) else 1.0) + len(word) / len(name))
    return best

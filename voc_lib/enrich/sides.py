"""Which clauses surely praise and which surely blame: the two sides of a mixed opinion.

A classifier alone is too bold on a short clause: it hears a complaint in every 不. So a side must also be said in plain words
of praise or blame, not both, not denied, and not in a question, a condition or hearsay; and the two sides belong together
only where a word of contrast (但是, 就是, 可惜, 除了) stands in one of them or between them.
"""

from __future__ import annotations

import polars as pl

# How likely a clause must be pleased (displeased) beside its words. On the shared car comments .6 gives a precision of .28 on either
# half by hash, .8 one of .32 and a fifth less recall. The words below were written with both halves in view.
SURE = 0.6

_PRAISE = (
    "不错|满意|喜欢|很好|真好|挺好|最好|更好|好看|好用|漂亮|舒服|舒适|爽|棒|强|实惠|厚道|良心|优秀|出色|完美|给力|灵敏|扎实|够用|省油|省心|安静|宽敞|方便|快捷|稳"
    "|够大|性价比高|值得|耐用|精致|大气|赞|优势|优点|耐心|周到|热情|好(?:$|[,的啊呀吧了些点])"
)
_DENIED = f"[不没无](?:是|太|够|怎么|那么|有|如)?(?:{_PRAISE})"
_MEASURES = "[小大高硬软贵差吵重慢少低丑响窄卡]"  # what there can be too much of
_BLAME = (
    f"不好|不行|不足|不够|不如|不爽|不舒服|不喜欢|不满|不方便|不灵|不便宜|太{_MEASURES}|{_MEASURES}了[点些]|有点{_MEASURES}|偏{_MEASURES}|(?:^|[^不相])差(?:$|[,的啊得劲评])"
    "|比较差|很差|贵(?:$|[,啊了])|难看|难受|失望|烂|垃圾|糟|缺点|毛病|异响|漏油|烧机油|闪退|卡顿|麻烦|简陋|廉价|寒酸|费油|油耗高|吵|可惜|遗憾|受不了|丑|过时|落后|后悔|恶心|没有优势|接受不了|看不上|单薄"
)
_CONTRAST = "但|不过|可是|就是|可惜|除了|唯一|只是|美中不足|虽然|然而|却|缺点|不足"
_UNSAID = "[吗呢么]$|怎么|如何|多少|是否|是不是|有没有|如果|要是|的话|希望|建议|听说|据说|以为"


def two_sides(pieces: pl.DataFrame) -> pl.DataFrame:
    """`at, mixed` of every window that surely praises and surely blames: how sure the less sure of its two sides is.

    Takes `at` (the window), `piece` (its clauses in order) and their probabilities `negative, positive`.
    """
    piece = pl.col("piece")
    is_praise, is_blame = piece.str.contains(_PRAISE) & ~piece.str.contains(_DENIED), piece.str.contains(_BLAME)
    is_said = ~piece.str.contains(_UNSAID)
    told = pieces.with_columns(
        praises=(pl.col("positive") >= SURE) & is_praise & ~is_blame & is_said, blames=(pl.col("negative") >= SURE) & is_blame & ~is_praise & is_said
    )
    # Most windows have one side at most: they need not be searched for turns.
    told = told.filter(pl.col("praises").any().over("at") & pl.col("blames").any().over("at")).with_columns(turns=piece.str.contains(_CONTRAST).cast(pl.Int64))
    until = pl.col("turns").cum_sum().over("at")
    told = told.with_columns(until=until, before=until - pl.col("turns"))
    # Where any two sides have a turn from one to the other, so have the first of one side and the last of the other.
    turned = [pl.col("until").filter(pl.col(last)).max() > pl.col("before").filter(pl.col(first)).min() for first, last in (("praises", "blames"), ("blames", "praises"))]
    sides = told.group_by("at", maintain_order=True).agg(
        mixed=pl.min_horizontal(pl.col("positive").filter("praises").max(), pl.col("negative").filter("blames").max()), turned=turned[0] | turned[1]
    )
    return sides.filter("turned").drop("turned")

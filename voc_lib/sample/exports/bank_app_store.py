"""Reviews of the mobile bank: the same export as the carmaker's, one CSV a quarter."""

from __future__ import annotations

from voc_lib.sample.exports.auto_app_store import files, source_id, write
from voc_lib.sample.voice import Voice

VOICE = Voice(share=180, outside=0.04, has=0.8, app=0.5, young=0.1, anger=0.6, bad=0.35, several=0.12, night=0.45, weekend=1.1, neutral=0.05,
              systems=("App", "应用", "手机银行", "登录", "转账", "短信", "支付", "理财"))

__all__ = ["VOICE", "files", "source_id", "write"]

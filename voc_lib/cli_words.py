"""The command line in Chinese: the frame of the help pages, and what is wrong with a command as it was typed."""

from __future__ import annotations

import difflib
import re

import typer
from typer.core import TyperCommand, TyperGroup

TITLES = {"ARGUMENTS_PANEL_TITLE": "参数", "OPTIONS_PANEL_TITLE": "选项", "COMMANDS_PANEL_TITLE": "命令", "REQUIRED_LONG_STRING": "[必填]",
          "DEFAULT_STRING": "[默认：{}]"}

WEEK = re.compile(r"\d{4}-W\d\d")
KINDS = {"valid number": "应为数字。", "valid integer": "应为整数。", "does not exist": "没有这个文件或文件夹。",
         "greater than or equal": "太小了。"}


class _Chinese:
    """What typer fixes in English and offers no setting for."""

    def get_usage(self, ctx) -> str:
        return super().get_usage(ctx).replace("Usage: ", "用法：", 1).replace("[OPTIONS]", "[选项]").replace("COMMAND [ARGS]...", "命令 …")

    def get_help_option(self, ctx):
        option = super().get_help_option(ctx)
        if option is not None:
            option.help, option.metavar = "显示这段说明。", ""
        return option

    def format_help(self, ctx, formatter) -> None:
        from typer import rich_utils

        for name, title in TITLES.items():
            setattr(rich_utils, name, title)
        super().format_help(ctx, formatter)


class ChineseCommand(_Chinese, TyperCommand):
    pass


class ChineseGroup(_Chinese, TyperGroup):
    pass


class App(typer.Typer):
    """A Typer whose commands explain themselves in Chinese."""

    def __init__(self, **settings) -> None:
        super().__init__(**{"cls": ChineseGroup} | settings)

    def command(self, name: str | None = None, **settings):
        return super().command(name, **{"cls": ChineseCommand} | settings)


def usage_words(error: typer.TyperException) -> str:
    """What was typed wrongly, and what to type instead; empty where the help page has already answered."""
    kind, said, context = type(error).__name__, error.format_message(), getattr(error, "ctx", None)
    if kind == "NoArgsIsHelpError":
        return ""
    return f"{_what(error, kind, said, context)}\n{_how(context)}"


def _what(error, kind: str, said: str, context) -> str:
    option, param = getattr(error, "option_name", ""), getattr(error, "param", None)
    unknown = re.search(r"No such command '(.+?)'\.", said)
    extra = re.search(r"unexpected extra argument[^(]*\(s?\)? ?\(?(.+?)\)?$", said)
    if unknown:
        commands = list(context.command.commands)
        near = difflib.get_close_matches(unknown[1], commands, 1, 0.5)
        return f"没有命令「{unknown[1]}」。{f'是否想写「{near[0]}」？' if near else ''}现有：{'、'.join(commands)}。"
    if kind == "NoSuchOption":
        near = difflib.get_close_matches(option, _options(context), 1, 0.5)
        return f"没有选项「{option}」。{f'是否想写「{near[0]}」？' if near else ''}可用：{'、'.join(_options(context))}。"
    if kind == "BadOptionUsage":
        return f"选项「{option}」后面要写一个值。" if "requires an argument" in said else f"选项「{option}」不带值。"
    if kind == "MissingParameter" and param is not None:
        return f"缺少{'参数' if param.param_type_name == 'argument' else '选项'}「{_name(param)}」：{getattr(param, 'help', None) or '必填。'}"
    if kind == "BadParameter" and param is not None:
        return f"「{_name(param)}」的值不对：{next((chinese for english, chinese in KINDS.items() if english in said), error.message)}"
    if extra and WEEK.fullmatch(extra[1]) and "--week" in _options(context):
        return f"周次前面要写 --week：voc weekly --week {extra[1]}。"
    if extra:
        return f"多写了「{extra[1]}」。路径或名字里有空格时，请加引号。"
    return "缺少命令。" if "Missing command" in said else f"命令写得不对：{said}"


def _options(context) -> list[str]:
    return [name for param in context.command.get_params(context) for name in param.opts if name.startswith("--")] if context else []


def _name(param) -> str:
    return param.opts[0] if param.param_type_name == "option" else param.metavar or param.name


def _how(context) -> str:
    if context is None:
        return "用 voc --help 查看命令。"
    return f"{context.command.get_usage(context)}\n用 {context.command_path} --help 查看说明。"

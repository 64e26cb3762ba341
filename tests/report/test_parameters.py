import pytest

from voc_lib.report.parameters import ParameterError, read_parameters, validate

CELL = ('parameters', 'store = "sample"   # 库\nperiod: str = "2020-W24"\nn = 5\nshare = 0.5\nfresh = True\nbaseline = None\nchannels = ["a"]\nyears = [-1]')


@pytest.fixture
def page(notebook):
    return notebook(("md", "# 题"), CELL, "period = 'x'")


def test_defaults_in_order(page):
    assert list(read_parameters(page).items()) == [
        ("store", "sample"), ("period", "2020-W24"), ("n", 5), ("share", 0.5), ("fresh", True), ("baseline", None), ("channels", ["a"]), ("years", [-1])]


def test_the_type_of_the_default_decides(page):
    given = {"store": "01", "n": "07", "share": "1", "fresh": "否", "baseline": "2020-W23", "channels": "shop, app", "years": "2019,2020"}
    typed = validate(page, given)
    assert typed == {"store": "01", "period": "2020-W24", "n": 7, "share": 1.0, "fresh": False, "baseline": "2020-W23",
                     "channels": ["shop", "app"], "years": [2019, 2020]}
    assert type(typed["share"]) is float


def test_given_as_values(page):
    assert validate(page, {"share": 1, "n": 3, "channels": ["x"], "baseline": None})["share"] == 1.0
    assert validate(page, {"baseline": "None"})["baseline"] is None and validate(page, {"channels": "['x', 'y']"})["channels"] == ["x", "y"]


@pytest.mark.parametrize("given, said", [
    ({"perid": "x"}, "笔记本「page」没有参数「perid」。是否想写「period」？可用的参数：store、period、n"), ({"zzz": "1"}, "没有参数「zzz」。可用的参数"),
    ({"n": "many"}, "参数「n」的值「many」类型不对：应为整数"), ({"n": "1.5"}, "应为整数"), ({"share": "half"}, "应为数字"),
    ({"fresh": "maybe"}, "应为true 或 false"), ({"years": "a,b"}, "应为用逗号分开的列表，例如 -p years=-1"), ({"n": "__import__('os')"}, "应为整数"), ({"n": 1.5}, "应为整数"), ({"store": None}, "应为文字")])
def test_errors_name_what_is_wrong_and_what_there_is(page, given, said):
    with pytest.raises(ParameterError, match=said.replace("(", r"\(").replace(")", r"\)").replace("「", "「")):
        validate(page, given)


def test_a_notebook_without_parameters(notebook):
    assert validate(notebook("1"), {}) == {}
    with pytest.raises(ParameterError, match="没有任何参数"):
        validate(notebook("1"), {"period": "x"})


@pytest.mark.parametrize("cell", ["period = today()", "a, b = 1, 2", "import os", "a = b = 1", "x: int"])
def test_only_literals(notebook, cell):
    with pytest.raises(ParameterError, match="第 1 行"):
        read_parameters(notebook(("parameters", cell)))

"""Domains: inheritance, routing, and errors that name the line."""

from pathlib import Path

import pytest

from voc_lib.enrich.domain import DomainError, load_domain

DOMAINS = Path(__file__).parents[2] / "data" / "domains"


def write(folder, name, **files):
    (folder / name).mkdir(parents=True, exist_ok=True)
    for stem, content in files.items():
        suffix = ".txt" if stem in {"words", "stopwords"} else ".yaml"
        (folder / name / f"{stem}{suffix}").write_text(content, "utf-8")


@pytest.mark.parametrize(("name", "lineage"), [("auto", ("auto",)), ("bank", ("bank",)), ("public_auto", ("auto", "public_auto")), ("public_bank", ("bank", "public_bank"))])
def test_shipped_domains_load(name, lineage):
    domain = load_domain(DOMAINS, name)
    assert domain.lineage == lineage
    assert len({code.code for code in domain.taxonomy}) == len(domain.taxonomy) >= 25
    assert all(code.department and code.label for code in domain.taxonomy)
    assert all(code.synonyms or code.patterns for code in domain.taxonomy)
    assert domain.words and domain.stopwords


def test_auto_has_the_breadth_it_promises():
    domain = load_domain(DOMAINS, "auto")
    assert len({code.system for code in domain.taxonomy}) >= 20
    assert domain.code("变速箱-换挡-顿挫").department == "质量部"
    assert domain.code("价格-成交价-降价").department == "销售部"


def test_wordings_become_phrases_and_patterns(tmp_path):
    write(
        tmp_path,
        "a",
        domain="title: 甲\n",
        taxonomy="hidden: [影响]\ngroups:\n  盘: [方向盘, 转向盘]\ncodes:\n  转向-方向盘-抖动:\n  - 打手|震手\n  - <盘> + 抖 | 颤\n",
        routing="default: 客服部\nsystems: {转向: 质量部}\n",
        words="# 说明\n烧机油\n\n顿挫  # 换挡\n烧机油\n",
    )
    domain = load_domain(tmp_path, "a")
    code = domain.code("转向-方向盘-抖动")
    assert code.synonyms == ("打手", "震手")
    assert code.patterns == ((("方向盘", "转向盘"), ("抖", "颤")),)
    assert (code.label, code.department, code.system) == ("方向盘抖动", "质量部", "转向")
    assert domain.words == ("烧机油", "顿挫")
    assert domain.hidden == ("影响",)


def test_child_adds_overrides_and_routes(tmp_path):
    write(tmp_path, "base", domain="title: 基础\n", routing="systems: {甲: 一部, 乙: 二部}\n", taxonomy="groups: {坏: [坏]}\ncodes:\n  甲-a-x: [旧]\n  乙-b-y: [乙]\n", words="基\n")
    write(
        tmp_path,
        "child",
        domain="title: 子\nextends: base\nscopes: {shops: [丙]}\n",
        routing="systems: {甲: 三部}\n",
        taxonomy="codes:\n  甲-a-x: [新]\n  丙-c-z:\n    label: 丙项\n    department: 四部\n    synonyms: [丙 + <坏>]\n",
        words="子\n",
    )
    domain = load_domain(tmp_path, "child")
    assert [code.code for code in domain.taxonomy] == ["甲-a-x", "乙-b-y", "丙-c-z"]
    assert domain.code("甲-a-x").synonyms == ("新",)
    assert [code.department for code in domain.taxonomy] == ["三部", "二部", "四部"]
    assert domain.code("丙-c-z").patterns == ((("丙",), ("坏",)),)
    assert (domain.title, domain.words, domain.scopes) == ("子", ("基", "子"), (("shops", ("丙",)),))


@pytest.mark.parametrize(
    ("taxonomy", "message"),
    [
        ("codes:\n  甲-a-x: [好]\n  乙-b-y: [坏]\n  甲-a-x: [又]\n", "a/taxonomy.yaml 第 4 行：编码「甲-a-x」写了两次（第一次在第 2 行）"),
        ("codes:\n  甲-a-x:\n  - 好\n  - ''\n", "a/taxonomy.yaml 第 4 行：这里应是文字，而且不能为空"),
        ("codes:\n  甲-a-x:\n  - 好 + | 坏\n", "a/taxonomy.yaml 第 3 行：「好 + | 坏」里有空的说法"),
        ("codes:\n  甲-a-x: []\n", "a/taxonomy.yaml 第 2 行：编码「甲-a-x」没有任何说法"),
        ("codes:\n  甲乙: [好]\n", "a/taxonomy.yaml 第 2 行：编码「甲乙」应写成 系统-部件-现象"),
        ("codes:\n  甲-a-x: [<没有> + 好]\n", "a/taxonomy.yaml 第 2 行：没有词组「<没有>」"),
        ("codes:\n  甲-a-x: 好\n", "a/taxonomy.yaml 第 2 行：这里应是列表"),
        ("code:\n  甲-a-x: [好]\n", "a/taxonomy.yaml 第 1 行：不认识「code」。这里可以写：codes、conditions、groups、hidden、primary、vague"),
        ("codes:\n  甲-a-x: [好\n  乙-b-y: [坏]\n", "a/taxonomy.yaml 第 2 行：YAML 写法不对，方括号或逗号没有写全"),
    ],
)
def test_mistakes_are_answered_with_file_and_line(tmp_path, taxonomy, message):
    write(tmp_path, "a", domain="title: 甲\n", taxonomy=taxonomy)
    with pytest.raises(DomainError) as error:
        load_domain(tmp_path, "a")
    assert message in str(error.value)


def test_unknown_circular_and_bad_scope(tmp_path):
    write(tmp_path, "a", domain="title: 甲\nextends: b\n")
    write(tmp_path, "b", domain="title: 乙\nextends: a\n")
    write(tmp_path, "c", domain="title: 丙\nscopes: {shops: [手鸡]}\n", taxonomy="codes:\n  手机-a-x: [好]\n")
    with pytest.raises(DomainError, match="没有领域「x」.*现有领域：a、b、c"):
        load_domain(tmp_path, "x")
    with pytest.raises(DomainError, match="绕成了圈"):
        load_domain(tmp_path, "a")
    with pytest.raises(DomainError, match="渠道 shops .*没有的系统：手鸡"):
        load_domain(tmp_path, "c")


def test_unknown_code_names_the_nearest():
    with pytest.raises(KeyError, match="转向-方向盘-抖动"):
        load_domain(DOMAINS, "auto").code("转向-方向盘-抖")

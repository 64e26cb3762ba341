"""A notebook is a page, not a program: the contract of CONTRIBUTING, read from every file in notebooks/."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
LONGEST_CELL = 10
LAST = "方法与局限"
ONLY_IMPORT = "import voc_lib as voc"
# What a page may be made of: naming a result, calling, picking rows. Everything else is a program.
ALLOWED = (ast.Module, ast.Import, ast.alias, ast.Assign, ast.Expr, ast.Call, ast.Name, ast.Attribute, ast.Constant, ast.Subscript, ast.Slice,
           ast.List, ast.Tuple, ast.Dict, ast.keyword, ast.Compare, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Starred, ast.expr_context,
           ast.operator, ast.unaryop, ast.cmpop, ast.boolop)
FORBIDDEN_METHODS = re.compile(r"_.*|sql|map_.*|apply|pipe|write_.*|sink_.*|read_.*|plot|style|format|to_.*")
FORBIDDEN_TEXT = {
    "SQL": re.compile(r"\bselect\b.+\bfrom\b", re.IGNORECASE | re.DOTALL),
    "a path": re.compile(r"[/\\]|\.(csv|tsv|xlsx?|parquet|jsonl?|html|ipynb|duckdb)$"),
    "a colour": re.compile(r"#[0-9a-f]{3,8}\b|\brgba?\(", re.IGNORECASE),
    "a number format": re.compile(r"\{[^}]*:|%[-+0-9.]*[dfeg%]"),
}


def problems(notebook) -> list[str]:
    """Everything in a notebook that the contract forbids, each as one line."""
    cells = notebook.cells
    found = [*_order(cells), *_names(cells)]
    for place, cell in enumerate(cells, 1):
        check = _code if cell.cell_type == "code" else _markdown
        found += [f"cell {place}: {problem}" for problem in check(cell)]
    return found


def _tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def _code(cell) -> list[str]:
    found = []
    if len(cell.source.splitlines()) > LONGEST_CELL and "parameters" not in _tags(cell):    # literals, a line each, are no program
        found.append(f"longer than {LONGEST_CELL} lines")
    for node in ast.walk(ast.parse(cell.source)):
        if not isinstance(node, ALLOWED):
            found.append(f"{type(node).__name__} is a program")
        elif isinstance(node, ast.Import) and ast.unparse(node) != ONLY_IMPORT:
            found.append(f"imports more than voc: {ast.unparse(node)}")
        elif isinstance(node, ast.Attribute) and FORBIDDEN_METHODS.fullmatch(node.attr):
            found.append(f"calls .{node.attr}")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += [f"holds {what}: {node.value!r}" for what, pattern in FORBIDDEN_TEXT.items() if pattern.search(node.value)]
    if cell.outputs and "headline" not in _tags(cell):
        found.append("has outputs; only the headline keeps them")
    return found


def _markdown(cell) -> list[str]:
    digits = re.findall(r"\d+", cell.source)
    return [f"number {digit} in prose; let a function write the sentence" for digit in digits]


def _order(cells) -> list[str]:
    found = []
    headings = [(place, cell.source.splitlines()) for place, cell in enumerate(cells) if cell.cell_type == "markdown" and cell.source.startswith("## ")]
    titles = [lines[0][3:] for _, lines in headings]
    parameters = [place for place, cell in enumerate(cells) if "parameters" in _tags(cell)]
    headline = [place for place, cell in enumerate(cells) if "headline" in _tags(cell)]
    if not re.match(r"# \S.*\n\n.*？", cells[0].source):
        found.append("the first cell is not a title and its question")
    if parameters != [1]:
        found.append("the second cell is not the only one tagged parameters")
    elif not all("#" in line for line in cells[1].source.splitlines() if line.strip()):
        found.append("a parameter without a comment")
    if len(headline) != 1 or not headings or not 2 < headline[0] < headings[0][0]:
        found.append("not exactly one headline, after the load and before the first section")
    if titles[-1:] != [LAST] or not all(title.endswith("？") for title in titles[:-1]) or len(titles) < 2:
        found.append(f"sections are not questions that end with {LAST}")
    for place, lines in headings:
        if not any(line.strip() for line in lines[1:]):
            found.append(f"no sentence says why under {lines[0]}")
        if lines[0][3:] != LAST and (place + 1 == len(cells) or cells[place + 1].cell_type != "code"):
            found.append(f"nothing shown under {lines[0]}")
    return found


def _names(cells) -> list[str]:
    """Names used must be voc, parameters, or results named before: no builtins, nothing from elsewhere."""
    known, found = {"voc"}, []
    for place, cell in enumerate(cells, 1):
        if cell.cell_type == "code":
            for statement in ast.parse(cell.source).body:
                names = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
                found += [f"cell {place}: {name.id} is not voc, a parameter or a result" for name in names
                          if isinstance(name.ctx, ast.Load) and name.id not in known]
                known |= {name.id for name in names if isinstance(name.ctx, ast.Store)}
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_notebook_keeps_the_contract(path):
    from voc_lib.report.parameters import read_parameters

    notebook = nbformat.read(path, as_version=4)
    assert problems(notebook) == []
    assert read_parameters(path), "the parameters must be literals"
    assert not re.search(r"\d", path.stem) or path.stem == "customer_360", "a name says the question, without numbers or dates (but for the field's own word)"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_name_a_notebook_uses_is_public(path):
    import voc_lib as voc

    code = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    used = {node.attr for source in code for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "voc"}
    assert sorted(used - set(voc.__all__)) == []


def _page(**changed):
    """A notebook that keeps the contract, with some cells replaced by keyword."""
    usual = {"title": "# 题\n\n问什么？", "parameters": 'store = "sample"  # 库', "load": "import voc_lib as voc\nlake = voc.open_store(store)",
             "headline": "voc.headline([1, 2, 3])", "why": "## 变了吗？\n\n因为要知道。", "code": "voc.table(lake.head(5))", "last": "## 方法与局限\n\n- 听到的人。"}
    cells = []
    for name, source in (usual | changed).items():
        if source is not None:
            markdown = name in ("title", "why", "last")
            tags = {"metadata": {"tags": [name]}} if name in ("parameters", "headline") else {}
            cells.append(new_markdown_cell(source) if markdown else new_code_cell(source, **tags))
    return new_notebook(cells=cells)


def test_the_usual_page_keeps_the_contract():
    assert problems(_page()) == []


@pytest.mark.parametrize("changed, problem", [
    ({"code": "def f():\n    return 1"}, "FunctionDef"), ({"code": "x = lambda: 1"}, "Lambda"), ({"code": "for a in [1]:\n    voc.note(a)"}, "For"),
    ({"code": "try:\n    voc.note(1)\nexcept ValueError:\n    voc.note(2)"}, "Try"), ({"code": "class A:\n    b = 1"}, "ClassDef"),
    ({"code": "x = [a for a in [1]]"}, "ListComp"), ({"code": "voc.note(f'{store}')"}, "JoinedStr"), ({"code": "if store:\n    voc.note(1)"}, "If"),
    ({"code": "import polars"}, "imports more"), ({"code": "from voc_lib import store"}, "ImportFrom"), ({"code": "\n".join(["voc.note(1)"] * 11)}, "longer than 10"),
    ({"code": "voc.note('select a from b')"}, "SQL"), ({"code": "voc.note('data/raw')"}, "a path"), ({"code": "voc.note('x.csv')"}, "a path"),
    ({"code": "voc.note('#b23327')"}, "a colour"), ({"code": "voc.note('{:.1f}')"}, "a number format"), ({"code": "print(store)"}, "print is not voc"),
    ({"code": "go.Figure()"}, "go is not voc"), ({"code": "lake.sql('x')"}, "calls .sql"), ({"code": "lake.map_rows(store)"}, "calls .map_rows"),
    ({"why": "## 涨了 20 人吗？\n\n因为。"}, "number 20"), ({"why": "## 变了吗？"}, "no sentence says why"), ({"why": "## 变化\n\n因为。"}, "not questions"),
    ({"code": None}, "nothing shown"), ({"headline": None}, "one headline"), ({"parameters": 'store = "x"'}, "without a comment"),
    ({"last": "## 完\n\n无。"}, "end with 方法与局限"), ({"title": "# 题"}, "title and its question"), ({"load": None, "parameters": None}, "tagged parameters")])
def test_each_breach_is_found(changed, problem):
    assert any(problem in line for line in problems(_page(**changed))), problems(_page(**changed))


def test_outputs_stay_only_in_the_headline():
    page = _page()
    output = nbformat.v4.new_output("stream", text="x")
    page.cells[3].outputs = [output]
    assert problems(page) == []
    page.cells[2].outputs = [output]
    assert problems(page) == ["cell 3: has outputs; only the headline keeps them"]

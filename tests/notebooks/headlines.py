"""Run every notebook on the planted sample and keep the outputs of its headline cell: `make headlines`.

A change that moves a published number then shows in the diff; nbval compares the same outputs in the tests.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import nbformat

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "tests"))


def main() -> None:
    from conftest import plant_home

    with tempfile.TemporaryDirectory() as folder:
        home = plant_home(Path(folder) / "home")
        from voc_lib.report.execute import execute

        for path in sorted((PROJECT / "notebooks").glob("*.ipynb")):
            keep_headline(path, execute(path, {}, Path(folder) / path.name, env={"VOC_HOME": str(home)}))
            print(path.name)


def keep_headline(path: Path, executed: Path) -> None:
    """Outputs of the headline cell into the notebook; every other cell has none."""
    notebook, done = nbformat.read(path, 4), nbformat.read(executed, 4)
    outputs = [cell.outputs for cell in done.cells if "headline" in cell.metadata.get("tags", [])]
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        kept = "headline" in cell.metadata.get("tags", [])
        cell.execution_count = 1 if kept else None  # nbval compares only cells that have been run
        cell.outputs = outputs.pop(0) if kept else []
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = 1
    nbformat.write(notebook, path)


if __name__ == "__main__":
    main()

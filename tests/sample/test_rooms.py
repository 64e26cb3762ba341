"""The planted world stands apart: it imports nothing of the rooms, and nobody reads the truth but evaluate and tests."""

import ast
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parents[2] / "voc_lib"
SAMPLE = sorted((LIBRARY / "sample").rglob("*.py"))
FORBIDDEN = ("collect", "enrich", "measure", "report", "respond", "store", "store_write", "pipeline", "evaluate")


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("path", SAMPLE, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_sample_imports_no_room(path):
    assert not {name for name in imported(path) if name.startswith(tuple(f"voc_lib.{room}" for room in FORBIDDEN))}


def test_only_the_command_line_imports_sample_and_only_evaluate_reads_a_truth():
    for path in sorted(LIBRARY.rglob("*.py")):
        room = path.relative_to(LIBRARY).parts[0]
        if room != "sample":
            users = {name for name in imported(path) if name.startswith("voc_lib.sample")}
            assert not users or path == LIBRARY / "commands" / "sample.py", path
        if room not in ("sample", "evaluate"):
            code = [node.value for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
            assert not any(text.startswith("_truth") for text in code), path


def test_every_truth_and_every_channel_has_its_file():
    from voc_lib.sample import exports, planting
    from voc_lib.sample.cast import cast_of

    for domain in ("auto", "bank"):
        assert set(exports.modules(domain)) == set(cast_of(domain).channels)
    names = set(planting.modules("auto")) | set(planting.modules("bank"))
    assert names == {"ac_noise", "garage_key", "brake_batch", "winter_range", "stop_feature", "escalations", "topic_life", "sales_promises", "deletions",
                     "official_replies", "screen_sharing", "instalment_fees", "forged_plates", "mood_curve"}

"""Run a notebook with its parameters, in a kernel of its own.

Kernels talk over sockets in a fresh private folder (IPC) and not over TCP ports: several can run at once, and
nothing listens on the network. Where the system has no such sockets (Windows), TCP on this machine is used.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from jupyter_client import AsyncKernelManager
from traitlets import Dict, Unicode

from voc_lib.messages import system_words

TALLY_TAG = "voc-tally"
TALLY = "from voc_lib.report.charts import tally\ntally()"
NOBODY = "VOC_NOBODY_CLICKS"    # in the kernel's environment: no widgets are made, the page shows tables and sentences instead
START_SECONDS = 120    # a cold disk with a virus scanner needs more than papermill's minute
_PATH_LIMIT = 60       # a socket's path may have 107 bytes; the folder must leave room for the name


class ExecutionError(RuntimeError):
    """A cell failed; the message names the cell and the cause, `partial` is the notebook as far as it got."""

    def __init__(self, message: str, partial: Path) -> None:
        super().__init__(message)
        self.partial = partial


class PrivateKernelManager(AsyncKernelManager):
    """A kernel manager that gives the kernel variables and a working folder without changing our own.

    (papermill's `cwd` changes the folder of the whole process: runs side by side would meet there.)
    """

    variables = Dict(help="environment variables of the kernel").tag(config=True)
    folder = Unicode(help="working folder of the kernel").tag(config=True)

    async def _async_pre_start_kernel(self, **kw: object) -> object:
        kw["env"] = {**(kw.get("env") or os.environ), **self.variables}
        kw["cwd"] = self.folder
        kw["extra_arguments"] = [*kw.get("extra_arguments", []), "--log-level=50"]    # what goes wrong in a cell is said by us
        return await super()._async_pre_start_kernel(**kw)

    pre_start_kernel = _async_pre_start_kernel


def execute(notebook: Path, parameters: dict, out_ipynb: Path, env: dict[str, str] | None = None,
            timeout: int | None = None) -> Path:
    """Run `notebook` with checked `parameters` (see `validate`) and write the executed one to `out_ipynb`.

    The kernel starts in the notebook's folder with `env` on top of ours. `timeout` is in seconds per cell. What is
    written carries no times and no random ids. Raises ExecutionError; the partial notebook is then in `out_ipynb`.
    """
    import papermill
    from papermill.exceptions import PapermillExecutionError

    out_ipynb.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="voc-", dir=_short_folder()) as folder:
        counted = Path(folder) / Path(notebook).name
        _with_tally(Path(notebook), counted)
        try:
            papermill.execute_notebook(
                counted, out_ipynb, parameters=parameters, kernel_name="python3", language="python", progress_bar=False,
                log_output=False, start_timeout=START_SECONDS, execution_timeout=timeout,
                config=_private(Path(folder), Path(notebook).resolve().parent, env or {}))
        except PapermillExecutionError as error:
            injected = bool(parameters)    # papermill puts a cell of its own before the failing one
            where = f"{Path(notebook).stem} 第 {error.cell_index + 1 - injected} 格"
            raise ExecutionError(f"笔记本 {where}出错：{_cause(error.ename, error.evalue)}", out_ipynb) from None
        except Exception as error:    # the kernel died, did not start, or ran out of time
            system = system_words(error)
            why = f"{system[0]}。{system[1]}后重新运行即可" if system else f"{type(error).__name__}: {error}"
            raise ExecutionError(f"笔记本 {Path(notebook).stem} 没有跑完：{why}。", out_ipynb) from error
    _canonical(out_ipynb, parameters)
    return out_ipynb


def _cause(name: str, words: str) -> str:
    """What a cell raised; where the library says it in Chinese, its class is nothing to the reader."""
    return words if re.search("[一-鿿]", words) else f"{name}: {words}"


def _short_folder() -> str | None:
    usual = tempfile.gettempdir()
    return "/tmp" if len(os.fsencode(usual)) > _PATH_LIMIT and os.path.isdir("/tmp") else None


def _private(folder: Path, working: Path, env: dict[str, str]) -> object:
    from traitlets.config import Config

    config = Config()
    config.PapermillNotebookClient.kernel_manager_class = f"{__name__}.PrivateKernelManager"
    quiet = {"PYTHONHASHSEED": "0", "PYDEVD_DISABLE_FILE_VALIDATION": "1", "IPYTHONDIR": str(folder / "ipython"), NOBODY: "1"}
    config.PrivateKernelManager.variables = quiet | env
    config.PrivateKernelManager.folder = str(working)
    if os.name != "nt":
        config.KernelManager.transport = "ipc"
        config.KernelManager.ip = str(folder / "k")
    return config


def _with_tally(notebook: Path, counted: Path) -> None:
    """A copy of the notebook that ends by telling how many charts were made."""
    import nbformat

    content = nbformat.read(notebook, as_version=4)
    cell = nbformat.v4.new_code_cell(TALLY, metadata={"tags": [TALLY_TAG]})
    content.cells.append(cell)
    nbformat.write(content, counted)


def _canonical(executed: Path, parameters: dict) -> None:
    """Take out what differs from run to run: start times, durations, random cell ids, versions of the kernel."""
    import nbformat

    content = nbformat.read(executed, as_version=4)
    content.metadata = nbformat.from_dict({
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}, "voc": {"parameters": parameters}})
    for place, cell in enumerate(content.cells):
        tags = cell.metadata.get("tags", [])
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        cell.id = f"cell-{place:03d}"
    nbformat.write(content, executed)

"""Run every notebook of _toc.yml and note what it takes: `make cards` writes book/cards.json and the cards.

On the CPU all is measured: the seconds until the first figure, the first trained curve and everything are
there, and the most memory that the kernel had. Run it on a machine that does nothing else; its load is noted.

Each notebook is run a second time believing in a GPU (see pretend.py), and the runs that it would train on
CIFAR-10 are counted: it gets through with a GPU's preset, and whoever has one needs the data. How long that
takes on a GPU is not measured here, but on one, by `make test-gpu`; what stands there already is kept.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from datetime import date
from time import perf_counter

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tools.notebooks import FIRST_ID, ROOT, TRAINS, dress, listed

CARDS = ROOT / "book/cards.json"
# Run as the first cell: the notebook then believes in a GPU.
PRETEND = f"""
import sys
sys.path.append({str(ROOT / "book")!r})
from tools.pretend import believe as _believe
_counted = _believe()
"""
COUNTED = "print(len(_counted))"
MEMORY = """
import resource, sys
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024**2 if sys.platform == "darwin" else 1024))
"""
MACHINE = """
import json, torch
from lrlib.training.machine import hardware
import os, platform
print(json.dumps({"hardware": hardware(torch.device("cpu")), "cores": os.cpu_count(),
                  "python": platform.python_version(), "torch": torch.__version__,
                  "load": round(os.getloadavg()[2], 1)}))
"""


def run(notebook: nbformat.NotebookNode, *, before: str = "", after: str) -> tuple[list[float], str]:
    """Run a notebook in an empty folder; return when each cell was done, and what `after` printed."""
    extra = [nbformat.v4.new_code_cell(before)] if before else []
    last = nbformat.v4.new_code_cell(after)
    cells = [cell for cell in notebook.cells if cell.id != FIRST_ID or not before]
    copy = nbformat.v4.new_notebook(cells=[*extra, *cells, last], metadata=notebook.metadata)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(copy, timeout=1800, resources={"metadata": {"path": folder}})
        start, done = perf_counter(), []
        with client.setup_kernel(stderr=subprocess.DEVNULL):
            for number, cell in enumerate(copy.cells):
                client.execute_cell(cell, number)
                done.append(perf_counter() - start)
    return done[len(extra) : -1], "".join(output.get("text", "") for output in last.outputs).strip()


def measure(notebook: nbformat.NotebookNode) -> dict:
    """Return the entry of one notebook in cards.json."""
    done, memory = run(notebook, after=MEMORY)
    cells = notebook.cells
    figures = [i for i, cell in enumerate(cells) if "figure" in cell.metadata.get("tags", [])]
    trains = [i for i, cell in enumerate(cells) if cell.cell_type == "code" and TRAINS.search(cell.source)]
    _, counted = run(notebook, before=PRETEND, after=COUNTED)
    return {
        "cpu_seconds": round(done[-1], 1),
        "first_figure_seconds": round(done[figures[0]], 1) if figures else None,
        "first_curve_seconds": round(done[trains[0]], 1) if trains else None,
        "memory_mb": int(memory),
        "gpu_runs": int(counted),
    }


def main() -> None:
    """Measure all notebooks, or those that are named, and write what was found."""
    os.environ["LRLIB_PROGRESS"] = "off"
    wanted = sys.argv[1:] or listed()
    known = json.loads(CARDS.read_text(encoding="utf-8")) if CARDS.is_file() else {}
    entries, failed = known.get("notebooks", {}), []
    for name in wanted:
        notebook = nbformat.read(ROOT / name, as_version=4)
        try:
            entries[name] = {"measured": date.today().isoformat(), **measure(notebook)}
            print(f"{name}: {entries[name]}", flush=True)
        except CellExecutionError as error:
            failed.append(name)
            print(f"{name}: a cell failed: {str(error).strip().splitlines()[-1]}", flush=True)
    _, machine = run(nbformat.v4.new_notebook(), after=MACHINE)
    kept = {name: entries[name] for name in listed() if name in entries}
    found = {"machine": json.loads(machine), "gpu": known.get("gpu", {}), "notebooks": kept}
    CARDS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("\n".join(f"written: {name}" for name in dress()))
    if failed:
        sys.exit(f"not measured: {', '.join(failed)}")


if __name__ == "__main__":
    main()

"""Run every notebook of _toc.yml and note what it takes: `make cards` writes book/cards.json and the cards.

On the CPU all is measured: the seconds until the first figure, the first trained curve and everything are
there, and the most memory that the kernel had. Run it on a machine that does nothing else; its load is noted.

For a T4 GPU nothing has been measured yet. So each notebook is run a second time with a stand-in for `train`
that counts the updates which a GPU would make, and the card gives these times an assumed time for one update,
and says so. This also shows that the notebook gets through with a GPU's preset.
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
from notebooks import FIRST_ID, ROOT, dress, listed

CARDS = ROOT / "book/cards.json"
# All that is assumed about a T4, in one place.
T4 = {
    "ms_per_update": 20,
    "download_mb": 140,
    "why": (
        "Not measured. ResNet-50 with its ImageNet stem makes 83.4 million multiply-adds on a picture of "
        "32x32. An update on 128 of them is 128 x 83.4e6 x 2 (multiply, add) x 3 (forward, backward) = 64 "
        "GFLOP. At 5 % of a T4's 65 TFLOP/s in fp16 that takes 20 ms. 5 % is a guess for layers so small "
        "that they wait for their launches. An update here includes its share of the tests."
    ),
}
# Run as the first cell: the notebook then believes in a GPU, and runs of ResNet-50 are counted, not trained.
# What comes back is a recorded run, so that the cells after it have something to show. All else is trained.
PRETEND = """
import lrlib._timing, lrlib.train
from lrlib.records import load_runs as _load_runs
_shown, _counted = _load_runs("pilot-laptop")[0], []
_train, _pace = lrlib.train.train, lrlib._timing.pace
def _count(config, **how):
    if config.network != "resnet50":
        return _train(config, **how)
    _counted.append(config.total_steps)
    epochs = [_shown.epochs[min(e, len(_shown.epochs) - 1)] for e in range(config.epochs)]
    epochs = tuple(epoch.model_copy(update={"epoch": e}) for e, epoch in enumerate(epochs))
    return _shown.model_copy(update={"config": config, "epochs": epochs})
def _assume(config, **how):
    if config.network != "resnet50":
        return _pace(config, **how)
    return lrlib._timing.Pace(updates=SECONDS, image=0.0)
lrlib.train.train, lrlib.train.live_preset = _count, lambda: "resnet50"
lrlib._timing.pace = _assume
""".replace("SECONDS", str(T4["ms_per_update"] * 20 / 1000))
COUNTED = "print(sum(_counted))"
MEMORY = """
import resource, sys
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024**2 if sys.platform == "darwin" else 1024))
"""
MACHINE = """
import json, torch
from lrlib._machine import hardware
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
    took = [end - start for start, end in zip([0.0, *done], done, strict=False)]
    figures = [i for i, cell in enumerate(cells) if "figure" in cell.metadata.get("tags", [])]
    trains = [i for i, cell in enumerate(cells) if cell.cell_type == "code" and "train(" in cell.source]
    _, updates = run(notebook, before=PRETEND, after=COUNTED)
    return {
        "cpu_seconds": round(done[-1], 1),
        "first_figure_seconds": round(done[figures[0]], 1) if figures else None,
        "first_curve_seconds": round(done[trains[0]], 1) if trains else None,
        "other_seconds": round(done[-1] - sum(took[i] for i in trains), 1),
        "memory_mb": int(memory),
        "gpu_updates": int(updates),
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
    text = json.dumps({"machine": json.loads(machine), "t4": T4, "notebooks": kept}, indent=1)
    CARDS.write_text(text + "\n", encoding="utf-8")
    print("\n".join(f"written: {name}" for name in dress()))
    if failed:
        sys.exit(f"not measured: {', '.join(failed)}")


if __name__ == "__main__":
    main()

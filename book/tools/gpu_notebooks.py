"""Run the cells of every notebook on this machine, side by side: `make test-gpu`, for a machine with a GPU.

    python3 book/tools/gpu_notebooks.py --jobs 8 --seconds 170 --out $OUT/gpu_notebooks.json

It needs the packages in `NEEDED` and nothing of Jupyter: IPython alone runs the cells, each notebook in a
process and an empty folder of its own. It needs no installed lrlib, and CIFAR-10 where LRLIB_DATA says. With
a GPU, every run must have been trained on it. Without one the live cells train on the digits: that shows that
the notebooks run, and the last line says so. `--pretend` lets them believe in a GPU (book/tools/pretend.py).

`--note` writes the seconds of each notebook to book/cards.json, under the name of the GPU; `--note REPORT`
takes them from a file that `--out` wrote on another machine. `make first-cells` then puts them on the cards.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from datetime import date
from pathlib import Path
from time import perf_counter, sleep

ROOT = Path(__file__).resolve().parents[2]
CARDS = ROOT / "book/cards.json"
NEEDED = ("IPython", "matplotlib", "numpy", "scipy", "pydantic", "filelock", "torch", "sklearn", "tqdm")
MINUTES = 2.0  # of a live cell, as lrbook.colab.live has it


def listed() -> list[str]:
    """Return the notebooks of _toc.yml, those that take longest on a CPU first."""
    files = re.findall(r"^[\s-]*(?:root|file):\s*(\S+)\s*$", (ROOT / "_toc.yml").read_text(), re.M)
    names = [f"{name}.ipynb" for name in files if (ROOT / f"{name}.ipynb").is_file()]
    known = json.loads(CARDS.read_text())["notebooks"]
    return sorted(names, key=lambda name: -known.get(name, {}).get("cpu_seconds", 0.0))


# In the process of one notebook


def execute(name: str, *, minutes: float, pretend: bool) -> dict:
    """Run the code cells of a notebook, in order, up to one that fails; return what came of it."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    start, trained = perf_counter(), []
    import lrbook.colab

    if pretend:
        sys.path.append(str(ROOT / "book"))
        from tools.pretend import believe

        believe()
    train, budget = lrbook.colab._trained, lrbook.colab.budget

    def noted(config, folder):
        run = train(config, folder)
        trained.append(run)
        return run

    lrbook.colab._trained = noted
    lrbook.colab.budget = lambda config, **how: budget(config, **how | {"minutes": minutes})

    settings = Config()
    settings.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=settings)
    shell.display_formatter.active_types = ["text/plain"]
    cells = json.loads((ROOT / name).read_text(encoding="utf-8"))["cells"]
    found = {"notebook": name, "status": "ok"}
    for number, cell in enumerate(cells):
        if cell["cell_type"] != "code":
            continue
        result = shell.run_cell("".join(cell["source"]), store_history=False)
        error = result.error_before_exec or result.error_in_exec
        if error is None and type(result.result).__name__ == "Figure":
            try:  # a kernel would draw it now
                result.result.savefig(io.BytesIO(), format="svg")
            except Exception as reason:
                error = reason
        if error is not None:
            found |= {"status": "failed", "cell": number, "why": f"{type(error).__name__}: {error}"}
            found["traceback"] = "".join(traceback.format_exception(error))
            break
    found["seconds"] = round(perf_counter() - start, 1)
    found["trained"] = [
        {
            **{key: getattr(run.config, key) for key in ("network", "dataset", "epochs")},
            **{key: getattr(run.provenance, key) for key in ("device", "path", "precision", "seconds")},
            "label": run.label,
            "status": run.status,
            "test_accuracy": run.epochs[-1].test_accuracy,
        }
        for run in trained
    ]
    found |= here()
    elsewhere = {run["device"] for run in found["trained"]} - {"cuda"}
    if found["gpu"] and found["status"] == "ok" and not pretend and (elsewhere or not trained):
        found |= {"status": "failed", "why": f"a GPU is here, but it trained on {elsewhere or 'nothing'}"}
    return found


def here() -> dict:
    """Return the name of the GPU, None without one, and the versions that decide."""
    import torch

    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else None
    return {"gpu": gpu, "torch": torch.__version__, "python": sys.version.split()[0]}


# Around them


class Process:
    """A notebook that runs in a process, an empty folder and with settings of its own."""

    def __init__(self, name: str, folder: Path, *, minutes: float, pretend: bool, threads: int) -> None:
        self.name, self.start = name, perf_counter()
        self.result, self.out, self.err = (folder / each for each in ("result.json", "out", "err"))
        (folder / "empty").mkdir(parents=True)
        env = os.environ | {
            "PYTHONPATH": os.pathsep.join(
                filter(None, [str(ROOT), str(ROOT / "book"), os.environ.get("PYTHONPATH")])
            ),
            "MPLBACKEND": "agg",
            "LRLIB_PROGRESS": "off",
            "IPYTHONDIR": str(folder / "ipython"),
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(threads)),
        }
        command = [sys.executable, __file__, name, "--child", str(self.result), "--minutes", str(minutes)]
        command += ["--pretend"] * pretend
        with self.out.open("w") as out, self.err.open("w") as err:
            self.process = subprocess.Popen(
                command, cwd=folder / "empty", env=env, stdout=out, stderr=err, start_new_session=True
            )

    def end(self) -> None:
        """End it and whatever it has started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def report(self) -> dict:
        """Return what came of it."""
        said, wrong = (path.read_text(errors="replace") for path in (self.out, self.err))
        if self.result.is_file():
            found = json.loads(self.result.read_text())
        else:
            last = (wrong.strip().splitlines() or ["it said nothing"])[-1]
            ended = self.process.returncode == -signal.SIGKILL
            why = "not through when the time was over" if ended else f"its process ended: {last}"
            found = {"notebook": self.name, "status": "failed", "why": why, "trained": []}
            found["seconds"] = round(perf_counter() - self.start, 1)
        budgets = re.findall(r"^\d+ updates took .*?\.$", said, re.M | re.S)
        found["budgets"] = [" ".join(budget.split()) for budget in budgets]
        found["stderr"] = wrong[-4000:]
        return found


def run_all(names: list[str], *, jobs: int, seconds: float, minutes: float, pretend: bool) -> list[dict]:
    """Run notebooks, `jobs` at a time, and say what came of each; those that are not through in time fail."""
    end, waiting, running, reports = perf_counter() + seconds, list(names), [], []
    threads = max(1, (os.cpu_count() or 1) // jobs)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            while waiting or running:
                late = perf_counter() > end
                while waiting and len(running) < jobs and not late:
                    name = waiting.pop(0)
                    place = Path(folder, Path(name).stem)
                    running.append(Process(name, place, minutes=minutes, pretend=pretend, threads=threads))
                for each in list(running):
                    if late:
                        each.end()
                    if each.process.poll() is not None:
                        running.remove(each)
                        reports.append(each.report())
                        print(line(reports[-1]), flush=True)
                if late:
                    for name in waiting:
                        why = "not begun when the time was over"
                        reports.append({"notebook": name, "status": "failed", "why": why, "trained": []})
                        print(line(reports[-1]), flush=True)
                    break
                sleep(0.1)
        finally:
            for each in running:
                each.end()
    return reports


def line(report: dict) -> str:
    """Return what came of a notebook, in one line; a second one if it wrote to stderr."""
    name = Path(report["notebook"]).stem
    how = Counter(
        f"{run['network']} on {run['dataset']}, {run['epochs']} epoch{'s' * (run['epochs'] > 1)} "
        f"({run['device']}, {run['path']}, {run['precision']})"
        for run in report["trained"]
    )
    runs = "; ".join(f"{many} x {what}" for what, many in how.items()) or "no run"
    if report["status"] == "ok":
        text = f"ok      {report['seconds']:6.1f} s  {name}: {runs}"
    else:
        cell = f"cell {report['cell']}: " if "cell" in report else ""
        text = f"FAILED  {report.get('seconds', 0.0):6.1f} s  {name}: {cell}{report['why']}"
    wrong = report.get("stderr", "").strip().splitlines()
    return text + (f"\n        it wrote to stderr, last: {wrong[-1]}" if wrong else "")


def note(report: dict, *, root: Path = ROOT) -> str:
    """Write the seconds of the notebooks that ran on a GPU to cards.json; return what was done."""
    if report["gpu"] is None or report["pretend"]:
        return "Nothing is noted: there was no GPU."
    if report["minutes"] != MINUTES:
        return f"Nothing is noted: a live cell has {MINUTES:g} minutes, and had {report['minutes']:g}."
    path = root / "book/cards.json"
    known = json.loads(path.read_text(encoding="utf-8"))
    seconds = {each["notebook"]: each["seconds"] for each in report["notebooks"] if each["status"] == "ok"}
    if seconds.keys() != set(listed()):
        return "Nothing is noted: not every notebook ran and got through."
    entry = {key: report[key] for key in ("measured", "torch", "together")} | {"seconds": seconds}
    known["gpu"] = {**known.get("gpu", {}), report["gpu"]: entry}
    path.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    return f"Noted in book/cards.json: {len(seconds)} notebooks on {report['gpu']}."


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="notebooks, from the tree's root; all of _toc.yml if none")
    parser.add_argument("--jobs", type=int, default=2, help="notebooks at a time")
    parser.add_argument("--seconds", type=float, default=1800.0, help="for all; what is not through fails")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="the budget of a live cell")
    parser.add_argument("--out", type=Path, help="file for the report; $OUT/gpu_notebooks.json if OUT is set")
    parser.add_argument("--note", nargs="?", const=True, metavar="REPORT", help="write book/cards.json")
    parser.add_argument("--pretend", action="store_true", help="believe in a GPU, and count what it would do")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args(words)


def main() -> None:
    """Run all notebooks, or those that are named, and report."""
    given = arguments()
    if given.child:
        found = execute(given.names[0], minutes=given.minutes, pretend=given.pretend)
        begun = given.child.with_suffix(".tmp")
        begun.write_text(json.dumps(found), encoding="utf-8")
        begun.replace(given.child)  # whole, or not there
        return
    if isinstance(given.note, str):
        print(note(json.loads(Path(given.note).read_text(encoding="utf-8"))))
        return
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(
            f"{Path(sys.executable).name} lacks {', '.join(missing)}, without which no notebook can run."
        )
    names, start = given.names or listed(), perf_counter()
    print(f"{len(names)} notebooks, {given.jobs} at a time, at most {given.seconds:g} s.", flush=True)
    how = {"minutes": given.minutes, "pretend": given.pretend}
    reports = run_all(names, jobs=given.jobs, seconds=given.seconds, **how)
    machine = {"gpu": None, "torch": None, "python": None}
    for each in reports:
        machine |= {key: each[key] for key in machine if key in each}
    report = {
        "measured": date.today().isoformat(),
        **machine,
        "together": min(given.jobs, len(names)),
        **how,
        "seconds": round(perf_counter() - start, 1),
        "notebooks": reports,
    }
    out = given.out or (Path(os.environ["OUT"], "gpu_notebooks.json") if "OUT" in os.environ else None)
    if out:
        out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    failed = [Path(each["notebook"]).stem for each in reports if each["status"] != "ok"]
    where = f"on {report['gpu']}" if report["gpu"] else "without a GPU: there was none here"
    print(f"{len(names) - len(failed)} of {len(names)} got through in {report['seconds']:.0f} s, {where}.")
    if given.note:
        print(note(report))
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()

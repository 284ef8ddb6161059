"""A small study, done again and again under disturbances until all of it is recorded.

The driver is a fork that calls the command line, and its workers are forks that read their task from standard
input as those of `lrlib study run` do: torch is imported once, so that a kill costs tenths of a second.
`real=True` starts them as a user does.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from lrlib import cli, preset
from lrlib.runs.store import read_run
from lrlib.sweeps import local
from lrlib.sweeps.study import Study, read_study
from lrlib.training.checkpoint import load_state
from lrlib.training.machine import resolve
from lrlib.training.run import train
from torture import PYTHONS_WORDS, Row
from torture.disturb import KILLS, REFUSALS, Trap, install, jumping_clocks, note

STUDY = """
title = "Tortured"
preset = "digits"
recipes = ["linear", "cosine5"]
seeds = {seeds}
[changes]
epochs = 5
train_images = 30
test_images = 20
augmentation = "flip_shift"
"""
#: Writes of a worker that does a run undisturbed: five files, and the locks and leftovers around them.
WRITES = 40


class Forked:
    """Stands for `subprocess.Popen`: a worker as a fork of the driver."""

    log = ""
    before: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self, _command: Sequence[str], *, stdin: int, stderr, text: bool, env: dict) -> None:
        reading, writing = os.pipe()
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            os.close(writing)
            for number in (signal.SIGTERM, signal.SIGINT):  # as after an exec
                signal.signal(number, signal.SIG_DFL)
            os.dup2(stderr.fileno(), 2)
            sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
            sys.stdin = os.fdopen(reading, encoding="utf-8")
            called(["study", "work"], Forked.before)
        os.close(reading)
        self.stdin = os.fdopen(writing, "w", encoding="utf-8")
        note(self.log, f"process {self.pid}")

    def poll(self) -> int | None:
        if self.returncode is None:
            child, status = os.waitpid(self.pid, os.WNOHANG)
            if child:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self) -> int:
        while self.poll() is None:
            time.sleep(0.005)
        return self.returncode

    def terminate(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)


def called(words: list[str], before: Callable[[], None]) -> None:
    """Call the command line in this fork, and end it as Python ends."""
    code: object = 1
    try:
        sys.argv = ["lrlib", *words]
        before()
        cli.main()
        code = 0
    except SystemExit as stop:
        code = stop.code
    except BaseException:
        import traceback

        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(code if isinstance(code, int) else 1)


class Tortured:
    """One folder of a study, and what is done to it."""

    def __init__(self, folder: Path, seed: int, *, seeds: int = 2) -> None:
        with contextlib.suppress(OSError, AttributeError):  # Linux: orphaned workers become ours, to wait for
            ctypes.CDLL(None).prctl(36, 1)
        torch.set_num_threads(1)
        # What a first run imports and sets up takes a second: once, for all forks.
        train(
            preset("digits", recipe="linear", epochs=1, train_images=10, test_images=10),
            progress=False,
            threads=1,
        )
        self.folder, self.chance = folder, random.Random(seed)
        folder.mkdir()
        self.file = folder / "tortured.toml"
        self.file.write_text(STUDY.format(seeds=list(range(1, seeds + 1))))
        self.sessions = 0
        self.log = folder / "log"

    def study(self, out: str) -> Study:
        return read_study(self.file, out=self.folder / out)

    def words(self, out: str, *more: str) -> list[str]:
        return ["study", "run", str(self.file), "--jobs", "2", "--out", str(self.folder / out), *more]

    def driver(
        self,
        out: str,
        *more: str,
        in_driver: Callable[[], None] = lambda: None,
        in_worker: Callable[[], None] = lambda: None,
    ) -> tuple[int, Path]:
        """Start a driver; return its process and the file that takes what it says."""
        self.sessions += 1
        said = self.folder / f"said-{self.sessions}"
        child = os.fork()
        if child == 0:
            with said.open("w") as file:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
            sys.stdout = os.fdopen(1, "w", closefd=False)
            sys.stderr = os.fdopen(2, "w", closefd=False)
            Forked.log, Forked.before = str(self.log), staticmethod(in_worker)
            local.subprocess = types.SimpleNamespace(Popen=Forked, PIPE=subprocess.PIPE)
            local.sleep = lambda seconds: time.sleep(seconds / 5)
            called(self.words(out, *more), in_driver)
        return child, said

    def real_driver(self, out: str, trap: Trap | None, *more: str) -> tuple[int, Path]:
        """Start a driver as a user does, whose trap all Pythons below it have too."""
        self.sessions += 1
        said = self.folder / f"said-{self.sessions}"
        site = Path(__file__).with_name("site")
        path = os.pathsep.join([str(site), *[folder for folder in sys.path if folder]])
        env = {**os.environ, "PYTHONPATH": path}
        if trap is not None:
            env["TORTURE_TRAP"] = trap.dumps()
        with said.open("w") as file:
            code = "from lrlib.cli import main; main()"
            process = subprocess.Popen(
                [sys.executable, "-c", code, *self.words(out, *more)], stdout=file, stderr=file, env=env
            )
        return process.pid, said

    def processes(self) -> list[int]:
        """Return the workers that are alive."""
        there = []
        for line in self.lines("process "):
            pid = int(line.split()[1])
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 0)
                there.append(pid)
        return there

    def end_orphans(self) -> None:
        """End the workers that have lost their driver for good.

        A worker of Ray's ends once process 1 is its parent. Of those that a killed cluster leaves behind
        we are the parent, and each later study would wait a minute for them.
        """
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def lines(self, start: str) -> list[str]:
        return (
            [line for line in self.log.read_text().splitlines() if line.startswith(start)]
            if (self.log.exists())
            else []
        )

    def kept(self, study: Study) -> dict[str, tuple[int, bytes]]:
        """Return of each run how many epochs are safe on the disk, and its record."""
        safe = {}
        for planned in study.runs:
            if planned.record.exists():
                safe[planned.name] = (planned.config.epochs, planned.record.read_bytes())
            elif planned.checkpoint.exists():
                state = load_state(planned.checkpoint, planned.config, resolve(planned.config, threads=1))
                safe[planned.name] = (len(state["epochs"]), b"")
        return safe

    def undisturbed(self) -> dict[str, dict]:
        """Do the study as if nothing were; return what its runs measured."""
        child, said = self.driver("undisturbed")
        _, status = os.waitpid(child, 0)
        if status:
            raise RuntimeError(said.read_text())
        return {one.name: read_run(one.record).measured() for one in self.study("undisturbed").runs}


def check_said(said: Path, row: Row) -> None:
    """What a driver said holds no traceback and none of Python's own words."""
    text = said.read_text(errors="replace")
    found = PYTHONS_WORDS.search(text)
    if found:
        row.fault(f"said {text.strip()[-300:]!r}")


def done(
    tortured: Tortured, out: str, row: Row, session: Callable[[str], str], wanted: dict, *more: str
) -> None:
    """Have sessions until a study is recorded, and look after each that nothing was lost."""
    study = tortured.study(out)
    for _ in range(200):
        before = tortured.kept(study)
        came = session(out)
        if came:
            row.had(came)
        after = tortured.kept(study)
        for name, (epochs, record) in before.items():
            if after.get(name, (0, b""))[0] < epochs or (record and after[name][1] != record):
                row.fault(f"{name}: {epochs} epochs were safe, and are not")
        if all(one.record.exists() for one in study.runs):
            break
    else:
        row.fault("200 sessions did not do the study")
        return
    deadline = time.monotonic() + 60
    while tortured.processes() and time.monotonic() < deadline:
        time.sleep(0.02)
    child, said = tortured.driver(out, *more)
    _, status = os.waitpid(child, 0)
    if status or f": {len(wanted)} of {len(wanted)} runs are recorded" not in said.read_text():
        row.fault(f"at last: {said.read_text()!r}")
    for one in study.runs:
        if read_run(one.record).measured() != wanted[one.name]:
            row.fault(f"{out}/{one.name}: another record than undisturbed")
    left = sorted(path.name for path in (tortured.folder / out).iterdir() if path.suffix != ".json")
    if left:
        row.fault(f"{out}: left over {left}")


def repeated(
    tortured: Tortured,
    out: str,
    row: Row,
    session: Callable[[str], str],
    wanted: dict,
    times: int,
    *more: str,
) -> Row:
    """Record studies anew, each as `done` does, until the row has happened so many times; return the row."""
    rounds = 0
    while row.times < times:
        done(tortured, f"{out}-{rounds}", row, session, wanted, *more)
        rounds += 1
    return row


#: Engines whose workers are torn down too, by what is said on the command line.
ENGINES = {"local": (), "ray": ("--engine", "ray"), "slurm": ("--engine", "slurm", "--address", "local")}


def kills(tortured: Tortured, wanted: dict, times: int, *, real: bool = False, engine: str = "local") -> Row:
    """Kill workers and drivers, by the clock and in the middle of their writes; a cluster is real."""
    more = ENGINES[engine]
    row = Row(
        f"kills of `lrlib study run {' '.join(('--jobs 2', *more))}`"
        + (", its workers started as a user's are" if real and not more else "")
    )
    chance = tortured.chance
    whole = 15.0 if more else 3.0 if real else 0.4

    def session(out: str) -> str:
        who, way = chance.choice(["worker", "worker", "driver"]), chance.choice(["clock", "write"])
        nth = chance.randrange(WRITES if who == "worker" else 6)
        trap = Trap(chance.choice(KILLS), nth, str(tortured.folder / out), str(tortured.log))
        lay = (lambda: install(trap)) if way == "write" else (lambda: None)
        nothing = lambda: None  # noqa: E731
        fired = len(tortured.lines(str(trap.action)))
        if real:
            child, said = tortured.real_driver(out, trap, *more)
            way = "clock" if who == "driver" else "write"
        else:
            child, said = tortured.driver(
                out,
                in_driver=lay if who == "driver" else nothing,
                in_worker=lay if who == "worker" else nothing,
            )
        killed = 0
        if way == "clock":
            time.sleep(chance.uniform(0, whole))
            victims = [child] if who == "driver" else tortured.processes()
            if victims:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(chance.choice(victims), signal.SIGKILL)
                    killed = 1
        _, status = os.waitpid(child, 0)
        if way == "clock" and who == "driver":
            killed = int(os.WIFSIGNALED(status))
        check_said(said, row)
        in_writes = len(tortured.lines(str(trap.action))) - fired
        if in_writes:
            row.had(f"{who if not real else 'process'} in a write", in_writes)
        return f"{who} by the clock" if killed else ""

    name = f"{engine}-kills" if more else "real-kills" if real else "kills"
    repeated(tortured, name, row, session, wanted, times, *more)
    tortured.end_orphans()
    return row


def refusals(tortured: Tortured, wanted: dict, times: int) -> Row:
    """Let the disk refuse, once or from then on, at a write of a worker."""
    row = Row("disk full, read-only or failing at a write")
    chance = tortured.chance

    def session(out: str) -> str:
        number = chance.choice(REFUSALS)
        trap = Trap(
            number,
            chance.randrange(WRITES),
            str(tortured.folder / out),
            str(tortured.log),
            ever=chance.random() < 0.5,
        )
        before = len(tortured.lines(f"{number} "))
        child, said = tortured.driver(out, in_worker=lambda: install(trap))
        os.waitpid(child, 0)
        check_said(said, row)
        refused = len(tortured.lines(f"{number} ")) - before
        return os.strerror(number) if refused else ""

    return repeated(tortured, "refusals", row, session, wanted, times)


def small_disks(tortured: Tortured, wanted: dict, times: int) -> Row:
    """Let the kernel refuse all of a file beyond a random number of bytes."""
    import resource

    row = Row("no byte more in a file, by the kernel's own limit")
    chance = tortured.chance

    def session(out: str) -> str:
        most = int(2000 * 300 ** chance.random())

        def limited() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

        child, said = tortured.driver(out, in_worker=limited)
        os.waitpid(child, 0)
        check_said(said, row)
        return "refused" if "could not be written" in said.read_text() else ""

    return repeated(tortured, "small", row, session, wanted, times)


def clocks(tortured: Tortured, wanted: dict, times: int) -> Row:
    """Let the clocks of driver and workers jump."""
    row = Row("clocks that jump by hours to months, in driver and workers")

    def session(out: str) -> str:
        seed = tortured.chance.randrange(10**6)
        more = ("--hours", "200") if tortured.chance.random() < 0.5 else ()
        child, said = tortured.driver(
            out, *more, in_driver=lambda: jumping_clocks(seed), in_worker=lambda: jumping_clocks(seed + 1)
        )
        _, status = os.waitpid(child, 0)
        check_said(said, row)
        if status:
            row.fault(f"with clocks that jump: {said.read_text()!r}")
        return "went on" if more else "done"

    for number in range(times):
        done(tortured, f"clocks-{number}", row, session, wanted)
    return row


def company(tortured: Tortured, wanted: dict, times: int) -> Row:
    """Let two or three processes do one study; kill one of them now and then."""
    row = Row("two or three drivers on one study")
    chance = tortured.chance

    def session(out: str) -> str:
        started = [tortured.driver(out) for _ in range(chance.choice([2, 3]))]
        killed = chance.random() < 0.5
        if killed:
            time.sleep(chance.uniform(0, 0.4))
            os.kill(started[0][0], signal.SIGKILL)
        for number, (child, said) in enumerate(started):
            _, status = os.waitpid(child, 0)
            check_said(said, row)
            if status and not (killed and number == 0):
                row.fault(f"one of several: {said.read_text()!r}")
        return "one was killed" if killed else "both to the end"

    for number in range(times):
        done(tortured, f"company-{number}", row, session, wanted)
    return row

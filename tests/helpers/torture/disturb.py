"""What is done to a process: it dies, or the disk refuses, at one of its writes; or its clocks jump.

Everything is installed in the process itself, a fork or (`sitecustomize`) a Python of its own.
"""

from __future__ import annotations

import datetime as dates
import errno
import json
import os
import pathlib
import random
import signal
import sys
import time
from dataclasses import asdict, dataclass

#: Calls that write, of which a trap counts those on files of the study.
CALLS = ("open", "fsync", "replace", "link", "unlink", "mkdir")
KILLS = ("before", "after", "half")
#: Why a disk refuses: it is full, the quota is used up, it is read-only, it fails, the user may not.
REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES)


@dataclass(frozen=True)
class Trap:
    """Something that happens at the nth write of a process to a file below `folder`.

    `action` is one of `KILLS`, or the number of an error that the call raises; of `REFUSALS` that of a full
    disk also cuts what is written. `log` takes a line when it has happened.
    """

    action: str | int
    nth: int
    folder: str
    log: str
    ever: bool = False  # an error stays: all later writes fail too

    def dumps(self) -> str:
        return json.dumps(asdict(self))


def note(log: str, line: str) -> None:
    """Add a line to a log that several processes write."""
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{line}\n".encode())
    os.close(file)


def install(trap: Trap) -> None:
    """Lay a trap in this process."""
    seen = -1
    real = {name: getattr(os, name) for name in CALLS}

    def happens(path: object) -> bool:
        nonlocal seen
        if path is not None and not os.fspath(path).startswith(trap.folder):
            return False
        seen += 1
        return seen == trap.nth or (trap.ever and seen > trap.nth)

    def wrapped(name: str):
        def call(*args, **how):
            descriptor = name == "fsync"
            path = None if descriptor else args[0]
            reads = name == "open" and not args[1] & (os.O_WRONLY | os.O_RDWR)
            if not isinstance(path, str | os.PathLike | None) or reads or not happens(path):
                return real[name](*args, **how)
            os_note(f"{trap.action} {name} {'' if path is None else os.path.basename(os.fspath(path))}")
            if isinstance(trap.action, int):
                raise OSError(trap.action, os.strerror(trap.action), None if descriptor else os.fspath(path))
            if trap.action == "half" and descriptor:
                os.ftruncate(args[0], os.fstat(args[0]).st_size // 2)
            if trap.action == "after":
                real[name](*args, **how)
            os.kill(os.getpid(), signal.SIGKILL)

        return call

    def os_note(line: str) -> None:
        file = real["open"](trap.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, f"{line}\n".encode())
        os.close(file)

    class Cut:
        """A file that takes a part of what it is given."""

        def __init__(self, file) -> None:
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def __getattr__(self, name):
            return getattr(self.file, name)

        def write(self, data):
            data = memoryview(data)
            self.file.write(data[: len(data) // 2])
            self.file.flush()
            if isinstance(trap.action, int):
                raise OSError(trap.action, os.strerror(trap.action))
            os.kill(os.getpid(), signal.SIGKILL)

        def writelines(self, lines):
            for line in lines:
                self.write(line)

    real_open = pathlib.Path.open

    def path_open(self, mode="r", *args, **how):
        writes = mode == "wb" and happens(self)
        if writes:
            os_note(f"{trap.action} write {self.name}")
            if isinstance(trap.action, int) and trap.action not in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
                raise OSError(trap.action, os.strerror(trap.action), str(self))
        file = real_open(self, mode, *args, **how)
        return Cut(file) if writes else file

    for name in CALLS:
        setattr(os, name, wrapped(name))
    pathlib.Path.open = path_open


def jumping_clocks(seed: int) -> None:
    """Let the clocks of this process jump: the wall's in both directions, the others by days, forwards."""
    chance = random.Random(seed)
    ahead = {"time": 0.0, "monotonic": 0.0, "perf_counter": 0.0}
    real = {name: getattr(time, name) for name in ahead}

    def jumped(name: str) -> float:
        if chance.random() < 0.05:
            ahead[name] += chance.choice([3600.0, 86_400.0 * chance.random(), 1e7])
            if name == "time" and chance.random() < 0.7:
                ahead[name] *= -1
        return real[name]() + ahead[name]

    class Jumped(dates.datetime):
        @classmethod
        def now(cls, tz=None):
            return dates.datetime.fromtimestamp(jumped("time"), tz)

    for name in ahead:
        false = lambda name=name: jumped(name)  # noqa: E731
        for module in list(sys.modules.values()):
            ours = getattr(module, "__name__", "").partition(".")[0] in ("lrlib", "filelock", "time")
            for word in [word for word, value in vars(module).items() if value is real[name]] if ours else ():
                setattr(module, word, false)
    for name, module in list(sys.modules.items()):
        if name.startswith("lrlib") and getattr(module, "datetime", None) is dates.datetime:
            module.datetime = Jumped

"""Kill runs at random moments and let each go on; `test_kills.py` starts this in a process of its own.

Each attempt is a fork that does one run of a study (`lrlib.sweeps.one_run.do`). It dies by SIGKILL, either at
a moment that a clock chose, or in the middle of writing: with half a file on the disk, before a file gets
its name, or right after. Prints what happened as JSON.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

from lrlib import _files, preset
from lrlib.runs.store import read_run
from lrlib.sweeps.one_run import do
from lrlib.sweeps.study import Planned
from lrlib.training.run import train

WANTED = 24


def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


def lay_trap(kind: str, nth: int) -> None:
    """Make this process kill itself at the nth write of its kind."""
    count = iter(range(1_000))

    def trap(name: str, *, after: bool = False, half: bool = False) -> None:
        real = getattr(os, name)

        def trapped(*args):
            if next(count) != nth:
                return real(*args)
            if half:
                os.ftruncate(args[0], os.fstat(args[0]).st_size // 2)
            if after:
                real(*args)
            die()

        setattr(_files.os, name, trapped)

    if kind == "half a file":
        trap("fsync", half=True)
    elif kind == "before its name":
        trap("replace")
    elif kind == "after its name":
        trap("replace", after=True)
    elif kind == "before the record's name":
        trap("link")
    elif kind == "after the record's name":
        trap("link", after=True)


def attempt(planned: Planned, kind: str, chance: random.Random, seconds: float) -> bool:
    """Do a run in a fork that is killed; True if it was, False if it came to its end before."""
    delay, nth = chance.uniform(0, seconds), 0 if "record" in kind else chance.randrange(3)
    child = os.fork()
    if child == 0:
        try:
            lay_trap(kind, nth)
            do(planned, threads=1)
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    if kind == "clock":
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("a run that went on ended with an error")
    return os.WIFSIGNALED(status)


def main(folder: Path, seed: int) -> None:
    torch.set_num_threads(1)
    # What the first run of a process loads takes seconds: each fork has it from here.
    warm = preset("digits", recipe="linear", epochs=1, train_images=20, test_images=20)
    train(warm, progress=False, threads=1)
    chance = random.Random(seed)
    kinds = [
        "clock",
        "half a file",
        "clock",
        "before its name",
        "clock",
        "after its name",
        "clock",
        "before the record's name",
        "clock",
        "after the record's name",
    ]
    kills, done, number = dict.fromkeys(kinds, 0), [], 0
    while sum(kills.values()) < WANTED:
        recipe = ("linear", "cosine5", "constant", "triangle")[len(done) % 4]
        config = preset(
            "digits", recipe=recipe, seed=len(done), epochs=5, train_images=100, augmentation="flip_shift"
        )
        planned = Planned(config, folder / f"{recipe}-seed{len(done)}.json")
        while planned.state() != "finished":
            kind = kinds[number % len(kinds)]
            kills[kind] += attempt(planned, kind, chance, seconds=0.5)
            number += 1
        if do(planned) is not None:
            raise SystemExit("a recorded run was done again")
        planned.tidy()
        done.append(planned)
    equal = [
        read_run(planned.record).measured() == train(planned.config, progress=False, threads=1).measured()
        for planned in done
    ]
    print(
        json.dumps({"kills": kills, "runs": len(done), "equal": equal, "files": len(list(folder.iterdir()))})
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

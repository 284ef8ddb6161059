"""What this machine will do: device, precision and path of each preset, and how long a run of it takes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from time import perf_counter

import torch

from lrlib._checks import no_such
from lrlib._files import write_atomically
from lrlib.runs.config import PRESETS, preset
from lrlib.sweeps import gpu_check, gpu_race
from lrlib.sweeps.timing import UPDATES, pace
from lrlib.training import cifar10, machine
from lrlib.training.dataset import DataError
from lrlib.training.progress import in_words

__all__ = ["diagnose", "examine"]


def diagnose(presets: Iterable[str] = tuple(PRESETS), *, say: Callable[[str], None] = print) -> None:
    """Print how this machine computes, and how long a run of each preset takes by 20 timed updates.

    Parameters
    ----------
    presets : str, or iterable of str
        Names of `PRESETS`.
    say : callable
        Takes one line at a time.

    Raises
    ------
    ValueError
        If a preset is unknown.

    Examples
    --------
    >>> diagnose(["digits"])  # doctest: +ELLIPSIS
    lrlib ... on ...
    digits: resnet8 on ..., fp32, plain path, 1 thread: 20 updates ... s, a run of 8 epochs about ...
    """
    presets = [presets] if isinstance(presets, str) else list(presets)
    for name in presets:
        if name not in PRESETS:
            raise ValueError(no_such("preset", name, PRESETS))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    threads = torch.get_num_threads()
    say(
        f"lrlib {machine.installed('lrlib')}, torch {torch.__version__}, on {machine.hardware(device)}, "
        f"{threads} threads; half precision of its own: {machine.native_precision(device.type)}"
    )
    for name in presets:
        config = preset(name, recipe="linear")
        target = machine.resolve(config)
        how = f"{name}: {config.network} on {target.device.type}, {target.precision}, {target.path} path"
        how += f", {target.threads} thread{'s' if target.threads > 1 else ''}"
        try:
            if config.dataset == "cifar10":
                cifar10.find(download=False)  # a question about the machine downloads nothing
            measured = pace(config)
        except DataError as error:
            say(f"{how}: not timed, as its data are not here ({error})")
            continue
        say(
            f"{how}: {UPDATES} updates {measured.updates:.2g} s, "
            f"a run of {config.epochs} epochs about {in_words(measured.run(config))}"
        )


def examine(
    *,
    out: str | Path | None = None,
    race: bool = True,
    seconds: float = 90.0,
    say: Callable[[str], None] = print,
) -> bool:
    """Check that path "graph" does on this device what the plain loop does; return whether all hold.

    It needs no data: the images are noise. Where there is no GPU, the CPU does the same work without a
    capture, and nothing is timed.

    Parameters
    ----------
    out : path or None
        A JSON file for the machine, every line, and the times.
    race : bool
        Also time captured updates of 1, 2, 4 and 8 runs at once, on a GPU.
    seconds : float
        Time for all, of which the checks get 70 %. What does not fit is named and left out.
    say : callable
        Takes one line at a time.

    Examples
    --------
    >>> examine(seconds=0, race=False, say=lambda line: None)  # no time for a single check
    False
    """
    begun = perf_counter()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    versions = {"torch": str(torch.__version__)}
    if device == "cuda":
        versions |= machine.cuda_versions()
    name = machine.hardware(torch.device(device))
    say(
        f"lrlib {machine.installed('lrlib')} on {name}: " + ", ".join(f"{k} {v}" for k, v in versions.items())
    )
    if device == "cpu":
        say("There is no GPU here: the same work is done on the CPU, and all is checked but the capture.")
    lines = gpu_check.check(device, seconds=0.7 * seconds, say=say)
    failed = [line for line in lines if line.verdict == "FAIL"]
    found = {
        "hardware": name,
        "device": device,
        "versions": versions,
        "commit": machine.commit(),
        "failed": len(failed),
        "lines": [asdict(line) for line in lines],
        "race": [],
    }

    def keep() -> None:
        if out is not None:
            text = json.dumps(found, indent=1) + "\n"
            write_atomically(Path(out), lambda file: file.write(text.encode()))

    keep()  # what was checked stays, if the race does not come to its end
    if race and device == "cuda":
        found["race"] = gpu_race.race(seconds=seconds - (perf_counter() - begun), say=say)
        keep()
    checked = sum(line.verdict == "ok" for line in lines)
    say(
        f"{checked} checks hold, {len(failed)} fail." + ("" if device == "cuda" else " Nothing was captured.")
    )
    return checked > 0 and not failed

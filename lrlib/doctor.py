"""What this machine will do: device, precision and path of each preset, and how long a run of it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch

from lrlib import _machine
from lrlib._progress import in_words
from lrlib._timing import UPDATES, pace
from lrlib.config import PRESETS, preset
from lrlib.data import DataError
from lrlib.recipes import unknown_name

__all__ = ["diagnose"]


def diagnose(presets: Iterable[str] = tuple(PRESETS), *, say: Callable[[str], None] = print) -> None:
    """Say how this machine computes, then time 20 updates of each preset and say how long its run takes.

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
            raise ValueError(unknown_name("preset", name, PRESETS))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    threads = torch.get_num_threads()
    say(
        f"lrlib {_machine.installed('lrlib')}, torch {torch.__version__}, on {_machine.hardware(device)}, "
        f"{threads} threads; half precision of its own: {_machine.native_precision(device.type)}"
    )
    for name in presets:
        config = preset(name, recipe="linear")
        target = _machine.resolve(config)
        how = f"{name}: {config.network} on {target.device.type}, {target.precision}, {target.path} path"
        how += f", {target.threads} thread{'s' if target.threads > 1 else ''}"
        try:
            measured = pace(config)
        except DataError as error:
            say(f"{how}: not timed, as its data are not here ({error})")
            continue
        say(
            f"{how}: {UPDATES} updates {measured.updates:.2g} s, "
            f"a run of {config.epochs} epochs about {in_words(measured.run(config))}"
        )

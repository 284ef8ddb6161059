"""A run between two epochs as a file: what it takes to go on as if nothing had happened."""

from __future__ import annotations

import hashlib
import io
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from lrlib._errors import LrlibError
from lrlib._files import write_atomically
from lrlib.runs.config import RunConfig
from lrlib.training.machine import Target

# A file begins with this line and the SHA-256 of all that follows it. torch.save writes a zip with checksums,
# but torch.load compares none: with torch 2.14, flipped bits in the data load as other weights.
FORMAT = b"lrlib checkpoint 2 "


class CheckpointError(LrlibError, ValueError):
    """A checkpoint that cannot be used; the message is one sentence that names the file.

    Examples
    --------
    >>> from lrlib import preset
    >>> from lrlib.training.run import train
    >>> train(preset("digits", recipe="linear"), checkpoint="none.pt", resume=True)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    lrlib.training.checkpoint.CheckpointError: none.pt: there is no checkpoint to resume from; ...
    """


def _head(content: bytes | memoryview) -> bytes:
    return FORMAT + hashlib.sha256(content).hexdigest().encode()


def save_state(path: Path, config: RunConfig, target: Target, state: dict[str, Any]) -> None:
    """Write `state` (tensors, numbers, strings, and lists and dicts of them) with the run that it belongs to.

    The file is written whole or not at all.
    """
    of = {"config": config.model_dump_json(), "how": target.how, "path": target.path}
    buffer = io.BytesIO()
    torch.save({**of, **state}, buffer)
    content = buffer.getbuffer()  # a view: ResNet-50's state, 188 MB, is not copied once more
    write_atomically(path, lambda file: file.writelines([_head(content), b"\n", content]))


def load_state(path: Path, config: RunConfig, target: Target) -> dict[str, Any]:
    """Read the checkpoint of this very config; nothing in the file is executed (``weights_only``).

    Device and precision of `target` must be those with which the run began, and its path too if either is
    "graph": a record can name only one of them.
    """

    def refused(problem: str, instead: str = "delete it to start again") -> CheckpointError:
        return CheckpointError(f"{path}: {problem}; {instead}")

    try:
        head, _, content = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        raise refused("there is no checkpoint to resume from", "start without resume") from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from None
    if not head.startswith(FORMAT):
        raise refused("not a checkpoint that this lrlib can read")
    if head != _head(content):
        raise refused("damaged (its digest does not fit)")
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        theirs = RunConfig.model_validate_json(state["config"])
        how, by = state["how"], state["path"]
    except Exception as error:
        reason = f"{error}".partition("\n")[0] or type(error).__name__
        raise refused(f"not a checkpoint of lrlib ({reason})") from None
    for field in RunConfig.model_fields:
        begun, now = getattr(theirs, field), getattr(config, field)
        if begun != now:
            problem = f"belongs to another run, with {field} = {begun!r} and not {now!r}"
            raise refused(problem, "give the same config or another file")
    ways = [(how, target.how)]
    # A study on a GPU is of one path, so "graph" is not mixed; the other three may follow one another.
    if "graph" in (by, target.path):
        ways.append((f"by path {by}", f"by path {target.path}"))
    for begun, now in ways:
        if begun != now:
            problem = f"begun {begun}, and would go on {now}"
            raise refused(problem, "go on as it began, or delete it to start again")
    return state


class Due:
    """Whether a checkpoint is due: after each epoch, or if writing is slow, as often as takes 2 % of time.

    `together` is the number of runs in the process: all of them wait while one writes.
    """

    # On a GPU an epoch takes a second: 16 runs that each write 4 MB after it, or ResNet-50's 188 MB, would
    # write for as long as they train. What is written in no time is written always.
    QUICK, SHARE = 0.25, 0.02

    def __init__(self, together: int = 1) -> None:
        self.together, self.took, self.last = together, 0.0, -math.inf

    def __call__(self) -> bool:
        wait = self.took * self.together
        return wait < self.QUICK or time.perf_counter() - self.last >= wait / self.SHARE

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Note how long a checkpoint takes to write, and when it was."""
        tic = time.perf_counter()
        yield
        self.last = time.perf_counter()
        self.took = self.last - tic

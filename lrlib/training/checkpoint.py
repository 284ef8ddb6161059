"""A run in the middle, as a file: enough to go on as if nothing had happened."""

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

# A file begins with this line and the SHA-256 of all that follows it.
FORMAT = b"lrlib checkpoint 1 "


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


def save_state(path: Path, config: RunConfig, state: dict[str, Any]) -> None:
    """Write tensors, numbers and strings, whole or not at all."""
    buffer = io.BytesIO()
    torch.save({"config": config.model_dump_json(), **state}, buffer)
    digest = hashlib.sha256(buffer.getbuffer()).hexdigest().encode()
    write_atomically(path, lambda file: file.writelines([FORMAT, digest, b"\n", buffer.getbuffer()]))


class Due:
    """Whether a checkpoint is due: after each epoch, or if writing it is slow, every `PATIENCE` seconds.

    ResNet-50's is 188 MB, which on a GPU takes as long as an epoch to write.
    """

    QUICK, PATIENCE = 0.25, 30.0

    def __init__(self) -> None:
        self.took, self.last = 0.0, -math.inf

    def __call__(self) -> bool:
        return self.took < self.QUICK or time.perf_counter() - self.last >= self.PATIENCE

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Note how long a checkpoint takes to write, and when it was."""
        tic = time.perf_counter()
        yield
        self.last = time.perf_counter()
        self.took = self.last - tic


def load_state(path: Path, config: RunConfig, target: Target) -> dict[str, Any]:
    """Read the checkpoint of this very config; nothing in the file is executed (`weights_only`).

    Device, precision and path of `target` have to be those with which the run began.
    """
    try:
        head, _, content = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        raise CheckpointError(
            f"{path}: there is no checkpoint to resume from; start without resume"
        ) from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from None
    if not head.startswith(FORMAT):
        raise CheckpointError(f"{path}: not a checkpoint that this lrlib can read; delete it to start again")
    if head != FORMAT + hashlib.sha256(content).hexdigest().encode():
        raise CheckpointError(f"{path}: damaged (its digest does not fit); delete it to start again")
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        theirs = RunConfig.model_validate_json(state["config"])
    except Exception as error:
        reason = f"{error}".partition("\n")[0] or type(error).__name__
        raise CheckpointError(
            f"{path}: not a checkpoint of lrlib ({reason}); delete it to start again"
        ) from None
    if theirs != config:
        differs = next(f for f in RunConfig.model_fields if getattr(theirs, f) != getattr(config, f))
        raise CheckpointError(
            f"{path}: belongs to another run, with {differs} = {getattr(theirs, differs)!r} "
            f"and not {getattr(config, differs)!r}; give the same config or another file"
        )
    # Older ones do not say.
    ways = [(state.get("how", target.how), target.how)]
    path_then = state.get("path", target.path)
    if "graph" in (path_then, target.path):  # the others may take turns: they round differently, no more
        ways += [(f"by path {path_then}", f"by path {target.path}")]
    for begun, now in ways:
        if begun != now:
            raise CheckpointError(
                f"{path}: begun {begun}, and would go on {now}; "
                "go on as it began, or delete it to start again"
            )
    return state

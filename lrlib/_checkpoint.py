"""A run in the middle, as a file: enough to go on as if nothing had happened."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch

from lrlib._files import write_atomically
from lrlib.config import RunConfig

FORMAT = 1


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message is one sentence that names the file.

    Examples
    --------
    >>> from lrlib import preset
    >>> from lrlib.train import train
    >>> train(preset("digits", recipe="linear"), checkpoint="none.pt", resume=True)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    lrlib._checkpoint.CheckpointError: none.pt: there is no checkpoint to resume from; ...
    """


def save(path: Path, config: RunConfig, state: dict[str, Any]) -> None:
    """Write tensors, numbers and strings, whole or not at all."""
    content = {"format": FORMAT, "config": config.model_dump_json(), **state}
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_atomically(path, lambda file: file.write(buffer.getbuffer()))


def load(path: Path, config: RunConfig) -> dict[str, Any]:
    """Read the checkpoint of this very config; nothing in the file is executed (`weights_only`)."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise CheckpointError(
            f"{path}: there is no checkpoint to resume from; start without resume"
        ) from None
    except Exception as error:
        first_line = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(
            f"{path}: not a whole checkpoint of lrlib ({first_line}); delete it to start again"
        ) from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise CheckpointError(f"{path}: not a checkpoint that this lrlib can read; delete it to start again")
    theirs = RunConfig.model_validate_json(state["config"])
    if theirs != config:
        differs = [name for name in RunConfig.model_fields if getattr(theirs, name) != getattr(config, name)]
        raise CheckpointError(
            f"{path}: belongs to another run, with {differs[0]} = {getattr(theirs, differs[0])!r} "
            f"and not {getattr(config, differs[0])!r}; give the same config or another file"
        )
    return state

"""Keep what runs of a study had measured when they were cut: writes lrlib/recorded/STUDY-cut.json.

    python studies/cut_runs.py STUDY CHECKPOINT...

A checkpoint goes on where a machine of its kind is there again. Where it was lost and the run was begun
anew, the two tell how far a run of one seed repeats itself. Each run has its config, its epochs as a record
has them, the fingerprint of its start, and where it was computed.
"""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path

import torch

from lrlib._files import write_atomically
from lrlib.runs.config import RunConfig
from lrlib.runs.record import EpochRecord, Provenance
from lrlib.sweeps.study import read_study
from lrlib.training.checkpoint import _head

ROOT = Path(__file__).parents[1]


def cut(file: Path) -> dict:
    """Return what a checkpoint has of a run but its weights; its digest is compared first."""
    head, _, content = file.read_bytes().partition(b"\n")
    if head != _head(content):
        raise ValueError(f"{file} is damaged: its digest is that of other content")
    state = torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
    config = RunConfig.model_validate_json(state["config"])
    return {
        "config": config.model_dump(mode="json"),
        "start": state["start"],
        "epochs": [EpochRecord(**epoch).model_dump(mode="json") for epoch in state["epochs"]],
        "provenance": [Provenance(**part).model_dump(mode="json") for part in state["earlier"]],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("study")
    parser.add_argument("checkpoints", type=Path, nargs="+")
    options = parser.parse_args()
    planned = {run.config.identity() for run in read_study(options.study).runs}
    found = {}
    for file in options.checkpoints:
        one = cut(file)
        if RunConfig(**one["config"]).identity() not in planned:
            parser.error(f"{file} is of a run that {options.study} does not plan")
        found[file.stem] = one
    out = ROOT / "lrlib" / "recorded" / f"{options.study}-cut.json"
    write_atomically(out, lambda file: file.write((json.dumps(found, indent=1) + "\n").encode()))
    print(
        f"{out.relative_to(ROOT)}: " + ", ".join(f"{n}, {len(r['epochs'])} epochs" for n, r in found.items())
    )


if __name__ == "__main__":
    main()

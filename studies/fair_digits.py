"""Choose each schedule's peak rate from stage A, and write the plan of stage B: studies/fair-digits.toml.

    python studies/fair_digits.py

Where the edge rule of modern-digits.toml asks for more rates, it writes modern-digits-edge.toml (at a second
time modern-digits-edge2.toml) instead: record that study, and call it again.
"""

from __future__ import annotations

from pathlib import Path

from lrbook.chapters.own_rates import (
    STAGE_A,
    STAGE_B,
    STAGES_A,
    asked_for,
    chosen_rates,
    edge_plan,
    held_out,
    race_plan,
)
from lrlib import load_runs
from lrlib.runs.store import studies

FOLDER = Path(__file__).parent


def main() -> None:
    """Write the next plan, and print the choice."""
    there = [name for name in STAGES_A if name in studies()]
    grid = {run.config.peak_lr for run in load_runs(STAGE_A)}
    losses = held_out(load_runs(*there))
    if more := asked_for(losses, grid):
        name, text = STAGES_A[len(there)], edge_plan(more)
    else:
        name, text = STAGE_B, race_plan(losses)
    (FOLDER / f"{name}.toml").write_text(text, encoding="utf-8")
    print(name, more or chosen_rates(losses))


if __name__ == "__main__":
    main()

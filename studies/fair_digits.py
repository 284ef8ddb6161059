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
    stage_a,
)
from lrbook.finding import Records
from lrlib.runs.store import studies

FOLDER = Path(__file__).parent


def main() -> None:
    """Write the next plan, and print the choice."""
    records = Records()
    grid = {run.config.peak_lr for run in records[STAGE_A]}
    losses = held_out(stage_a(records))
    if more := asked_for(losses, grid):
        name, text = next(name for name in STAGES_A if name not in studies()), edge_plan(more)
    else:
        name, text = STAGE_B, race_plan(losses)
    (FOLDER / f"{name}.toml").write_text(text, encoding="utf-8")
    print(name, more or chosen_rates(losses))


if __name__ == "__main__":
    main()

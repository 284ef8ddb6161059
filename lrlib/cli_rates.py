"""Commands on rates: a log beside its plan, and a schedule before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lrlib._checks import check_float, check_int
from lrlib._files import write_atomically
from lrlib.schedules.compose import with_warmup
from lrlib.schedules.recipes import RECIPES, get_recipe
from lrlib.schedules.shapes import Schedule

Plan = Annotated[str, typer.Option(help=f"The plan, one of: {', '.join(RECIPES)}.")]
Updates = Annotated[int, typer.Option(help="Updates of the plan, the warm-up included.")]
Warmup = Annotated[int, typer.Option(help="Updates of a linear warm-up before it, from 0.")]
PerEpoch = Annotated[int | None, typer.Option(help="Updates an epoch; `time` needs them.")]


def audit(
    rates: Annotated[Path, typer.Argument(help="One rate a line, or a CSV file with a column of them.")],
    plan: Plan,
    peak: Annotated[float, typer.Option(help="The peak rate that was planned.")],
    updates: Updates,
    warmup: Warmup = 0,
    steps_per_epoch: PerEpoch = None,
    processes: Annotated[int, typer.Option(help="Processes that train together.")] = 1,
    accumulate: Annotated[int, typer.Option(help="Micro-batches an update.")] = 1,
    tolerance: Annotated[
        float | None, typer.Option(help="Difference that counts as none, as for a log that rounds.")
    ] = None,
    start: Annotated[int, typer.Option(help="Updates before the first rate of the file.")] = 0,
    column: Annotated[str | None, typer.Option(help="Its name; else lr, learning_rate, ...")] = None,
) -> None:
    """Compare applied rates, one an update, with a plan; the exit status is 1 where they part."""
    from lrlib.adapters.audit import compare, read_rates

    schedule = _planned(plan, updates, warmup, steps_per_epoch)
    verdict = compare(
        read_rates(rates, column),
        schedule,
        peak_lr=peak,
        start=start,
        steps_per_epoch=steps_per_epoch,
        processes=processes,
        accumulate=accumulate,
        tolerance=tolerance,
    )
    typer.echo(str(verdict))
    raise SystemExit(0 if verdict.agrees else 1)


def preview(
    plan: Annotated[str, typer.Argument(help=f"One of: {', '.join(RECIPES)}.")],
    updates: Updates,
    peak: Annotated[float, typer.Option(help="The peak rate.")] = 1.0,
    warmup: Warmup = 0,
    steps_per_epoch: PerEpoch = None,
    rows: Annotated[int, typer.Option(help="Updates to show, evenly spread.")] = 21,
    out: Annotated[Path | None, typer.Option(help="A CSV file for the rates of all updates.")] = None,
) -> None:
    """Show a schedule before anything is trained."""
    schedule = _planned(plan, updates, warmup, steps_per_epoch)
    peak = check_float("peak", peak, allowed="> 0 and finite", ok=lambda x: x > 0)
    rows = min(check_int("rows", rows, least=2), updates)
    values = [peak * factor for factor in schedule.values(updates)]
    if out is not None:  # before the printing, whose stream may be closed
        lines = ["update,lr", *(f"{t},{rate!r}" for t, rate in enumerate(values)), ""]
        write_atomically(out, lambda file: file.write("\n".join(lines).encode()))
    top = max(values) or 1.0
    typer.echo(f"{schedule!r}, peak {peak:g}")
    for row in range(rows):
        t = round(row * (updates - 1) / max(rows - 1, 1))
        typer.echo(f"{t:>10,}{values[t]:>12.4g}  {'#' * round(48 * values[t] / top)}".rstrip())
    if out is not None:
        typer.echo(f"Written to {out}")


def _planned(plan: str, updates: int, warmup: int, steps_per_epoch: int | None) -> Schedule:
    recipe = get_recipe(plan)
    updates, warmup = check_int("updates", updates, least=1), check_int("warmup", warmup, least=0)
    if warmup >= updates:
        raise ValueError(f"warmup must be < updates = {updates}, got {warmup}")
    if steps_per_epoch is None and recipe.label == "time":
        raise ValueError("the decay of time depends on the epochs; give --steps-per-epoch too")
    schedule = recipe.build(total_steps=updates - warmup, steps_per_epoch=steps_per_epoch or 1)
    return with_warmup(schedule, warmup) if warmup else schedule

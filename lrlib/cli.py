"""The command line: train a run, look at records and schedules, audit rates, check the data."""

from __future__ import annotations

import io
import os
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer

from lrlib._checks import check_int
from lrlib.cli_rates import audit, preview
from lrlib.cli_said import said, summary
from lrlib.cli_study import ComputePath, Threads, study_app
from lrlib.runs.config import PRESETS, preset
from lrlib.runs.store import RECORDED, read_run, run_name, studies
from lrlib.schedules.recipes import RECIPES
from lrlib.sweeps.study import Planned

__all__ = ["app", "main"]

app = typer.Typer(
    help="Learning-rate schedules, measured.", no_args_is_help=True, pretty_exceptions_enable=False
)
data_app = typer.Typer(help="The data sets.", no_args_is_help=True)
app.add_typer(data_app, name="data")
app.add_typer(study_app, name="study")
app.command()(audit)
app.command()(preview)
# What other packages add, such as the book's `lrlib class`: typer applications, as entry points.
for entry in entry_points(group="lrlib.commands"):
    app.add_typer(entry.load(), name=entry.name)


def main() -> None:
    """Run the command line; what goes wrong in a known way is one sentence, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        # Names of people, titles and files may be more than a stream can hold (on Windows, a file or a pipe
        # is in the system's old encoding): what it lacks is written as \\u..., and no result is lost for it.
        if isinstance(stream, io.TextIOWrapper):  # closed ones are None, and a notebook has its own
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except Exception as error:
        if os.environ.get("LRLIB_TRACEBACK"):
            raise
        typer.echo(f"lrlib: {said(error)}", err=True)
        raise SystemExit(1) from None


@app.command()
def train(
    preset_name: Annotated[str, typer.Option("--preset", help=f"One of: {', '.join(PRESETS)}.")],
    schedule: Annotated[str, typer.Option(help=f"One of: {', '.join(RECIPES)}.")],
    seed: Annotated[
        int, typer.Option(help="Start, order of the images and augmentation follow from it.")
    ] = 0,
    epochs: Annotated[
        int | None, typer.Option(help="Instead of the preset's; the horizon moves too.")
    ] = None,
    peak_lr: Annotated[float | None, typer.Option(help="Instead of the preset's.")] = None,
    train_images: Annotated[int | None, typer.Option(help="Use only the first so many.")] = None,
    precision: Annotated[str | None, typer.Option(help="auto, fp32, bf16 or fp16.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps.")] = None,
    threads: Threads = None,
    path: ComputePath = "auto",
    out: Annotated[Path, typer.Option(help="Folder for the record and its checkpoint.")] = Path("runs"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in OUT.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Train one run and write its record to OUT; stop it when you like, and --resume it."""
    changes = dict(
        epochs=epochs, peak_lr=peak_lr, train_images=train_images, precision=precision, device=device
    )
    changes = {name: value for name, value in changes.items() if value is not None}
    config = preset(preset_name, recipe=schedule, seed=seed, **changes)
    planned = Planned(config, out / f"{run_name(config)}.json")
    if threads is not None:
        check_int("threads", threads, least=1)
    _refuse_what_is_there(planned, resume=resume)
    if resume and not planned.checkpoint.exists():
        typer.echo(f"No checkpoint {planned.checkpoint} yet; starting at epoch 1.", err=True)

    # Imported here, so that --help, a wrong name and the refusals above do not wait for torch.
    from lrlib.sweeps.one_run import do

    try:
        run = do(
            planned,
            progress=False if quiet else None,
            threads=threads,
            path=path,
            command=["lrlib", *sys.argv[1:]],
        )
    except KeyboardInterrupt:
        there = planned.checkpoint.exists()
        kept = "add --resume to go on" if there else "no epoch was finished, so nothing is kept"
        typer.echo(f"\nStopped; {kept}.", err=True)
        raise SystemExit(130) from None
    if run is None:
        _refuse_what_is_there(planned, resume=True)  # recorded by another process meanwhile
        raise ValueError(f"another process is training {planned.record}; wait for it, or name another --out")
    typer.echo(summary(run))
    typer.echo(f"Recorded in {planned.record}")


@app.command()
def show(
    record: Annotated[str, typer.Argument(help="A file, or STUDY/NAME of a record in the package.")],
) -> None:
    """Show a record: what was run, epoch by epoch, and where it comes from."""
    path = Path(record)
    packaged = RECORDED / f"{record.removesuffix('.json')}.json"
    folder = path if path.is_dir() else RECORDED / record
    if folder.is_dir():
        names = sorted(file.stem for file in folder.glob("*.json"))
        typer.echo(f"{record} holds {len(names)} records; show one of them:")
        typer.echo("\n".join(f"  lrlib show {record.rstrip('/')}/{name}.json" for name in names))
        return
    run = read_run(packaged if not path.exists() and packaged.exists() else path)
    typer.echo(summary(run))
    head = ("epoch", "first rate", "last rate", "train loss", "train acc", "test loss", "test acc", "seconds")
    typer.echo("".join(f"{name:>11}" for name in head))
    for e in run.epochs:
        typer.echo(
            f"{e.epoch + 1:>11}{e.first_lr:>11.3g}{e.last_lr:>11.3g}{e.train_loss:>11.4f}"
            f"{e.train_accuracy:>11.4f}{e.test_loss:>11.4f}{e.test_accuracy:>11.4f}{e.seconds:>11.1f}"
        )
    typer.echo(run.provenance_line())
    for part in run.provenance.earlier:
        times = f" ({part.parts} parts)" if part.parts > 1 else ""
        commit = (part.commit or "unknown")[:10]
        torch = part.versions.get("torch", "unknown")
        typer.echo(f"Before{times}: {part.started} on {part.hardware} with torch {torch}; commit {commit}.")
    typer.echo(f"Command: {run.provenance.command}")


@app.command()
def presets() -> None:
    """List the presets, the schedules and the recorded studies."""
    for name, fields in PRESETS.items():
        config = preset(name, recipe="linear")
        settings = ", ".join(f"{field} {value}" for field, value in fields.items())
        typer.echo(f"{name:10} {settings}, peak_lr {config.peak_lr}, momentum {config.momentum}")
    typer.echo(f"schedules  {', '.join(RECIPES)}")
    typer.echo(f"studies    {', '.join(studies()) or 'none recorded'}")


@app.command()
def doctor(
    presets: Annotated[list[str] | None, typer.Argument(help="All of them, if none is named.")] = None,
    gpu: Annotated[bool, typer.Option("--gpu", help="Test path graph on the GPU, without data.")] = False,
    out: Annotated[Path | None, typer.Option(help="With --gpu: a JSON file for what was found.")] = None,
    race: Annotated[
        bool, typer.Option(help="With --gpu: time updates of 1, 2, 4 and 8 runs at once.")
    ] = True,
    seconds: Annotated[float, typer.Option(help="With --gpu: for all; what does not fit is named.")] = 90,
) -> None:
    """Print what this machine will do, and from 20 timed updates how long a run of each preset takes.

    With --gpu: check in about a minute that an update captured on this GPU does what the plain loop does.
    """
    if gpu:
        from lrlib.sweeps.doctor import examine

        raise SystemExit(0 if examine(out=out, race=race, seconds=seconds, say=typer.echo) else 1)
    from lrlib.sweeps.doctor import diagnose

    diagnose(presets or list(PRESETS), say=typer.echo)


@data_app.command("check")
def data_check(
    root: Annotated[
        Path | None, typer.Option(help="Folder with CIFAR-10; else LRLIB_DATA, else the cache.")
    ] = None,
) -> None:
    """Find the data sets, read them whole and check their fingerprints."""
    from lrlib.training.dataset import check

    for line in check(root):
        typer.echo(line)


def _refuse_what_is_there(planned: Planned, *, resume: bool) -> None:
    record, checkpoint = planned.record, planned.checkpoint
    if record.exists():
        raise ValueError(f"{record} is recorded already; see it with: lrlib show {record}")
    if checkpoint.exists() and not resume:
        raise ValueError(f"{checkpoint} is a run that was cut; add --resume to go on, or delete it")


if __name__ == "__main__":
    main()

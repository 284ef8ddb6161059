"""Commands on studies: do what is missing, here or on a cluster; see what is done."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from lrlib._checks import check_int
from lrlib.sweeps.study import Study

study_app = typer.Typer(help="Many runs: do what is missing, see what is done.", no_args_is_help=True)

StudyName = Annotated[str, typer.Argument(help="NAME of studies/NAME.toml, or the path of such a file.")]
StudyOut = Annotated[Path | None, typer.Option(help="Folder of the records.")]
Jobs = Annotated[int, typer.Option(help="Runs at a time.")]
Threads = Annotated[int | None, typer.Option(help="Threads of torch a run, on the CPU.")]
ComputePath = Annotated[
    str, typer.Option("--path", help="How to compute: auto, plain, fast, compiled or graph (for a GPU).")
]
Deterministic = Annotated[
    bool, typer.Option("--deterministic", help="On a GPU, only algorithms that repeat to the bit.")
]


@study_app.command("run")
def study_run(
    name: StudyName,
    jobs: Annotated[
        int | None, typer.Option(help="Runs at a time: 1 here, on a cluster what there is room for.")
    ] = None,
    threads: Threads = None,
    path: ComputePath = "auto",
    deterministic: Deterministic = False,
    together: Annotated[
        int | None, typer.Option(help="Runs that share a GPU, in one process, instead of --jobs.")
    ] = None,
    beside: Annotated[
        list[str] | None,
        typer.Option(help="With --together: NAME:RUNS, another study, so many runs of it at a time."),
    ] = None,
    hours: Annotated[float | None, typer.Option(help="Stop after so many hours.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Stop after so many minutes.")] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="With --together: begin no run that would be cut.")
    ] = False,
    engine_name: Annotated[
        str, typer.Option("--engine", help="What does the runs: local, ray or slurm (README.md in cluster/).")
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(help="Of a Ray cluster: auto or HOST:PORT; of Slurm: local, for a rehearsal."),
    ] = None,
    gpus: Annotated[float | None, typer.Option(help="On a cluster: GPUs a task, as 1 or 0.25.")] = None,
    block: Annotated[int | None, typer.Option(help="On a cluster: runs that a task does in all.")] = None,
    retries: Annotated[
        int, typer.Option(help="On a cluster: how often in a row a run may lose its worker.")
    ] = 3,
    start_seconds: Annotated[
        float | None, typer.Option(help="With Ray on this machine: how long its start may take (300).")
    ] = None,
    queue: Annotated[
        list[str] | None, typer.Option(help="With Slurm: KEY=VALUE of submitit, as slurm_partition=gpu.")
    ] = None,
    out: StudyOut = None,
) -> None:
    """Do what is missing of a study; kill it when you like, and start it again."""
    from lrlib.sweeps.engines import Resources, engine
    from lrlib.sweeps.study import read_study
    from lrlib.sweeps.together import asked_to_stop, run_together

    if threads is not None:
        check_int("threads", threads, least=1)
    if hours is not None and minutes is not None:
        raise ValueError(f"give --hours or --minutes, not both (got {hours} and {minutes})")
    local = engine_name == "local"
    if local and together is not None and jobs is not None and jobs > 1:
        raise ValueError(f"give --together or --jobs, not both (got {together} and {jobs})")
    if whole and together is None:
        raise ValueError("--whole is for runs that share a GPU; give --together too")
    if beside and together is None:
        raise ValueError("--beside is for runs that share a GPU; give --together too")
    if not local and (beside or whole):
        raise ValueError(f"--beside and --whole are for one machine, not for --engine {engine_name}")
    asked_for = {
        "address": address,
        "gpus": gpus,
        "block": block,
        "start-seconds": start_seconds,
        "queue": queue,
    }
    if local and (given := [f"--{option}" for option, value in asked_for.items() if value is not None]):
        raise ValueError(f"{given[0]} is for a cluster; give --engine ray or slurm too")
    do_study = engine(
        engine_name,
        None
        if local
        else Resources(
            address=address,
            together=together or 1,
            block=block,
            gpus=gpus,
            retries=retries,
            start_seconds=300.0 if start_seconds is None else start_seconds,
            queue=tuple(queue or ()),
        ),
    )
    study = read_study(name, out=out)
    how: dict[str, Any] = dict(
        threads=threads, path=path, deterministic=deterministic, command=["lrlib", *sys.argv[1:]]
    )
    if local and together is not None:
        limit = 60 * hours if hours is not None else minutes
        with asked_to_stop(typer.echo) as asked:
            done = run_together(
                study,
                together=together,
                beside=[_study_beside(text, out) for text in beside or ()],
                minutes=limit,
                whole=whole,
                stop=asked,
                say=typer.echo,
                **how,
            )
        raise SystemExit(0 if done else 1)
    # A polite kill ends the workers too, as Ctrl-C does: otherwise they would go on unseen.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    done = False
    try:
        done = do_study(
            study, jobs=jobs, hours=minutes / 60 if minutes is not None else hours, say=typer.echo, **how
        )
    except KeyboardInterrupt:
        typer.echo("\nStopped; start it again to go on from the checkpoints.", err=True)
    raise SystemExit(0 if done else 1)


def _study_beside(text: str, out: Path | None) -> tuple[Study, int]:
    """Read NAME:RUNS of --beside; the study's records go into a folder of its name beside `out`."""
    from lrlib.sweeps.study import read_study

    name, colon, runs = text.rpartition(":")
    if not (colon and runs.isdecimal()):
        raise ValueError(f"--beside takes NAME:RUNS, as laptop-map-gpu:16, got {text!r}")
    return read_study(name, out=out and out.parent / Path(name).stem), int(runs)


@study_app.command("status")
def study_status(name: StudyName, jobs: Jobs = 1, out: StudyOut = None) -> None:
    """Show what of a study is done, running, cut, diverged or missing, and the hours left here."""
    from lrlib.sweeps.study import read_study, status
    from lrlib.sweeps.timing import hours_left

    study = read_study(name, out=out)
    states = status(study)
    done = len(states["finished"]) + len(states["diverged"])
    typer.echo(f"{study.name}: {study.title}")
    typer.echo(f"{done} of {len(study.runs)} runs are recorded")
    for state, runs in states.items():
        names = ", ".join(planned.name for planned in runs[:8]) + (", ..." if len(runs) > 8 else "")
        typer.echo(f"  {state:9} {len(runs):4}  {names}".rstrip())
    left = hours_left(study, jobs=jobs)
    if done < len(study.runs):
        guess = "not known before a first run has finished here" if left is None else f"about {left:.1f}"
        typer.echo(f"hours left on this machine, {jobs} at a time: {guess}")


@study_app.command("work", hidden=True)
def study_work() -> None:
    """Do the runs that `lrlib study run` describes on the standard input, a line each."""
    from lrlib.sweeps.local import work

    work()

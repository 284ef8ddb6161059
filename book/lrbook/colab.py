"""What a notebook needs around its runs: a first look at Colab, a time budget, runs that survive a cut."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import Any

from lrlib._checks import check_float, check_int
from lrlib._files import write_atomically
from lrlib.runs.config import PRESETS, RunConfig
from lrlib.runs.config import preset as config_of
from lrlib.runs.experiments import study_of
from lrlib.runs.record import RecordError, Run
from lrlib.runs.store import RECORDED, read_run, run_name, studies, write_run
from lrlib.schedules.recipes import Recipe
from lrlib.training.driver import nvidia_smi
from lrlib.training.progress import in_words

__all__ = ["budget", "hello", "live", "on_colab", "save", "study_of", "train_or_resume"]

#: Wall time of a live cell on a GPU, for all its runs together.
MINUTES = 2.0

# Where Colab mounts a reader's Google Drive.
DRIVE = Path("/content/drive")


def on_colab() -> bool:
    """Return whether this is a Colab notebook: its kernel has loaded `google.colab` before the first cell.

    Examples
    --------
    >>> on_colab()
    False
    """
    return "google.colab" in sys.modules


def hello() -> None:
    """Print on Colab, in a few sentences, which hardware was found and what the live cells will do with it.

    Elsewhere it says nothing. It does not load torch.

    Examples
    --------
    >>> hello()
    """
    if not on_colab():
        return
    gpu = nvidia_smi("name")
    if gpu is None:
        seconds = _digits_seconds()
        time = "" if seconds is None else f", about {in_words(seconds)} a run"
        print(
            f"No GPU today; normal on the free tier. Going on on the CPU with digits{time}. "
            "The CIFAR-10 curves are recorded; every exercise works."
        )
    else:
        print(
            f"Found a GPU ({gpu}): a live cell trains a small network on all of CIFAR-10, which is "
            "downloaded once, for as many epochs as fit into two minutes. "
            'preset="resnet50" takes the survey\'s own network instead.'
        )


def _digits_seconds() -> float | None:
    """Return the seconds of a recorded run of the digits preset; None where none is recorded."""
    usual = PRESETS["digits"]["epochs"]
    for study in studies():
        run = read_run(min((RECORDED / study).glob("*.json")))
        if run.config.dataset == "digits" and run.config.epochs == usual:
            return run.provenance.seconds
    return None


def train_or_resume(
    what: RunConfig | Recipe | str,
    *,
    minutes: float | None = None,
    folder: str | Path | None = None,
    drive: bool = False,
    **how: Any,
) -> Run:
    """Train a run, go on with it where it was cut, or read it where it is recorded.

    A run of the digits takes seconds: it is trained anew each time, and nothing is kept unless a folder is
    named. Any other keeps a checkpoint after each epoch and, when it is done, its record: run the cell again
    after a cut, and it goes on from there.

    Parameters
    ----------
    what : RunConfig, Recipe or str
        A config; or a schedule, for which `live` chooses preset and epochs.
    minutes : float or None
        > 0. For a schedule: what `live` has, 2 if it is None. For a config: None leaves its epochs as they
        are; a number makes them as many as `budget` says.
    folder : path or None
        Of record and checkpoint; None is "runs", but for the digits.
    drive : bool
        On Colab, keep both on your Google Drive instead: Colab asks you first.
    **how
        For a schedule: `seed`, `preset` and any other argument of `live`.

    Returns
    -------
    Run

    Raises
    ------
    ValueError
        If `drive` is set and this is not Colab.
    CheckpointError, RecordError, StudyError
        If a file is damaged or belongs to another config, if the run was begun on another device or in
        another precision than this machine would go on in, or if another process is training it.

    Examples
    --------
    >>> import tempfile
    >>> config = config_of("digits", recipe="linear", epochs=1, train_images=50)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first, again = (train_or_resume(config, folder=folder) for _ in range(2))  # doctest: +ELLIPSIS
    Read from ...digits-linear-seed0-...json, where it is recorded; remove that file to train it again.
    >>> first == again
    True
    """
    if not isinstance(what, RunConfig):
        minutes = MINUTES if minutes is None else minutes
        config = live(what, minutes=minutes, folder=folder or "runs", drive=drive, **how)
    elif how:
        raise TypeError(f"{', '.join(how)} must be part of the config, as one is given; use config.changed()")
    else:
        config = what if minutes is None else budget(what, minutes=minutes)
    return _trained(config, _place(config, folder, drive=drive))


def _trained(config: RunConfig, folder: Path | None) -> Run:
    """Train `config`, with its files in `folder`; None keeps nothing."""
    if folder is None:
        from lrlib.training.run import train

        return train(config, command="lrbook.colab.train_or_resume")
    from lrlib.sweeps.one_run import do
    from lrlib.sweeps.study import Planned

    planned = Planned(config, folder / f"{run_name(config)}.json")
    run = planned.recorded()
    if run is not None:
        print(f"Read from {planned.record}, where it is recorded; remove that file to train it again.")
        return run
    run = do(planned, progress=None, command="lrbook.colab.train_or_resume") or planned.recorded()
    if run is None:
        raise RecordError(f"{planned.record}: another process is training it; wait for it", kind="there")
    return run


def live(
    recipe: Recipe | str,
    *,
    seed: int = 0,
    preset: str | None = None,
    runs: int = 1,
    minutes: float = MINUTES,
    folder: str | Path = "runs",
    drive: bool = False,
    **changes: Any,
) -> RunConfig:
    """Return the config of a live cell: one that this machine trains while a reader waits.

    Without a GPU it is the preset "digits", which takes seconds on any computer, and is not timed. With one
    it is "laptop", all of CIFAR-10, with as many epochs as `budget` says. The horizon is fixed here, before
    training, and noted in `folder`, so that a cell that is run again after a cut plans the same run; runs
    that share the time are this config with one thing changed, and so have the same epochs.

    Parameters
    ----------
    recipe : Recipe or str
    seed : int
    preset : {"digits", "laptop", "resnet50", "source"} or None
        None chooses as above; where CIFAR-10 cannot be had it falls back on the digits and says why.
        "resnet50" is what the survey says that it trained and "source" what its numbers come from: name one
        of them with the `minutes` that you have, an hour or more.
    runs : int
        How many runs of this length the cell will train, one after another; they share `minutes`.
    minutes : float
        > 0; wall time for all of them together.
    folder, drive
        As in `train_or_resume`.
    **changes
        Any other field of `RunConfig`. `epochs` is then the most that are planned.

    Raises
    ------
    ConfigError
        As `lrlib.preset`.
    TypeError, ValueError
        As `budget`.
    DataError
        If `preset` names one on CIFAR-10, and the data cannot be had.

    Examples
    --------
    >>> config = live("constant", preset="digits", runs=2)
    >>> other = config.changed(recipe="linear")
    >>> (config.dataset, config.epochs) == (other.dataset, other.epochs) == ("digits", 8)
    True
    """
    if preset is None:
        preset = _preset_here()
    config = config_of(preset, recipe=recipe, seed=seed, **changes)
    if config.dataset == "digits":
        return config
    # The horizon belongs to the run: timed anew after a cut, it could come out one epoch longer, and the
    # checkpoint of the first part would be another experiment's.
    note = _place(config, folder, drive=drive) / f"{run_name(config)}-{runs}of{minutes:g}min.epochs"
    if note.is_file():
        planned = config.changed(epochs=int(note.read_text()))
        print(f"{planned.epochs} epochs, as they were planned when this cell first ran ({note}).")
        return planned
    planned = budget(config, minutes=minutes, runs=runs)
    note.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(note, lambda file: file.write(f"{planned.epochs}\n".encode()))
    return planned


def _preset_here() -> str:
    """Return the preset of a live cell on this machine."""
    from lrlib.training.dataset import DataError, load
    from lrlib.training.run import live_preset

    name = live_preset()
    if PRESETS[name]["dataset"] == "cifar10":
        try:
            load("cifar10")
        except DataError as error:
            print(f"CIFAR-10 cannot be had here, so it is the digits: {error}")
            return "digits"
    return name


def budget(config: RunConfig, *, minutes: float = 8.0, runs: int = 1) -> RunConfig:
    """Return `config` with as many epochs as fit into `minutes` on this machine, and say why in one sentence.

    It times 20 updates (after 3 to warm up) and one evaluation, on a network that is thrown away, so that the
    horizon is fixed *before* training. To cut a schedule short would be another experiment: its last part,
    where the rate is small, would be missing. The number of epochs is rounded down; it is never below 1 and
    never above that of `config`.

    Parameters
    ----------
    config : RunConfig
    minutes : float
        > 0; wall time for training, the test after each epoch and the last look at the training set.
    runs : int
        >= 1; how many runs of this length share the time, one after another.

    Raises
    ------
    TypeError, ValueError
        If `minutes` is not a finite number > 0, `runs` is no integer >= 1, or the device of the config is not
        there.

    Examples
    --------
    >>> from lrlib import preset
    >>> config = budget(preset("digits", recipe="linear", epochs=2), minutes=30)  # doctest: +ELLIPSIS
    20 updates took ... 30 minutes.
    >>> config.epochs
    2
    """
    minutes = check_float("minutes", minutes, allowed="finite and > 0", ok=lambda x: x > 0)
    runs = check_int("runs", runs, least=1)
    from lrlib.sweeps.timing import UPDATES, pace

    measured = pace(config)
    epoch = measured.epoch(config)
    last_look = measured.run(config) - config.epochs * epoch
    fit = int((60 * minutes / runs - last_look) / epoch)
    each, room = "" if runs == 1 else f" of each of {runs} runs", in_words(60 * minutes)
    if fit >= config.epochs:
        verdict = f"all {config.epochs} epochs{each} fit into {room}"
        if config.epochs == 1:
            verdict = f"its one epoch{each} fits into {room}"
    elif fit >= 1:
        verdict = (
            f"{fit} of {config.epochs} epochs{each} fit into {room}, and the schedule is planned for {fit}"
        )
    else:
        verdict = (
            f"not even one epoch{each} fits into {room}, and the schedule is planned for one; "
            "a smaller preset, or fewer train_images, would fit"
        )
    said = (
        f"{UPDATES} updates took {measured.updates:.2g} s here, an epoch with its test takes about "
        f"{in_words(epoch)}: {verdict}."
    )
    print(textwrap.fill(said, width=72))  # the width of a page's column; what is printed there does not wrap
    return config.changed(epochs=max(1, min(fit, config.epochs)))


def save(run: Run, *, folder: str | Path = "runs", drive: bool = False) -> Path:
    """Write the record of a run and say where it is; on Colab, offer it as a download or keep it on Drive.

    Parameters
    ----------
    run : Run
    folder : path
        Folder for the record. On Colab it vanishes with the session, so the browser's download begins.
    drive : bool
        On Colab, write to the folder "lrlib" of your Google Drive instead: Colab asks you first.

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        If `drive` is set and this is not Colab.
    RecordError
        If another record has this name.

    Examples
    --------
    >>> import tempfile
    >>> from lrlib import load_runs
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save(load_runs("pilot-laptop")[0], folder=folder)  # doctest: +ELLIPSIS
    The record is in ...laptop-constant-seed0.json
    """
    path = _folder(folder, drive=drive) / f"{run_name(run.config)}.json"
    # As text, for a run that diverged holds nan, which is not equal to nan.
    if not (path.exists() and read_run(path).model_dump_json() == run.model_dump_json()):
        write_run(run, path)
    if on_colab() and not drive:
        from google.colab import files

        print(f"The record is in {path}, which ends with this session: keep the copy that is downloaded now.")
        files.download(str(path))
    else:
        print(f"The record is in {path}")
    return path


def _place(config: RunConfig, folder: str | Path | None, *, drive: bool) -> Path | None:
    """Return the folder of a run's files; None if they are not kept."""
    if folder is None and not drive and config.dataset == "digits":
        return None
    return _folder(folder or "runs", drive=drive)


def _folder(folder: str | Path, *, drive: bool) -> Path:
    if not drive:
        return Path(folder)
    if not on_colab():
        raise ValueError("drive must be False outside Colab, got True; give a folder of this machine instead")
    from google.colab import drive as google_drive

    google_drive.mount(str(DRIVE))
    return DRIVE / "MyDrive" / "lrlib"

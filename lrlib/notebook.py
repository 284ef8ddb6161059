"""What a notebook needs around its runs: a first look at Colab, a time budget, runs that survive a cut."""

from __future__ import annotations

import sys
from pathlib import Path

from lrlib._driver import nvidia_smi
from lrlib._progress import in_words
from lrlib._spec import real
from lrlib.config import PRESETS, RunConfig
from lrlib.records import RECORDED, RecordError, Run, read_run, studies, write_run

__all__ = ["budget", "finish", "hello", "on_colab", "record_name", "save"]

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
    """Say on Colab, in a few sentences, which hardware was found and what the live cells will do with it.

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
            f"Found a GPU ({gpu}): the live cells take it for ResNet-50 on CIFAR-10, which is downloaded "
            "once. A whole run takes a while; lrlib.notebook.budget(config, minutes=8) plans one that fits."
        )


def _digits_seconds() -> float | None:
    """Return the seconds of a recorded run of the digits preset; None where none is recorded."""
    usual = PRESETS["digits"]["epochs"]
    for study in studies():
        run = read_run(min((RECORDED / study).glob("*.json")))
        if run.config.dataset == "digits" and run.config.epochs == usual:
            return run.provenance.seconds
    return None


def budget(config: RunConfig, *, minutes: float = 8.0) -> RunConfig:
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

    Raises
    ------
    TypeError, ValueError
        If `minutes` is not a finite number > 0, or the device of the config is not there.

    Examples
    --------
    >>> from lrlib import preset
    >>> config = budget(preset("digits", recipe="linear", epochs=2), minutes=30)  # doctest: +ELLIPSIS
    20 updates took ...: all 2 epochs fit into 30 minutes.
    >>> config.epochs
    2
    """
    minutes = real("minutes", minutes, allowed="finite and > 0", ok=lambda x: x > 0)
    from lrlib._timing import UPDATES, pace

    measured = pace(config)
    epoch = measured.epoch(config)
    last_look = measured.run(config) - config.epochs * epoch
    fit = int((60 * minutes - last_look) / epoch)
    room = in_words(60 * minutes)
    if fit >= config.epochs:
        verdict = f"all {config.epochs} epochs fit into {room}"
        if config.epochs == 1:
            verdict = f"its one epoch fits into {room}"
    elif fit >= 1:
        verdict = f"{fit} of {config.epochs} epochs fit into {room}, and the schedule is planned for {fit}"
    else:
        verdict = (
            f"not even one epoch fits into {room}, and the schedule is planned for one; "
            "a smaller preset, or fewer train_images, would fit"
        )
    print(
        f"{UPDATES} updates took {measured.updates:.2g} s here, an epoch with its test takes about "
        f"{in_words(epoch)}: {verdict}."
    )
    return config.changed(epochs=max(1, min(fit, config.epochs)))


def record_name(config: RunConfig) -> str:
    """Return a file name for a run, without its ending; it ends in 8 digits of the config's digest.

    Examples
    --------
    >>> from lrlib import preset
    >>> record_name(preset("digits", recipe="linear", seed=3))[:21]
    'resnet8-linear-seed3-'
    """
    return f"{config.network}-{config.recipe.label}-seed{config.seed}-{config.identity()[:8]}"


def finish(config: RunConfig, *, folder: str | Path = "runs", drive: bool = False) -> Run:
    """Train a config, go on with it where it was cut, or read it if it is recorded.

    A checkpoint is written after every epoch. Run the same cell again after a cut and the run goes on; a run
    that is resumed says which epoch was found and about how long the rest takes.

    Parameters
    ----------
    config : RunConfig
    folder : path
        Folder of the record and its checkpoint.
    drive : bool
        On Colab, keep both on your Google Drive instead: Colab asks you first.

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
    >>> from lrlib import preset
    >>> config = preset("digits", recipe="linear", epochs=1, train_images=50)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first, again = (finish(config, folder=folder) for _ in range(2))
    >>> first == again
    True
    """
    from lrlib.study import Planned, do

    planned = Planned(config, _folder(folder, drive=drive) / f"{record_name(config)}.json")
    run = do(planned, progress=None, command="lrlib.notebook.finish") or planned.recorded()
    if run is None:
        raise RecordError(f"{planned.record}: another process is training it; wait for it", kind="there")
    return run


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
    The record is in ...resnet10-constant-seed0-....json
    """
    path = _folder(folder, drive=drive) / f"{record_name(run.config)}.json"
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


def _folder(folder: str | Path, *, drive: bool) -> Path:
    if not drive:
        return Path(folder)
    if not on_colab():
        raise ValueError("drive must be False outside Colab, got True; give a folder of this machine instead")
    from google.colab import drive as google_drive

    google_drive.mount(str(DRIVE))
    return DRIVE / "MyDrive" / "lrlib"

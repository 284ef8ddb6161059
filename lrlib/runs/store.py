"""Records as files: names, writing, reading, and those that come with the package."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from lrlib._checks import no_such
from lrlib._files import AlreadyThereError, reason, write_atomically
from lrlib.runs.config import PRESETS, RunConfig, preset
from lrlib.runs.record import RecordError, Run, digest, disagreement, run_from

__all__ = ["RECORDED", "load_runs", "preferred_study", "read_run", "run_name", "studies", "write_run"]

#: The folder of the records that come with the package.
RECORDED = Path(str(files("lrlib"))) / "recorded"

#: A record of 10,000 epochs has 5 MB.
MOST_BYTES = 50_000_000


def run_name(config: RunConfig, *varied: str, study: bool = False) -> str:
    """Return the name of a run's files, without their ending.

    Parameters
    ----------
    config : RunConfig
    *varied : str
        What else tells the runs of a study apart, such as "epochs20".
    study : bool
        Whether the files stand in the folder of a study, whose file says all that its runs share. Elsewhere
        the name begins with the preset of this network and data; where a field differs from that preset, or
        there is none, it ends with the first 8 digits of the config's identity.

    Examples
    --------
    >>> config = preset("digits", recipe="linear", seed=3)
    >>> run_name(config), run_name(config, "epochs8", study=True)
    ('digits-linear-seed3', 'linear-seed3-epochs8')
    >>> run_name(config.changed(epochs=2))  # doctest: +ELLIPSIS
    'digits-linear-seed3-...'
    """
    words = [config.recipe.label, f"seed{config.seed}", *varied]
    if study:
        return "-".join(words)
    for name, fields in PRESETS.items():
        if (config.network, config.dataset) == (fields["network"], fields["dataset"]):
            first, unchanged = name, preset(name, recipe=config.recipe, seed=config.seed)
            break
    else:
        first, unchanged = config.network, None
    return "-".join([first, *words, *([] if config == unchanged else [config.identity()[:8]])])


def write_run(run: Run, path: str | Path) -> Path:
    """Write a run as JSON, whole or not at all; a record that is there is never overwritten.

    Raises
    ------
    RecordError
        If `path` exists, or the record does not agree with itself.

    Examples
    --------
    >>> import tempfile
    >>> run = load_runs("pilot-laptop")[0]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_run(run, f"{folder}/linear.json")
    ...     read_run(path) == run
    True
    """
    path = Path(path)
    # Checked before it is written: what contradicts itself must not wait on a disk until somebody reads it.
    problem = disagreement(run)
    if problem:
        raise RecordError(f"{path}: not written, since {problem}", kind="wrong")
    data = json.loads(run.model_dump_json())
    text = json.dumps({**data, "digest": digest(data)}, indent=1)
    try:
        write_atomically(path, lambda file: file.write(f"{text}\n".encode()), replace=False)
    except AlreadyThereError:
        message = f"{path}: a record is there already; move it away or choose another name"
        raise RecordError(message, kind="there") from None
    return path


def read_run(path: str | Path) -> Run:
    """Read a record and check it: schema, digest, types, and that the rates are those of its schedule.

    Raises
    ------
    RecordError
        One sentence that names the file and what is wrong with it.

    Examples
    --------
    >>> read_run(RECORDED / "pilot-laptop" / "laptop-linear-seed0.json").label
    'linear'
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise RecordError(f"{path}: there is no such file", kind="missing") from None
    except (OSError, ValueError) as error:  # ValueError: a name with a null in it
        raise RecordError(f"{path}: cannot be read ({reason(error)})", kind="unreadable") from None
    if len(data) > MOST_BYTES:
        problem = f"has more than {MOST_BYTES // 10**6} MB, which no record has"
        raise RecordError(f"{path}: {problem}", kind="foreign")
    return run_from(data, str(path))


def studies() -> list[str]:
    """Return the names of the studies whose records come with the package.

    Examples
    --------
    >>> "pilot-laptop" in studies()
    True
    """
    return sorted(path.name for path in RECORDED.iterdir() if any(path.glob("*.json")))


def preferred_study(name: str) -> str:
    """Return the study that holds an experiment: NAME-gpu if a GPU recorded it, else NAME itself.

    Runs of a CPU and of a GPU are never mixed in one table or comparison.

    Examples
    --------
    >>> preferred_study("survey-laptop")
    'survey-laptop'
    """
    on_a_gpu = f"{name}-gpu"
    return on_a_gpu if any((RECORDED / on_a_gpu).glob("*.json")) else name


def load_runs(*names: str, schedules: Iterable[str] | None = None, missing_ok: bool = False) -> list[Run]:
    """Return the recorded runs of some studies, in the order of the studies and of their file names.

    Parameters
    ----------
    *names : str
        Each study is read once, however often it is named.
    schedules : iterable of str or None
        Labels of the schedules that are wanted; None is all.
    missing_ok : bool
        Whether a study without records adds none, instead of raising.

    Raises
    ------
    RecordError
        If there is no such study (the nearest is suggested), or a record is damaged.

    Examples
    --------
    >>> [run.label for run in load_runs("pilot-laptop")]
    ['constant', 'linear']
    >>> names = "no-such-study", "pilot-laptop"
    >>> [run.label for run in load_runs(*names, schedules=["linear"], missing_ok=True)]
    ['linear']
    """
    there = studies()
    for name in names:
        if name not in there and not missing_ok:
            raise RecordError(no_such("study", name, there), kind="study")
    wanted = None if schedules is None else set(schedules)
    paths = [
        path
        for name in dict.fromkeys(names)
        if name in there
        for path in sorted((RECORDED / name).glob("*.json"))
    ]
    return [run for run in map(read_run, paths) if wanted is None or run.label in wanted]

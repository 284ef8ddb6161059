"""What a study is made of: its file, and the runs that it plans."""

from __future__ import annotations

import contextlib
import errno
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from lrlib._checks import no_such
from lrlib._errors import LrlibError
from lrlib._files import TextError, half_written, read_text
from lrlib.runs.config import ConfigError, RunConfig, preset
from lrlib.runs.record import Run
from lrlib.runs.store import read_run, run_name
from lrlib.schedules._serialize import from_dict

KEYS = ("title", "preset", "recipes", "seeds", "variants", "peak_lrs", "own_peak_lrs", "epochs", "changes")


class StudyError(LrlibError, ValueError):
    """A study that cannot be read or run; the message is one sentence.

    Examples
    --------
    >>> read_study("no-such-study")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    lrlib.sweeps.study.StudyError: studies/no-such-study.toml: there is no such file; give its path, ...
    """


@dataclass(frozen=True)
class Planned:
    """One run of a study: its config, and the files that it will have.

    Attributes
    ----------
    config : RunConfig
    record : Path
        The checkpoint and the lock stand beside it.

    Examples
    --------
    >>> Planned(config=preset("digits", recipe="linear", seed=3), record=Path("linear-seed3.json")).name
    'linear-seed3'
    """

    config: RunConfig
    record: Path

    @property
    def name(self) -> str:
        return self.record.stem

    @property
    def checkpoint(self) -> Path:
        return self.record.with_suffix(".pt")

    def lock(self) -> FileLock:
        """Return the lock that a process holds while it works on this run; it dies with the process."""
        return FileLock(self.record.with_suffix(".lock"), timeout=0)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock while working, and leave no file of it; raise `filelock.Timeout` if another has it.

        A mounted drive may know no locks: there one works without.
        """
        lock = self.lock()
        try:
            lock.acquire(timeout=1)  # `state` takes it for a moment to look
        except Timeout:
            raise
        except (NotImplementedError, OSError) as error:
            if getattr(error, "errno", errno.ENOSYS) not in (errno.ENOSYS, errno.ENOTSUP):
                raise
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # Windows removes it with the release
                self.record.with_suffix(".lock").unlink()
            lock.release()

    def recorded(self) -> Run | None:
        """Return the run if it is recorded; a record of another config under its name is an error."""
        if not self.record.exists():
            return None
        run = read_run(self.record)
        # A study's file that was edited after its first records plans other runs under their names.
        if run.config != self.config:
            raise StudyError(f"{self.record}: holds a run of another config; move it away")
        return run

    def tidy(self) -> None:
        """Remove checkpoint, lock and half-written files of a run that is recorded."""
        with contextlib.suppress(Timeout), self.held():
            halves = [path for file in (self.record, self.checkpoint) for path in half_written(file)]
            for path in (*halves, self.checkpoint):
                path.unlink(missing_ok=True)

    def state(self) -> str:
        """Return "finished" or "diverged" (recorded), "running", "cut" (a checkpoint waits) or "missing"."""
        run = self.recorded()
        if run is not None:
            return run.status
        # A lock file that nobody holds stays: who removed it could remove one that was taken just now.
        if self.record.with_suffix(".lock").exists():
            try:
                with self.lock():
                    pass
            except Timeout:
                return "running"
        return "cut" if self.checkpoint.exists() else "missing"


@dataclass(frozen=True)
class Study:
    """A list of runs, in the order in which they are done: seed by seed over all schedules.

    Attributes
    ----------
    name, title : str
    runs : tuple of Planned

    Examples
    --------
    >>> data = {"preset": "digits", "recipes": ["constant", "linear"], "seeds": [1, 2]}
    >>> study = plan("demo", data, Path())
    >>> [run.name for run in study.runs]
    ['constant-seed1', 'linear-seed1', 'constant-seed2', 'linear-seed2']
    """

    name: str
    title: str
    runs: tuple[Planned, ...]


def read_study(name: str | Path, *, out: Path | None = None) -> Study:
    """Read ``studies/NAME.toml``, or the file of that path.

    Parameters
    ----------
    name : str or path
    out : Path or None
        Folder of the records. None takes ``lrlib/recorded/NAME`` in a checkout, else ``runs/NAME``.

    Raises
    ------
    StudyError
        If there is no such file, or it is not a study.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "two.toml")
    ...     _ = file.write_text('preset = "digits"\\nrecipes = ["linear"]\\nseeds = [0, 1]')
    ...     [run.name for run in read_study(file).runs]
    ['linear-seed0', 'linear-seed1']
    """
    path = Path(name) if str(name).endswith(".toml") else Path("studies") / f"{name}.toml"
    try:
        data = tomllib.loads(read_text(path))
    except FileNotFoundError:
        raise StudyError(
            f"{path}: there is no such file; give its path, or start where the folder studies is"
        ) from None
    except TextError as error:
        raise StudyError(f"{path}: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{path}: not a TOML file that can be read ({error})") from None
    except ValueError:  # Python reads no integer of more than 4,300 digits
        raise StudyError(f"{path}: a number in it has too many digits to be read") from None
    except RecursionError:
        raise StudyError(f"{path}: its lists are nested too deeply to be a study") from None
    if out is None:
        shipped = Path("lrlib") / "recorded"
        out = (shipped if shipped.is_dir() else Path("runs")) / path.stem
    try:
        return plan(path.stem, data, out)
    except (StudyError, ConfigError) as error:
        raise StudyError(f"{path}: {error}") from None


def plan(name: str, data: dict[str, Any], out: Path) -> Study:
    """Turn the content of a study's file into its runs.

    Parameters
    ----------
    name : str
    data : dict
        `preset`, `recipes` (names, or tables as `Recipe.to_dict` makes them) and `seeds`; if wanted `title`,
        `peak_lrs` and `epochs` (lists), `changes` (other fields of the config), `own_peak_lrs`: a table of
        one peak rate for each recipe by its label, in place of `peak_lrs`, and `variants`: a table of such
        changes for each name, which enters the names of its runs.
    out : Path

    Raises
    ------
    StudyError, ConfigError
        If a key is missing or unknown, or a run cannot be.

    Examples
    --------
    >>> data = {"preset": "digits", "recipes": ["linear"], "seeds": [1], "epochs": [2, 4]}
    >>> [run.name for run in plan("demo", data, Path()).runs]
    ['linear-seed1-epochs2', 'linear-seed1-epochs4']
    >>> data = {**data, "epochs": [2], "variants": {"odd": {"task": "parity"}}}
    >>> [(run.name, run.config.task) for run in plan("demo", data, Path()).runs]
    [('linear-seed1-odd-epochs2', 'parity')]
    >>> own = {"constant": 0.01, "linear": 0.03}
    >>> data = {"preset": "digits", "recipes": list(own), "seeds": [1], "own_peak_lrs": own}
    >>> [(run.name, run.config.peak_lr) for run in plan("demo", data, Path()).runs]
    [('constant-seed1', 0.01), ('linear-seed1', 0.03)]
    """
    for key in data:
        if key not in KEYS:
            raise StudyError(no_such("key", key, KEYS))
    for key in ("preset", "recipes", "seeds"):
        if not data.get(key):
            raise StudyError(f"{key} is missing; a study needs preset, recipes and seeds")
    if not isinstance(data["preset"], str):
        raise StudyError(f"preset must be a name, got {data['preset']!r}")
    for key in ("recipes", "seeds", "peak_lrs", "epochs"):
        if key in data and not (isinstance(data[key], list) and data[key]):
            raise StudyError(f"{key} must be a list of at least one, got {data[key]!r}")
    changes = data.get("changes", {})
    if not isinstance(changes, dict):
        raise StudyError(f"changes must be a table, got {changes!r}")
    variants = _variants(data)
    _check_once(changes, "changes", data)
    own = _own_peak_lrs(data)
    runs = []
    # What the lists say comes last, so that nothing can quietly win over the number in a run's name.
    for seed, variant, epochs, peak_lr, entry in product(
        data["seeds"],
        variants,
        data.get("epochs", [None]),
        data.get("peak_lrs", [None]),
        data["recipes"],
    ):
        changes = {**data.get("changes", {}), **(data["variants"][variant] if variant else {})}
        changes |= {} if epochs is None else {"epochs": epochs}
        changes |= {} if peak_lr is None else {"peak_lr": peak_lr}
        recipe = _recipe(entry)
        changes |= {"peak_lr": own[_label(recipe)]} if own else {}
        config = preset(data["preset"], recipe=recipe, seed=seed, **changes)
        varied = [variant] if variant else []
        varied += [] if epochs is None else [f"epochs{epochs}"]
        varied += [] if peak_lr is None else [f"lr{peak_lr:g}"]
        runs.append(Planned(config, out / f"{run_name(config, *varied, study=True)}.json"))
    # Names stand for files: two runs of one name would share record, checkpoint and lock.
    twice = [run for run, count in Counter(run.name for run in runs).items() if count > 1]
    if twice:
        raise StudyError(f"two of its runs would both be called {twice[0]}; leave one out")
    return Study(name, data.get("title", name), tuple(runs))


def status(study: Study) -> dict[str, list[Planned]]:
    """Return the runs by state: finished, diverged, running, cut, missing.

    Examples
    --------
    >>> study = plan("demo", {"preset": "digits", "recipes": ["linear"], "seeds": [1]}, Path("nowhere"))
    >>> {state: len(runs) for state, runs in status(study).items()}
    {'finished': 0, 'diverged': 0, 'running': 0, 'cut': 0, 'missing': 1}
    """
    states: dict[str, list[Planned]] = {
        state: [] for state in ("finished", "diverged", "running", "cut", "missing")
    }
    for planned in study.runs:
        states[planned.state()].append(planned)
    return states


def _variants(data: dict[str, Any]) -> list[str | None]:
    """Return the names of a study's variants, checked; [None] if it has none."""
    variants = data.get("variants", {})
    if not isinstance(variants, dict) or not all(isinstance(changes, dict) for changes in variants.values()):
        raise StudyError(f"variants must be a table of tables, got {variants!r}")
    for name, changes in variants.items():
        if not re.fullmatch("[a-z][a-z0-9]*", name):
            raise StudyError(f"a variant's name must be small letters and digits, got {name!r}")
        _check_once(changes, f"variant {name!r}", data)
    return list(variants) or [None]


def _check_once(changes: dict[str, Any], where: str, data: dict[str, Any]) -> None:
    """Refuse a field that a list of the study sets as well."""
    keys = {"epochs": "epochs", "peak_lrs": "peak_lr", "own_peak_lrs": "peak_lr"}
    for key, field in (keys | {"recipes": "recipe", "seeds": "seed"}).items():
        if field in changes and key in data:
            raise StudyError(f"{field} is set by {where} and by {key}; leave one out")


def _own_peak_lrs(data: dict[str, Any]) -> dict[str, Any]:
    """Return each recipe's own peak rate by its label, checked; an empty table if the study has none."""
    own = data.get("own_peak_lrs", {})
    if not isinstance(own, dict):
        raise StudyError(f"own_peak_lrs must be a table of a rate for each recipe, got {own!r}")
    if own and "peak_lrs" in data:
        raise StudyError("peak_lr is set by peak_lrs and by own_peak_lrs; leave one out")
    labels = [_label(_recipe(entry)) for entry in data["recipes"]]
    if own and set(own) != set(labels):
        odd = sorted(set(own).symmetric_difference(labels))
        raise StudyError(f"own_peak_lrs must have a rate for each recipe and no other, see {', '.join(odd)}")
    return own


def _label(recipe: Any) -> str:
    return str(getattr(recipe, "label", recipe))  # by name or as a recipe


def _recipe(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry  # preset() knows names, and refuses what is none
    try:
        return from_dict(entry)
    except (TypeError, ValueError) as error:
        raise StudyError(str(error)) from None

"""Many runs of a study in one process, an update of each in turn: one small network leaves a GPU idle."""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from time import monotonic

from lrlib._checks import check_float, check_int
from lrlib.runs.record import Run
from lrlib.sweeps.local import ended, missing, sum_up
from lrlib.sweeps.one_run import doing
from lrlib.sweeps.study import Planned, Study
from lrlib.training.dataset import Dataset, load
from lrlib.training.machine import Target, resolve
from lrlib.training.run import take_turns

TELL = 60.0  # seconds between two lines on how far a run is
Done = Run | Exception | None


def run_together(
    study: Study,
    *,
    together: int,
    beside: Sequence[tuple[Study, int]] = (),
    threads: int | None = None,
    path: str = "auto",
    deterministic: bool = False,
    minutes: float | None = None,
    whole: bool = False,
    command: str | Sequence[str] = "lrlib.sweeps.together.run_together",
    say: Callable[[str], None] = print,
    stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Do what is missing of a study in this process, `together` runs at a time, an update of each in turn.

    For a GPU: on streams of their own, small networks fill what one of them leaves idle. A run that ends is
    recorded at once and leaves its place to the next; what one measures does not depend on its company.

    Parameters
    ----------
    study : Study
    together : int
        1 to 32, with those of `beside`.
    beside : sequence of (Study, int)
        Further studies, each with so many runs at a time: small networks between the kernels of a large one.
        All runs compute by the same path, and their records name the company of all of them.
    threads, path, deterministic
        See `lrlib.training.run.train`.
    minutes : float or None
        After so many, > 0, each run ends with its epoch and keeps a checkpoint.
    whole : bool
        Begin no run that would be cut: none for which less is left of `minutes` than the longest run of its
        study before it took. For machines that keep no checkpoints.
    command : str or list of str
        What the records say they were started by.
    say : callable
        Takes the lines that report what is going on.
    stop : callable
        Asked after each epoch; once it says True, runs end as they do after `minutes`.

    Returns
    -------
    bool
        True if nothing failed; what is left for want of time is no failure.

    Examples
    --------
    >>> run_together(Study("nothing", "A study without runs", ()), together=2)
    nothing: 0 of 0 runs are recorded.
    True
    """
    if minutes is not None:
        minutes = check_float("minutes", minutes, allowed="> 0 and finite", ok=lambda x: x > 0)
    studies = [
        (each, check_int(f"runs of {each.name} at a time", runs, least=1))
        for each, runs in ((study, together), *beside)
    ]
    if len(names := {each.name for each, _ in studies}) < len(studies):
        raise ValueError(f"beside must name other studies, each once, got {', '.join(names)} twice")
    company = sum(runs for _, runs in studies)
    begun = monotonic()
    end = begun + 60 * minutes if minutes else float("inf")
    longest = dict.fromkeys(names, 0.0)
    told = begun

    def stopping() -> bool:
        return stop() or monotonic() >= end

    # One copy for all: CIFAR-10 as uint8 takes 184 MB, and 32 runs share a card.
    data: dict[str, Dataset] = {}

    def target_for(planned: Planned) -> Target:
        return resolve(
            planned.config, threads=threads, path=path, together=company, deterministic=deterministic
        )

    def one(study: Study, planned: Planned) -> Generator[None, None, tuple[Study, Planned, Done]]:
        if stopping():
            return study, planned, None
        if whole and monotonic() + longest[study.name] > end:
            took, left = longest[study.name], end - monotonic()
            note(planned, f"not begun, a run takes {took:.0f} s and {left:.0f} are left")
            return study, planned, None
        start, epochs = monotonic(), 0

        def stopping_after_an_epoch() -> bool:
            nonlocal epochs, told
            epochs += 1
            if monotonic() - told >= TELL:
                told = monotonic()
                note(planned, f"{epochs} epochs of {planned.config.epochs} in {told - start:.0f} s")
            return stopping()

        try:
            target, name = target_for(planned), planned.config.dataset
            if name not in data:  # all runs read one copy of the images on the device
                data[name] = load(name).to(target.device)
            note(planned, "goes on" if planned.checkpoint.exists() else "begins")
            run = yield from doing(
                planned, target, data=data[name], command=command, stop=stopping_after_an_epoch
            )
            longest[study.name] = max(longest[study.name], monotonic() - start)
            return study, planned, run
        except (ValueError, OSError, RuntimeError) as error:  # the other runs go on
            return study, planned, error

    def note(planned: Planned, what: str) -> None:
        say(f"{monotonic() - begun:6.1f} s  {planned.name}: {what}")

    failed = 0
    waiting = [(each, missing(each, path=path), runs) for each, runs in studies]
    lists = [
        (map(partial(one, each), those), min(runs, len(those))) for each, those, runs in waiting if those
    ]
    if lists:
        # Threads and switches are the process's: those of the first run hold for all.
        first = next(those[0] for _, those, _ in waiting if those)
        with target_for(first).own_settings(), little_garbage():
            (trainings, at_once), *others = lists
            for _, (each, planned, result) in take_turns(trainings, together=at_once, beside=others):
                if isinstance(result, Exception):
                    failed += 1
                    note(planned, f"failed: {result}")
                elif result is not None:
                    say(f"{monotonic() - begun:6.1f} s  {ended(each, planned.name, result)}")
                elif planned.checkpoint.exists():
                    note(planned, "cut; it goes on from its checkpoint when the study is run again")
    for each, _ in studies:
        sum_up(each, say)
    return failed == 0


@contextmanager
def little_garbage() -> Iterator[None]:
    """Spare what is there now from the collector: each capture calls it, while all other runs wait."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def asked_to_stop(say: Callable[[str], None] = print) -> Iterator[Callable[[], bool]]:
    """Yield whether SIGTERM or Ctrl-C has come: runs then end with their epoch, on a second one at once."""
    asked: list[int] = []

    def note(number: int, _: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)
        say("Stopping: each run ends with its epoch and keeps a checkpoint.")

    signals = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, note) for number in signals]
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)

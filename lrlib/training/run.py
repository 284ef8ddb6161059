"""A run from start to record: epochs of the loop in `lrlib.training.loop`, evaluations, checkpoints.

Measured, as means over five seeds: preset "laptop" (CIFAR-10, 482,730 parameters, 30 epochs, no augmentation)
reaches 82.3 % on the test set with a linear schedule and 77.4 % at a constant rate; preset "digits" 98.8 %
and 95.5 %. On one thread of a server's CPU, as busy as it was, a laptop run took 14 to 64 minutes (bf16), a
digits run 6 to 7 seconds (lrlib/recorded/survey-laptop and survey-digits, November 2026).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar, cast

import torch
from torch import nn

from lrlib._checks import shown
from lrlib.runs.config import RunConfig
from lrlib.runs.record import EpochRecord, Final, Provenance, Run, Status, grouped
from lrlib.training import machine
from lrlib.training.checkpoint import CheckpointError, Due, load_state, save_state
from lrlib.training.dataset import Dataset
from lrlib.training.gpu import prepare
from lrlib.training.machine import Target
from lrlib.training.metrics import fingerprint
from lrlib.training.progress import ProgressBar
from lrlib.training.randomness import draw_augmentation, permutation

__all__ = ["CheckpointError", "live_preset", "take_turns", "train", "training"]

Result = TypeVar("Result")


def train(
    config: RunConfig,
    *,
    data: Dataset | None = None,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    progress: bool | None = None,
    threads: int | None = None,
    path: str = "auto",
    deterministic: bool = False,
    command: str | Sequence[str] = "lrlib.training.run.train",
    after_epoch: Callable[[int, nn.Module], None] | None = None,
) -> Run:
    """Train a network as `config` says and return the record of the run.

    Start, order of the images and augmentation come from generators keyed by (seed, purpose, epoch): runs
    that share a seed see the same start and the same batches, whatever their schedule.

    Parameters
    ----------
    config : RunConfig
    data : Dataset or None
        None loads ``config.dataset``.
    checkpoint : path or None
        File to write at the end of an epoch: of every one, or if writing it takes longer than 0.25 s, of as
        many as keep the writing within 2 % of the time.
    resume : bool
        Go on from `checkpoint`. On a CPU in fp32, with the same number of threads, the result is bit for bit
        that of an uninterrupted run.
    progress : bool or None
        Show one text bar; None shows it unless the environment says ``LRLIB_PROGRESS=off``.
    threads : int or None
        Threads of torch on the CPU, >= 1; None takes as many as torch has (one for the smallest network).
    path : {"auto", "plain", "fast", "compiled", "graph"}
        How to compute; the record names it. "plain" is the reference. "fast" has the same sums in another
        order (and TF32 on a GPU). "compiled" is torch's compiler, which takes a minute to start. "graph"
        captures the update once and replays it, on a CUDA device; on a CPU it calls the same update without a
        capture. "auto" is "graph" on a CUDA device ("fast", with a warning, if that cannot capture), and on a
        CPU what the network's `NetworkSpec` says: "fast" for all but the smallest.
    deterministic : bool
        On a CUDA device, keep cuDNN to algorithms that repeat to the bit.
    command : str or list of str
        What the record names: the arguments of a command, of which folders are left out, or the name of a
        function.
    after_epoch : callable or None
        Called after each epoch with the number of epochs done and the network in evaluation mode, before a
        checkpoint is written: to keep weights, or to look at them. It must leave the network and torch's
        random state as they are. After `resume` it is not called again for epochs that are done.

    Returns
    -------
    Run
        Its status is "diverged" if a loss stopped being finite: the run ends there, and that is its result.

    Raises
    ------
    ValueError
        If the device is not there, or the data are not those of the config.
    CheckpointError
        If the checkpoint is damaged, belongs to another config, or was begun on another device, in another
        precision, or by a path that may not go on by this one.
    DataError
        If the data cannot be found or are damaged.

    Examples
    --------
    >>> from lrlib import preset
    >>> config = preset("digits", recipe="linear", epochs=2, train_images=64)
    >>> run = train(config, progress=False)
    >>> run.column("first_lr"), [epoch.updates for epoch in run.epochs]
    ([0.1, 0.05], [13, 13])
    """
    if not isinstance(config, RunConfig):
        raise TypeError(f"config must be a RunConfig, as lrlib.preset makes it, got {shown(config)}")
    if not isinstance(data, Dataset | None):
        raise TypeError(
            f"data must be a Dataset, as lrlib.training.dataset.load returns it, got {shown(data)}"
        )
    target = machine.resolve(config, threads=threads, path=path, deterministic=deterministic)
    one = training(
        config,
        target,
        data=data,
        checkpoint=checkpoint,
        resume=resume,
        progress=progress,
        command=command,
        after_epoch=after_epoch,
    )
    with target.own_settings():
        # One run takes turns with nobody: so there is one way through a run, alone or in company.
        ((_, run),) = take_turns([one])
    return cast(Run, run)  # None is the result of a run that was stopped, and nothing stops this one


def take_turns(
    trainings: Iterable[Generator[Result | None, None, Result]],
    *,
    together: int = 1,
    beside: Sequence[tuple[Iterable[Generator[Result | None, None, Result]], int]] = (),
) -> Iterator[tuple[int, Result]]:
    """Run trainings side by side, an update of each in turn; yield (number, result) as each ends.

    A training that ends leaves its slot to the next one of its list. What it yields after an update is passed
    on as a result is, if it is not None. On a GPU each slot has a stream of its own: while the kernels of one
    run wait for memory, those of another compute, and no run's numbers depend on the others.

    Parameters
    ----------
    trainings : iterable of generators
        As `training` makes them, not begun. Their number counts from 0 in this order.
    together : int
        How many at a time, 1 to 32 in all.
    beside : sequence of (trainings, together)
        Further lists, each with slots of its own; a number counts within its list. For runs of other sizes:
        those of a small network fit between the kernels of a large one.

    Examples
    --------
    >>> def steps(n, result):
    ...     for _ in range(n):
    ...         yield
    ...     return result
    >>> list(take_turns([steps(3, "a"), steps(1, "b"), steps(1, "c")], together=2))
    [(1, 'b'), (0, 'a'), (2, 'c')]
    """
    # One thread for all runs: captures in several would race for torch's allocator and random state, and a
    # replay costs the host too little (0.1 to 0.3 ms, predicted) to be worth them.
    lists = [(iter(enumerate(some)), places) for some, places in ((trainings, together), *beside)]
    queues = [waiting for waiting, places in lists for _ in range(places)]  # of each slot
    streams = [torch.cuda.Stream() if torch.cuda.is_available() else None for _ in queues]
    slots: list[tuple[int, Generator[Result | None, None, Result]] | None] = [
        next(queue, None) for queue in queues
    ]
    while any(slots):
        for slot, stream in enumerate(streams):
            turn = slots[slot]
            if turn is None:
                continue
            number, one = turn
            with torch.cuda.stream(stream):  # None, without a GPU, changes nothing
                news, ended = None, False
                try:
                    news = next(one)
                except StopIteration as end:
                    news, ended = end.value, True
            if not ended:
                if news is not None:
                    yield number, news
                continue
            # Graphs captured on one stream share scratch memory: those of this run go, with all that refers
            # to them, before the next run captures here.
            del turn, one
            slots[slot] = None
            slots[slot] = next(queues[slot], None)
            yield number, cast(Result, news)  # of what has ended, None may be the result


def training(
    config: RunConfig,
    target: Target,
    *,
    data: Dataset | None = None,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    progress: bool | None = False,
    command: str | Sequence[str] = "lrlib.training.run.training",
    stop: Callable[[], bool] = lambda: False,
    after_epoch: Callable[[int, nn.Module], None] | None = None,
) -> Generator[None, None, Run | None]:
    """Train as `train` does, with a `yield` after each update: for `take_turns`.

    It has to run within ``target.own_settings()``, which is left to the caller: generators that take turns
    would leave that context in another order than they entered it.

    Parameters
    ----------
    config : RunConfig
    target : Target
        Where and how to compute, as `lrlib.training.machine.resolve` returns it.
    data, checkpoint, resume, progress, command, after_epoch
        As in `train`.
    stop : callable
        Called after each epoch but the last. If it returns True, the run ends there with a checkpoint (if it
        has a file for one) and without a result.

    Returns
    -------
    generator
        Its result is a `Run`, or None if it was stopped.

    Examples
    --------
    >>> from lrlib import preset
    >>> from lrlib.training.machine import resolve
    >>> configs = [preset("digits", recipe=name, epochs=1, train_images=50) for name in ("linear", "cosine")]
    >>> target = resolve(configs[0])
    >>> with target.own_settings():
    ...     runs = dict(take_turns((training(config, target) for config in configs), together=2))
    >>> runs[0].label, runs[1].label
    ('linear', 'cosine')
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    commit = machine.commit()  # now: the checkout may move on meanwhile
    state = load_state(_needed(checkpoint), config, target) if resume else None
    loop = prepare(config, data, target, state)
    target, schedule = loop.target, config.schedule()  # its path may have changed: see `prepare`
    momentum = config.momentum_schedule()
    if state is None:
        start, records, earlier = fingerprint(loop.net.state_dict().values()), [], []
    else:
        records = [EpochRecord(**record) for record in state["epochs"]]
        start, earlier = state["start"], [Provenance(**part) for part in state["earlier"]]
    before = sum(part.seconds for part in earlier)
    # Before the first update: what a record may not hold must not be found out when the run is computed.
    provenance = machine.provenance(target, command=command, started=started, commit=commit)

    def so_far() -> Provenance:
        took = round(time.perf_counter() - clock, 2)
        return provenance.model_copy(update={"seconds": took})

    def keep(file: str | Path) -> None:
        # No generator's state: all draws are keyed by the epoch.
        state = {
            "network": loop.net.state_dict(),
            "optimizer": loop.optimizer.state_dict(),
            "scaler": loop.scaler.state_dict(),
            "epochs": [record.model_dump() for record in records],
            "start": start,
            "earlier": [part.model_dump() for part in grouped((*earlier, so_far()))],
        }
        save_state(Path(file), config, target, state)

    due = Due(target.together)
    step, final = len(records) * config.steps_per_epoch, None
    status: Status = "finished"
    with ProgressBar(config, shown=progress, step=step, seconds=before) as bar:
        for epoch in range(len(records), config.epochs):
            tic = time.perf_counter()
            # Drawn on the CPU and once an epoch, whatever the device: their hash in the record is the same
            # everywhere, so that a GPU's record can be compared with a CPU's.
            order = permutation(config.images, seed=config.seed, epoch=epoch)
            draws = draw_augmentation(config.augmentation, config.images, seed=config.seed, epoch=epoch)
            # In float64; the record's rates are read back from the optimizer and compared with the schedule.
            rates = [config.peak_lr * schedule(step + t) for t in range(config.steps_per_epoch)]
            momenta = momentum and [momentum(step + t) for t in range(config.steps_per_epoch)]
            meter = yield from loop.epoch(order, draws, rates, bar.update, momenta)
            step += len(rates)
            test_loss, test_accuracy = yield from loop.evaluate("test")
            records.append(
                EpochRecord(
                    epoch=epoch,
                    **meter.means(momentum=momentum is not None),
                    test_loss=test_loss,
                    test_accuracy=test_accuracy,
                    seconds=time.perf_counter() - tic,
                    batches=fingerprint([order, *draws]),
                )
            )
            bar.end_epoch(records[-1])
            # Looked at once an epoch: at each update a GPU would have to wait for it, and a loss that is not
            # finite makes the epoch's mean not finite.
            if not (math.isfinite(records[-1].train_loss) and math.isfinite(test_loss)):
                status = "diverged"
                break
            if after_epoch is not None:
                after_epoch(epoch + 1, loop.net)
            if epoch + 1 < config.epochs:  # after the last comes the record
                stopping = stop()
                if checkpoint is not None and (stopping or due()):
                    with due.timed():
                        keep(checkpoint)
                if stopping:
                    return None

        if status == "finished":
            # The training loss of an epoch is a mean over all networks on the way: this is the last one's.
            loss, accuracy = yield from loop.evaluate("train")
            final = Final(train_loss=loss, train_accuracy=accuracy)
    return Run(
        config=config,
        status=status,
        parameters=sum(p.numel() for p in loop.net.parameters() if p.requires_grad),
        start=start,
        epochs=tuple(records),
        final=final,
        provenance=so_far().after(*earlier),
    )


def _needed(checkpoint: str | Path | None) -> Path:
    if checkpoint is None:
        raise ValueError("resume needs the file of a checkpoint, got checkpoint=None")
    return Path(checkpoint)


def live_preset() -> str:
    """Return the preset for a live cell: "laptop" (all of CIFAR-10) where there is a CUDA GPU, else "digits".

    Examples
    --------
    >>> live_preset() in ("digits", "laptop")
    True
    """
    return "laptop" if torch.cuda.is_available() else "digits"

"""What may lie behind a reading, as examples, and lines of a loop without the fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Numbers = Mapping[str, Any]


class Advice(NamedTuple):
    """Causes of a kind of reading with such numbers; of several for a kind, the first that suits holds."""

    kind: str
    causes: tuple[str, ...]
    mended: str | None = None
    suits: Callable[[Numbers], bool] = lambda numbers: True


def _has(name: str) -> Callable[[Numbers], bool]:
    return lambda numbers: bool(numbers.get(name))


STEP = "optimizer.step()\nscheduler.step()  # after the update"
EACH_UPDATE = (
    "for batch in loader:\n    ...\n    optimizer.step()\n    scheduler.step()  # an update, not an epoch"
)
AGAIN = "scheduler = lrlib.to_torch(optimizer, schedule, peak_lr=..., at=updates_done)"
COUNT = "total_steps = lrlib.count_updates(images=..., batch=..., epochs=..., ...)"
SCALER = (
    "scale = scaler.get_scale()\nscaler.step(optimizer)\nscaler.update()\n"
    "if scaler.get_scale() >= scale:  # this update was made\n    scheduler.step()"
)
ONCE = (
    "# once an update, whatever the number of processes or micro-batches:\n"
    "if (batch_number + 1) % accumulate == 0:\n    optimizer.step()\n    scheduler.step()"
)

PROCESSES = "the scheduler is stepped by each of several processes (accelerate steps a prepared one so)"
MICRO = "it is stepped for every micro-batch, and the optimizer for every few"
TWICE = "it is stepped twice an update, as by two optimizers that share it"
EPOCHS = "its numbers count epochs, and it is stepped at every update"
SKIPPED = "a GradScaler skipped updates and the scheduler went on"
LOWERED = "ReduceLROnPlateau, another scheduler or a line of the loop lowers the rate"
SOON_OVER = "the schedule is soon over: a default (5 steps of torch's LinearLR, ConstantLR), another unit"
LAST = "it is counted up to the last update and not behind it, as by torch's OneCycleLR, numpy's linspace"

ADVICE = (
    Advice(
        "never_changes",
        (
            "scheduler.step() is never reached, or drives another optimizer or parameter group",
            "a scheduler that counts epochs is stepped by its per-update method, or the other way round",
            "optimizer and scheduler are made anew before the first change",
        ),
        STEP,
    ),
    Advice("scaled", (LOWERED, "the run was resumed with another peak rate"), None, lambda n: "parts" in n),
    Advice(
        "scaled",
        (
            "a LambdaLR function returns the rate where a factor is wanted",
            "the optimizer was made with another rate",
            "a linear scaling rule was applied",
        ),
        "LambdaLR(optimizer, lambda t: factor(t))  # a factor: the peak rate is the optimizer's lr",
    ),
    Advice(
        "shift_ahead",
        ("scheduler.step() comes before optimizer.step()", "the formula counts updates from 1", SKIPPED),
        STEP,
        lambda n: n.get("k", 1) == 1,
    ),
    Advice("shift_ahead", (SKIPPED,), SCALER, _has("skipped")),
    Advice(
        "shift_ahead",
        ("the plan's warm-up is left out", "the run was resumed with a count that is too high"),
        None,
        _has("warmup"),
    ),
    Advice(
        "shift_ahead",
        ("epochs are counted from 1", "scheduler.step() comes before the first epoch"),
        None,
        _has("epochs"),
    ),
    Advice(
        "shift_ahead",
        (SKIPPED, "the run was resumed with a count that is too high"),
        None,
        lambda n: n.get("k", 1) <= 5,
    ),
    Advice(
        "shift_ahead",
        (
            "the run was resumed with a count that is too high",
            "the log begins in mid-run: say so by start=",
        ),
    ),
    Advice(
        "shift_behind",
        (
            "the rate is set by hand after optimizer.step()",
            "the plan counts updates from 1, and the loop from 0",
            "a warm-up from zero makes one update without effect",
        ),
        None,
        lambda n: n.get("k", -1) == -1,
    ),
    Advice(
        "shift_behind",
        ("the rate of an epoch is set at its end", "the plan counts epochs from 1, and the loop from 0"),
        None,
        _has("epochs"),
    ),
    Advice(
        "shift_behind",
        ("the run was resumed with a count that is too low", "the scheduler waits for some updates"),
    ),
    Advice("held", ("the rate is set once an epoch, where the plan moves at every update",), EACH_UPDATE),
    Advice(
        "stepped_per_epoch",
        (
            "the optimizer is stepped several times for each scheduler.step(): SAM, micro-batches",
            "scheduler.step() is called after each epoch, while its numbers count updates",
        ),
        STEP,
        lambda n: n.get("every", 10) <= 5,
    ),
    Advice(
        "stepped_per_epoch",
        (
            "scheduler.step() is called after each epoch, while its numbers count updates",
            "Lightning steps a scheduler once an epoch unless its dictionary says 'interval': 'step'",
        ),
        EACH_UPDATE,
    ),
    Advice("too_fast", (EPOCHS,), ONCE, _has("epochs")),
    Advice("too_fast", (TWICE, PROCESSES, MICRO), ONCE, lambda n: n.get("speed") == 2),
    Advice("too_fast", ("its lengths are those of a shorter epoch, or run",), None, _has("every")),
    Advice("too_fast", (PROCESSES, MICRO, TWICE, EPOCHS), ONCE),
    Advice(
        "too_slow",
        (
            "the scheduler is stepped once in several updates, or its decay is meant per epoch",
            "it was made for more updates",
        ),
    ),
    Advice(
        "extra_step",
        ("scheduler.step() is called for other batches too, such as those of the validation",),
        None,
        lambda n: n.get("extra", 1) > 1,
    ),
    Advice(
        "extra_step",
        ("scheduler.step() is called after every update and once more after each epoch",),
        "# leave out the call after the epoch:\n# scheduler.step()",
    ),
    Advice("missing_step", ("scheduler.step() is left out at one update of each epoch, such as the last",)),
    Advice("skips", ("a GradScaler skipped single updates and the scheduler went on",), SCALER),
    Advice(
        "horizon_short",
        (
            LAST,
            "the last batch was not counted",
        ),
        None,
        lambda n: n.get("planned", 0) - n.get("total_steps", 0) == 1,
    ),
    Advice(
        "horizon_short",
        (
            "the scheduler was made for fewer updates: drop_last, a smaller data set, epochs in place of "
            "updates",
            "the number of processes or micro-batches was divided out twice",
        ),
        COUNT,
    ),
    Advice(
        "horizon_long",
        (
            "the scheduler was made for more updates than are done: max_steps, early stopping",
            "micro-batches were counted as updates, or the warm-up was added to the horizon",
        ),
        COUNT,
    ),
    Advice(
        "floor",
        ("the schedule has an end value above zero: eta_min, lr_min, end_learning_rate, min_lr_ratio",),
    ),
    Advice("power", ("another power of the polynomial", "another factor of each drop or decay step")),
    Advice(
        "compounding",
        (
            "a total factor multiplies the rate of the last update, where it should multiply the peak",
            "a function of (epoch, rate) is fed with a rate that is decayed already",
        ),
        "for group in optimizer.param_groups:\n    group['lr'] = peak_lr * factor(t)  # not *=",
    ),
    Advice(
        "layered_warmup",
        (
            "the decay runs from update 0 on and the warm-up lies over it (timm without warmup_prefix)",
            "ChainedScheduler multiplies warm-up and decay",
            "a warm-up is applied to a schedule that has one",
        ),
    ),
    Advice(
        "warmup",
        (LAST,),
        None,
        lambda n: 0 < n.get("planned_warmup_steps", 0) - n.get("warmup_steps", 0) <= 1,
    ),
    Advice(
        "warmup",
        (
            "its length is in epochs where updates are counted, or the other way round",
            "its length is part of another total, or left at a default",
        ),
        "warmup_steps = warmup_epochs * steps_per_epoch",
    ),
    Advice("cooldown", ("the beginning or the length of the decay is in epochs, or part of another total",)),
    Advice(
        "climbs_again",
        ("the run is longer than its schedule: torch's CosineAnnealingLR and OneCycleLR turn up again",),
    ),
    Advice(
        "restarted",
        (
            "a scheduler was made anew without its state (after loading a checkpoint)",
            "the scheduler is made inside the loop over epochs; a cycle has another length than planned",
        ),
        "scheduler.load_state_dict(checkpoint['scheduler'])\n"
        "# or without state: lrlib.to_torch(optimizer, schedule, peak_lr=..., at=updates_done)",
    ),
    Advice(
        "jump",
        ("the warm-up is cut short: the milestone of a SequentialLR is in epochs, or of another run",),
        None,
        _has("warmup"),
    ),
    Advice(
        "jump",
        ("a run was resumed with another count than it had", "scheduler state and counter disagree"),
        AGAIN,
    ),
    Advice("frozen", (LOWERED,), None, _has("lowered")),
    Advice("frozen", (SOON_OVER, "stepping stopped"), None, _has("head")),
    Advice(
        "frozen",
        (
            "a later branch is never reached (if epoch >= 30 ... elif epoch >= 60)",
            "a scheduler was made again while the rate was at its lowest",
            "the rate is kept above a minimum; stepping stopped",
        ),
    ),
    Advice("horizon_changed", ("the run was resumed with more epochs than it had been planned for",)),
    Advice("stretch", ("another scheduler wrote the rate for a while", "the warm-up was overwritten")),
    Advice("unknown", ()),
)
KINDS = tuple(dict.fromkeys(advice.kind for advice in ADVICE))


def advice_for(kind: str, numbers: Numbers) -> Advice:
    """Return the first advice of a kind that suits the reading's numbers."""
    return next(
        (advice for advice in ADVICE if advice.kind == kind and advice.suits(numbers)), Advice(kind, ())
    )

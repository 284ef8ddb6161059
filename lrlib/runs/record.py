"""What is recorded of a run: config, measurements per epoch, provenance; and the checks of a record."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from lrlib._checks import no_such
from lrlib._errors import LrlibError
from lrlib._files import TextError, decoded
from lrlib.runs.config import RunConfig, sentence

__all__ = ["EpochRecord", "Provenance", "RecordError", "Run"]

SCHEMA: Literal[1] = 1
#: What a run computed in.
Precision = Literal["fp32", "bf16", "fp16"]
#: How a run ended.
Status = Literal["finished", "diverged"]


class RecordError(LrlibError, ValueError):
    """A record that cannot be trusted or read; the message is one sentence that names the file.

    Attributes
    ----------
    kind : str
        "missing", "unreadable" (not whole JSON), "foreign" (no record), "schema" (of another lrlib), "edited"
        (its digest does not fit), "wrong" (it does not agree with itself), "there" (it would be overwritten)
        or "study" (no study of that name).

    Examples
    --------
    >>> from lrlib.runs.store import read_run
    >>> read_run("no-such-record.json")
    Traceback (most recent call last):
        ...
    lrlib.runs.record.RecordError: no-such-record.json: there is no such file
    """

    def __init__(self, message: str, *, kind: str = "wrong") -> None:
        super().__init__(message)
        self.kind = kind


def _not_finite(value: Any) -> Any:
    return math.nan if value is None else value


# JSON has no nan or infinity: what a diverged run leaves is null in the file and nan in memory.
Measured = Annotated[
    float,
    BeforeValidator(_not_finite),
    PlainSerializer(lambda x: x if math.isfinite(x) else None, return_type=float | None, when_used="json"),
]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Fields that came after the first records, and are not written where they have their default. Records of
    #: other runs stay as they were: the same keys, and the same digest if they are made again.
    LATER: ClassVar[tuple[str, ...]] = ()

    @model_serializer(mode="wrap")
    def _later_only_where_needed(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        absent = {name for name in self.LATER if getattr(self, name) == fields[name].default}
        return {name: value for name, value in handler(self).items() if name not in absent}


class EpochRecord(_Model):
    """What one epoch left. Losses are mean cross-entropies in nats, accuracies fractions in [0, 1].

    Parameters
    ----------
    epoch : int
        From 0.
    first_lr, last_lr : float
        The rate of the epoch's first and last update, read from the optimizer.
    updates : int
    train_loss, train_accuracy : float
        In training mode, over the images of the epoch's updates, each before its update.
    penalty : float
        weight_decay / 2 times the squared norm of the parameters, summed over groups where layers have weight
        decays of their own, averaged in the same way.
    test_loss, test_accuracy : float
        In evaluation mode, after the epoch.
    grad_norm_sq : float
        Mean over the updates of the squared norm of the gradient of the cross-entropy; without those whose
        gradient was not finite.
    seconds : float
        Wall time of updates and test.
    batches : str
        16 hex digits of what the updates saw: order of the images and draws of the augmentation.
    first_momentum, last_momentum : float or None
        The momentum of the epoch's first and last update, read from the optimizer; None, and not written,
        where the recipe does not move it.

    Examples
    --------
    >>> sorted(EpochRecord.model_fields)[:4]
    ['batches', 'epoch', 'first_lr', 'first_momentum']
    """

    epoch: Annotated[int, Field(ge=0)]
    first_lr: Measured
    last_lr: Measured
    updates: Annotated[int, Field(ge=1)]
    train_loss: Measured
    penalty: Measured
    train_accuracy: Measured
    test_loss: Measured
    test_accuracy: Measured
    grad_norm_sq: Measured
    seconds: Annotated[float, Field(ge=0)]
    batches: str
    first_momentum: Measured | None = None
    last_momentum: Measured | None = None
    LATER = ("first_momentum", "last_momentum")


class Final(_Model):
    """The whole training set in evaluation mode, after the last update."""

    train_loss: Measured
    train_accuracy: Measured


class Provenance(_Model):
    """Where a record comes from. It holds no user name, host name or folder.

    Parameters
    ----------
    started : str
        UTC, ISO 8601; of the last part, if the run was resumed (`earlier` has the others).
    seconds : float
        Wall time of the whole run, all its parts if it was resumed.
    parts : int
        1, and 1 more for each time it was resumed.
    command : str
    commit : str or None
        Of lrlib; ends in "+changes" if the tree was not clean. None outside a checkout.
    versions : dict
        Of Python and the packages that compute.
    hardware : str
        Name of the processor or GPU.
    system : str
        Operating system and architecture.
    cores, threads : int
        Cores of the machine, and threads that torch used.
    device, precision, path : str
        As resolved for this machine; `path` names the code path of the networks.
    together : int
        Runs that shared the device at a time, this one included. If more than 1, `seconds` is the wall time
        of all of them.
    deterministic : bool
        Whether cuDNN was kept to algorithms that repeat to the bit. Of a GPU only; False on a CPU.
    earlier : tuple of Provenance
        Of a resumed run, the parts before the last, in order; parts in a row that differ in their times alone
        are one here. All else is of the last part. Empty, and not written, for a run in one go.

    Examples
    --------
    >>> "command" in Provenance.model_fields
    True
    """

    started: str
    seconds: Annotated[float, Field(ge=0)]
    parts: Annotated[int, Field(ge=1)] = 1
    command: str
    commit: str | None
    versions: dict[str, str]
    hardware: str
    system: str
    cores: Annotated[int, Field(ge=1)]
    threads: Annotated[int, Field(ge=1)]
    device: str
    precision: Precision
    path: str
    together: Annotated[int, Field(ge=1)] = 1
    deterministic: bool = False
    earlier: tuple[Provenance, ...] = ()
    LATER = ("earlier",)

    def after(self, *others: Provenance) -> Provenance:
        """Return this part's provenance with the parts before it: their seconds and parts are counted in.

        Examples
        --------
        >>> from lrlib.runs.store import load_runs
        >>> part = load_runs("pilot-laptop")[0].provenance
        >>> other = part.model_copy(update={"hardware": "another processor"})
        >>> whole = part.after(other, other)
        >>> whole.parts, [(each.hardware, each.parts) for each in whole.earlier]
        (3, [('another processor', 2)])
        """
        counted = {
            "seconds": round(self.seconds + sum(other.seconds for other in others), 2),
            "parts": self.parts + sum(other.parts for other in others),
        }
        return self.model_copy(update={**counted, "earlier": grouped(others)})


def grouped(parts: Iterable[Provenance]) -> tuple[Provenance, ...]:
    """Return the parts of a run, those in a row that differ in their times alone as one.

    So a run that is cut a thousand times is still a small record.
    """
    found: list[Provenance] = []
    times = {"started", "seconds", "parts"}
    for part in parts:
        last = found[-1] if found else None
        if last is not None and last.model_dump(exclude=times) == part.model_dump(exclude=times):
            both = {"seconds": round(last.seconds + part.seconds, 2), "parts": last.parts + part.parts}
            found[-1] = last.model_copy(update=both)
        else:
            found.append(part)
    return tuple(found)


class Run(_Model):
    """One run: config, measurements per epoch, provenance.

    Parameters
    ----------
    config : RunConfig
    status : {"finished", "diverged"}
        A run whose loss stops being finite ends as "diverged": a result, not an error.
    parameters : int
        Trainable parameters of the network.
    start : str
        16 hex digits of the initial weights.
    epochs : tuple of EpochRecord
    final : Final or None
        None if the run diverged.
    provenance : Provenance

    Examples
    --------
    >>> from lrlib.runs.store import load_runs
    >>> run = load_runs("pilot-laptop")[0]
    >>> run.status, run.config.network, len(run.epochs)
    ('finished', 'resnet10', 30)
    """

    schema_version: Literal[1] = SCHEMA
    config: RunConfig
    status: Status
    parameters: Annotated[int, Field(ge=1)]
    start: str
    epochs: tuple[EpochRecord, ...]
    final: Final | None
    provenance: Provenance

    @property
    def label(self) -> str:
        """Name of the schedule, such as "poly5"."""
        return self.config.recipe.label

    def column(self, name: str) -> list[float]:
        """Return one quantity of `EpochRecord` over the epochs; nan where it was not finite."""
        if name not in EpochRecord.model_fields:
            raise ValueError(no_such("quantity", name, EpochRecord.model_fields))
        return [getattr(epoch, name) for epoch in self.epochs]

    def provenance_line(self) -> str:
        """Return one sentence for under a figure: when, on what, with what, how long."""
        p = self.provenance
        day = datetime.fromisoformat(p.started).strftime("%d %B %Y").lstrip("0")
        time = f"{p.seconds / 60:.0f} minutes" if p.seconds >= 120 else f"{p.seconds:.0f} seconds"
        threads = "1 thread" if p.threads == 1 else f"{p.threads} threads"
        if p.device == "cuda":
            threads = f"path {p.path}"
        if p.together > 1:
            time += f" beside {p.together - 1} other{'s' if p.together > 2 else ''}"
        torch = p.versions.get("torch", "unknown")
        task = " (even or odd)" if self.config.task == "parity" else ""
        what = f"{self.config.network} on {self.config.dataset}{task}, {self.label}, seed {self.config.seed}"
        return (
            f"{what}: recorded on {day} on {p.hardware} ({threads}, {p.precision}) "
            f"with torch {torch}, in {time}; commit {(p.commit or 'unknown')[:10]}."
        )

    def measured(self) -> dict[str, Any]:
        """Return all that must be equal when a run is done again: no times, no provenance."""
        data = json.loads(self.model_dump_json(exclude={"provenance"}))
        for epoch in data["epochs"]:
            del epoch["seconds"]
        return data


def digest(data: dict[str, Any]) -> str:
    # Sorted keys: a tool that reorders a JSON file changes no measurement. allow_nan=False: NaN is no JSON,
    # and other readers would refuse the file.
    text = json.dumps({k: v for k, v in data.items() if k != "digest"}, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def run_from(record: bytes, name: str) -> Run:
    """Check the bytes of a record, as `read_run` does; `name` stands for the file in what is raised."""
    try:
        data = json.loads(decoded(record))
    except TextError as error:
        raise RecordError(f"{name}: {error}", kind="unreadable") from None
    except (ValueError, RecursionError) as error:
        message = f"{name}: not whole JSON ({error}); restore it or run it again"
        raise RecordError(message, kind="unreadable") from None
    if not isinstance(data, dict) or "schema_version" not in data:
        raise RecordError(f"{name}: not a record of lrlib: it has no schema_version", kind="foreign")
    if data["schema_version"] != SCHEMA:
        schema = f"schema {data['schema_version']!r:.40}, and this lrlib reads schema {SCHEMA}"
        raise RecordError(f"{name}: {schema}; upgrade lrlib", kind="schema")
    if "config" not in data:
        raise RecordError(f"{name}: not a record of lrlib: it has no config", kind="foreign")
    # Before the fields are looked at: an edited record is best told so, whatever the edit has broken.
    try:
        noted, fits = data.pop("digest", None), digest(data)
    except (ValueError, RecursionError):  # NaN and Infinity, which no record holds
        noted, fits = None, ""
    if noted != fits:
        message = f"{name}: changed after it was written (its digest does not fit); restore it"
        raise RecordError(message, kind="edited")
    try:
        run = Run.model_validate(data)
    except ValidationError as error:
        raise RecordError(f"{name}: {sentence(error)}", kind="wrong") from None
    except ValueError as error:
        raise RecordError(f"{name}: {error}", kind="wrong") from None
    problem = disagreement(run)
    if problem:
        raise RecordError(f"{name}: {problem}", kind="wrong")
    return run


def disagreement(run: Run) -> str:
    """Return what does not fit together in a record, or nothing."""
    config, schedule, momentum = run.config, run.config.schedule(), run.config.momentum_schedule()
    if [epoch.epoch for epoch in run.epochs] != list(range(len(run.epochs))):
        return "its epochs are not numbered 0, 1, 2, ..."
    if run.status == "finished" and (len(run.epochs) != config.epochs or run.final is None):
        return f"it says finished, with {len(run.epochs)} of {config.epochs} epochs"
    losses = [math.isfinite(epoch.train_loss) and math.isfinite(epoch.test_loss) for epoch in run.epochs]
    if run.status == "finished" and not all(losses):
        return f"it says finished, with a loss in epoch {losses.index(False)} that is not finite"
    if run.status == "diverged" and (run.final is not None or all(losses) or not all(losses[:-1])):
        return "it says diverged, and goes on after a loss that is not finite, or has none"
    if len(run.epochs) > config.epochs:
        return f"it has {len(run.epochs)} epochs, and its config {config.epochs}"
    for epoch in run.epochs:
        if epoch.updates != config.steps_per_epoch:
            return f"epoch {epoch.epoch} has {epoch.updates} updates, not {config.steps_per_epoch}"
        first = epoch.epoch * config.steps_per_epoch
        for name, step in (("first_lr", first), ("last_lr", first + epoch.updates - 1)):
            # The applied rate was read from the optimizer, so this catches a scheduler that lags by one
            # update. Both are float64; the tolerances are for the same factors multiplied in another order,
            # and for cosines of older records, which were computed as 1 + cos(x): to the last digit of 1.
            planned, applied = config.peak_lr * schedule(step), getattr(epoch, name)
            if not math.isclose(planned, applied, rel_tol=1e-9, abs_tol=config.peak_lr * 2.0**-53):
                return f"{name} of epoch {epoch.epoch} is {applied!r}, and the schedule says {planned!r}"
        for name, step in (("first_momentum", first), ("last_momentum", first + epoch.updates - 1)):
            wanted, held = momentum(step) if momentum else None, getattr(epoch, name)
            fits = held is wanted is None
            if wanted is not None and held is not None:
                fits = math.isclose(wanted, held, rel_tol=1e-9, abs_tol=1e-12)
            if not fits:
                return f"{name} of epoch {epoch.epoch} is {held!r}, and the recipe says {wanted!r}"
        for name in ("train_accuracy", "test_accuracy"):
            accuracy = getattr(epoch, name)
            if not (0 <= accuracy <= 1 or (math.isnan(accuracy) and run.status == "diverged")):
                return f"{name} of epoch {epoch.epoch} is {accuracy!r}, not a fraction in [0, 1]"
    return unpublishable(run.provenance)


def unpublishable(provenance: Provenance) -> str:
    """Return what a record's provenance may not hold, or nothing: a path, or what is no Unicode text."""
    for text in _strings(provenance.model_dump()):
        # Records are published: a path would hold a user's name or a machine's.
        if "/" in text or "\\" in text:
            return f"its provenance holds what looks like a path: {text!r}"
        if any(0xD800 <= ord(letter) < 0xE000 for letter in text):  # surrogates, which UTF-8 cannot hold
            return f"its provenance holds what is no Unicode text: {text!r}"
    return ""


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, tuple, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)

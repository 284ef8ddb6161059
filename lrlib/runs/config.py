"""One frozen description of a run, and the presets that the book uses."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from lrlib._checks import no_such
from lrlib._errors import LrlibError
from lrlib.schedules import Schedule
from lrlib.schedules._serialize import from_dict
from lrlib.schedules.recipes import SOURCE_RECIPES, Recipe, get_recipe

__all__ = ["PRESETS", "ConfigError", "RunConfig", "preset"]


# How many images each data set has, here where no torch is needed to read it.
TRAIN_IMAGES = {"cifar10": 50_000, "digits": 1_000}
TEST_IMAGES = {"cifar10": 10_000, "digits": 797}
#: Parts of equal size into which the training images are cut for `RunConfig.fold`.
FOLDS = 5


class ConfigError(LrlibError, ValueError):
    """A config that cannot be run; the message is one sentence.

    Examples
    --------
    >>> preset("digits", recipe="linear", seed=0, epochs=0)
    Traceback (most recent call last):
        ...
    lrlib.runs.config.ConfigError: epochs: input should be greater than or equal to 1, got 0
    """


def sentence(error: ValidationError) -> str:
    """Return pydantic's first complaint as one sentence that names the field and the value."""
    first = error.errors()[0]
    what = first["msg"].removeprefix("Value error, ")
    if not first["loc"] and first["type"] == "value_error":
        return what  # a check of several fields together, which names them itself
    where = ".".join(str(part) for part in first["loc"]) or "config"
    what = what[0].lower() + what[1:]
    more = "" if error.error_count() == 1 else f" (and {error.error_count() - 1} more)"
    value = repr(first["input"])
    got = "" if value in what or first["type"] == "missing" else f", got {value[:80]}"
    return f"{where}: {what}{got}{more}"


def _as_recipe(value: Any) -> Recipe:
    if isinstance(value, str):
        return get_recipe(value)
    try:
        recipe = from_dict(value) if isinstance(value, dict) else value
    except TypeError as error:
        raise ValueError(str(error)) from None
    if not isinstance(recipe, Recipe):
        raise ValueError(f"recipe must be a Recipe or the name of one, got {value!r}")
    return recipe


def _plain_number(value: Any) -> Any:
    # pydantic reads True as 1 and "5" as 5; in a record both are a sign of a damaged file.
    if isinstance(value, (bool, str)):
        raise ValueError(f"a number is needed, got {value!r}")
    return value


Count = Annotated[int, BeforeValidator(_plain_number), Field(ge=1)]
Real = Annotated[float, BeforeValidator(_plain_number), Field(allow_inf_nan=False)]


# Fields that came after the first records. Their defaults mean what was done before, and do not enter
# `identity`, so that a config keeps it.
_LATER = ("fold", "momentum_form", "penalty", "pixels", "task")


# The data sets that each network takes, where a config can read them without torch. A test compares them with
# lrlib.training.networks.NETWORKS.
TAKES = {
    "resnet8": ("digits", "cifar10"),
    "resnet10": ("digits", "cifar10"),
    "resnet50": ("cifar10",),  # its first layer has 3 channels
    "source_resnet": ("digits", "cifar10"),
}
OWN_PENALTY = ("source_resnet",)  # networks with weight decays of their own, for penalty "source"


class RunConfig(BaseModel):
    """All that decides a run, and nothing that does not.

    Parameters
    ----------
    network : {"resnet8", "resnet10", "resnet50", "source_resnet"}
    dataset : {"digits", "cifar10"}
    task : {"classes", "parity"}
        What is asked about a picture: its class, or whether the digit is even or odd (digits only).
    train_images, test_images : int or None
        Use only the first so many images; None takes all.
    fold : int or None
        Hold out every fifth training image, from image fold - 1 on (fold 1 to 5), train on the others, and
        test on those held out: the test images stay unseen, and `test_images` must be None. For choices, such
        as that of a peak rate.
    augmentation : {"none", "flip_shift"}
    pixels : {"standardised", "unit"}
        What the network sees: (pixel / 255 - mean) / std, or pixel / 255 and nothing else.
    epochs, batch_size : int
        >= 1. The last batch of an epoch may be smaller: an epoch has ceil(images / batch_size) updates.
    peak_lr : float
        > 0; the rate is ``peak_lr * schedule(step)``.
    momentum : float
        In [0, 1). A recipe that moves the momentum (`OneCycleRecipe`) moves it about this value.
    momentum_form : {"torch", "keras"}
        Rate outside the buffer (b <- m b + g, w <- w - lr b) or inside it (v <- m v - lr g, w <- w + v).
    weight_decay : float
        >= 0, on all parameters, torch's form: a penalty of weight_decay / 2 times the squared norm.
    penalty : {"uniform", "source"}
        "source" has a weight decay for each kind of layer, as the survey's source has (1e-3, 2e-4 or none);
        it is for `source_resnet` alone, and `weight_decay` must be 0 then.
    recipe : Recipe or str
        The schedule in fractions of the run; a name takes it from `RECIPES`.
    held : bool
        True sets the rate once an epoch, False at every update. `TimeRecipe` may opt out of being held.
    seed : int
        >= 0; start, order of the images and augmentation follow from it.
    precision : {"auto", "fp32", "bf16", "fp16"}
        "auto" takes bf16 only where the hardware has it natively (fp16 on older GPUs, else fp32).
    device : {"auto", "cpu", "cuda", "mps"}
        "auto" takes a CUDA GPU if there is one.

    Raises
    ------
    ConfigError
        One sentence that names the field, the value and what is allowed.

    Examples
    --------
    >>> config = preset("laptop", recipe="linear", seed=0)
    >>> config.steps_per_epoch, config.total_steps
    (391, 11730)
    >>> config.schedule()
    LinearDecay(total_steps=11730)
    >>> RunConfig.model_validate_json(config.model_dump_json()) == config
    True
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    network: Literal["resnet8", "resnet10", "resnet50", "source_resnet"]
    dataset: Literal["digits", "cifar10"]
    task: Literal["classes", "parity"] = "classes"
    train_images: Count | None = None
    test_images: Count | None = None
    fold: Annotated[int, BeforeValidator(_plain_number), Field(ge=1, le=FOLDS)] | None = None
    augmentation: Literal["none", "flip_shift"] = "none"
    pixels: Literal["standardised", "unit"] = "standardised"
    epochs: Count
    batch_size: Count
    peak_lr: Annotated[Real, Field(gt=0)] = 0.1
    momentum: Annotated[Real, Field(ge=0, lt=1)] = 0.9
    momentum_form: Literal["torch", "keras"] = "torch"
    weight_decay: Annotated[Real, Field(ge=0)] = 0.0
    penalty: Literal["uniform", "source"] = "uniform"
    recipe: Annotated[
        Recipe,
        BeforeValidator(_as_recipe),
        PlainSerializer(lambda recipe: recipe.to_dict(), return_type=dict),
    ]
    held: Annotated[bool, Field(strict=True)] = False
    seed: Annotated[int, BeforeValidator(_plain_number), Field(ge=0)]
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise ConfigError(sentence(error)) from None

    @model_validator(mode="after")
    def _fields_fit_together(self) -> RunConfig:
        for field, sizes in (("train_images", TRAIN_IMAGES), ("test_images", TEST_IMAGES)):
            wanted, there = getattr(self, field), sizes[self.dataset]
            if wanted is not None and wanted > there:
                raise ValueError(f"{field}: {self.dataset} has {there} such images, got {wanted}")
        if self.fold is not None and self.test_images is not None:
            raise ValueError(f"test_images: must be None with a fold, got {self.test_images}")
        if self.fold is not None and not (self.tested and self.images):
            few = f"{self.train_images} training images"
            raise ValueError(f"fold: {few} leave none to hold out or to train on")
        if self.task == "parity" and self.dataset != "digits":
            raise ValueError(f"task: 'parity' is asked about digits, got dataset {self.dataset!r}")
        if self.dataset not in TAKES[self.network]:
            raise ValueError(
                f"network: {self.network} needs colour pictures, got {self.dataset}; use resnet8 or cifar10"
            )
        if self.penalty == "source" and self.network not in OWN_PENALTY:
            raise ValueError(
                f"penalty: 'source' is made for source_resnet, got network {self.network!r}; use 'uniform'"
            )
        if self.penalty == "source" and self.weight_decay:
            raise ValueError(
                f"weight_decay: must be 0 with penalty 'source', which has its own, got {self.weight_decay!r}"
            )
        try:
            self.schedule()
        except ValueError as error:
            raise ValueError(f"recipe: {error}") from None
        self.momentum_schedule()  # names the momentum itself if the recipe cannot move about it
        return self

    @property
    def images(self) -> int:
        """Training images of an epoch."""
        there = self.train_images or TRAIN_IMAGES[self.dataset]
        return there if self.fold is None else there - self.tested

    @property
    def tested(self) -> int:
        """Test images, or images held out, looked at after each epoch."""
        if self.fold is not None:
            return len(range(self.fold - 1, self.train_images or TRAIN_IMAGES[self.dataset], FOLDS))
        return self.test_images or TEST_IMAGES[self.dataset]

    @property
    def steps_per_epoch(self) -> int:
        """Updates of an epoch, ceil(images / batch_size)."""
        return -(-self.images // self.batch_size)

    @property
    def total_steps(self) -> int:
        """Updates of the whole run."""
        return self.epochs * self.steps_per_epoch

    def schedule(self) -> Schedule:
        """Return the shape that this run follows, from update to factor."""
        return self.recipe.build(
            total_steps=self.total_steps, steps_per_epoch=self.steps_per_epoch, held=self.held
        )

    def momentum_schedule(self) -> Callable[[int], float] | None:
        """Return the momentum of update t where the recipe moves it, and None where it stays.

        Examples
        --------
        >>> preset("digits", recipe="linear").momentum_schedule() is None
        True
        >>> round(preset("digits", recipe="1cycle").momentum_schedule()(0), 3)
        0.95
        """
        return self.recipe.momentum(
            self.momentum, total_steps=self.total_steps, steps_per_epoch=self.steps_per_epoch, held=self.held
        )

    def changed(self, **changes: Any) -> RunConfig:
        """Return a config with some fields changed, checked anew."""
        return RunConfig(**{**self.model_dump(), **changes})

    def identity(self) -> str:
        """Return 16 hex digits that two configs share only if they are equal."""
        fields = self.model_dump(mode="json")
        for name in _LATER:
            if fields[name] == RunConfig.model_fields[name].default:
                del fields[name]
        text = json.dumps(fields, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


#: What each preset fixes; recipe and seed are chosen per run.
PRESETS: dict[str, dict[str, Any]] = {
    # A live cell: real images that come with scikit-learn, seconds on a CPU. Batches of 5 make the gradient
    # so noisy that a fixed rate ended visibly above a decaying one with each of the seeds tried.
    "digits": dict(
        network="resnet8", dataset="digits", epochs=8, batch_size=5, weight_decay=1e-4, precision="fp32"
    ),
    # The book's own arm: all of CIFAR-10 on a CPU, in the regime of the survey's source.
    "laptop": dict(network="resnet10", dataset="cifar10", epochs=30, batch_size=128, weight_decay=1e-4),
    # What the survey says that it ran.
    "resnet50": dict(
        network="resnet50",
        dataset="cifar10",
        augmentation="flip_shift",
        epochs=100,
        batch_size=128,
        weight_decay=5e-4,
        held=True,
    ),
    # What the survey's numbers come from: the tutorial of its footnote 1 (see `SOURCE_RECIPES`).
    "source": dict(
        network="source_resnet",
        dataset="cifar10",
        pixels="unit",
        epochs=100,
        batch_size=128,
        momentum_form="keras",
        penalty="source",
        held=True,
    ),
}

#: Presets in which some names of recipes have a meaning of their own; all other names are those of `RECIPES`.
PRESET_RECIPES: dict[str, dict[str, Recipe]] = {"source": SOURCE_RECIPES}


def preset(name: str, /, *, recipe: Recipe | str, seed: int = 0, **changes: Any) -> RunConfig:
    """Return the config of a preset, with a recipe, a seed and whatever else is changed.

    Parameters
    ----------
    name : {"digits", "laptop", "resnet50", "source"}
    recipe : Recipe or str
        In the preset "source", "drop" and "time" are those of `SOURCE_RECIPES` (drops one epoch early; time
        not held). All other names are looked up in `RECIPES`.
    seed : int
    **changes
        Any other field of `RunConfig`.

    Raises
    ------
    ConfigError
        If the name or a field is wrong; a wrong name comes with the nearest right one.

    Examples
    --------
    >>> preset("digits", recipe="cosine", epochs=2).total_steps
    400
    >>> preset("labtop", recipe="cosine")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    lrlib.runs.config.ConfigError: preset must be one of ..., got 'labtop'; did you mean 'laptop'?
    """
    if name not in PRESETS:
        raise ConfigError(no_such("preset", name, PRESETS))
    for field in changes:
        if field not in RunConfig.model_fields:
            raise ConfigError(no_such("field", field, RunConfig.model_fields))
    if isinstance(recipe, str):
        recipe = PRESET_RECIPES.get(name, {}).get(recipe, recipe)
    return RunConfig(**{**PRESETS[name], **changes, "recipe": recipe, "seed": seed})

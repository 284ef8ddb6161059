"""Recipes of well-known papers, each read in the paper and in its code; where they differ, it says so.

Papers without published training code (ResNet's, GPT-3) are left out: there is nothing to compare.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from lrlib._checks import no_such
from lrlib.schedules.compose import join, with_warmup
from lrlib.schedules.recipes import Recipe
from lrlib.schedules.shapes import Constant, DropDecay, LinearDecay, Schedule


class Source(NamedTuple):
    """What a paper and its code say of a schedule.

    Attributes
    ----------
    peak_lr : float
        Of the paper's main run.
    run : str
        How long that run was.
    paper, code : str
        Addresses.
    differs : str
        Where paper and code part, or what the paper leaves open.
    """

    peak_lr: float
    run: str
    paper: str
    code: str
    differs: str
    shape: Callable[[int], Schedule]


def _bert(total: int) -> Schedule:
    warmup = round(0.01 * total)
    if not warmup:
        return LinearDecay(total_steps=total)
    left = total - warmup
    # The code's decay counts from update 0, so that it begins at (T - W) / T after the warm-up's end.
    return join(
        [
            (with_warmup(Constant(), warmup), warmup),
            (LinearDecay(total_steps=left), left, left / total),
        ]
    )


def _detr(total: int) -> Schedule:
    return DropDecay(drop_factor=0.1, drop_steps=round(2 * total / 3))


CITED: dict[str, Source] = {
    "bert": Source(
        peak_lr=1e-4,
        run="1,000,000 updates of 256 sequences, 10,000 of them warm-up",
        paper="https://arxiv.org/abs/1810.04805, appendix A.2",
        code="https://github.com/google-research/bert/blob/master/optimization.py",
        differs=(
            "The paper says: warm-up over the first 10,000 steps, and linear decay. In the code the decay, "
            "1 - t/T, runs from update 0 and is hidden by the warm-up t/W: at update W the factor falls from "
            "almost 1 to 1 - W/T. In transformers it decays from the full peak, as `Triangle` does."
        ),
        shape=_bert,
    ),
    "detr": Source(
        peak_lr=1e-4,
        run="300 epochs, the drop after 200 (the comparison with Faster R-CNN: 500, the drop after 400)",
        paper="https://arxiv.org/abs/2005.12872, sections 4 and A.4",
        code="https://github.com/facebookresearch/detr/blob/main/main.py",
        differs=(
            "Nothing in the schedule: AdamW, StepLR with its default factor 0.1, stepped once an epoch. The "
            "backbone has a tenth of the peak, 1e-5. The code's scheduler drops every 200 epochs, so that a "
            "run of more than 400 would drop again."
        ),
        shape=_detr,
    ),
}


@dataclass(frozen=True, kw_only=True)
class CitedRecipe(Recipe):
    """The schedule of a paper, in fractions of its run.

    Parameters
    ----------
    name : str
        One of `CITED`: "bert" or "detr".

    Attributes
    ----------
    source : Source
        Peak rate, length of the run, paper, code, and where they differ.

    Examples
    --------
    >>> recipe = CitedRecipe(name="bert")
    >>> schedule = recipe.build(total_steps=1_000_000, steps_per_epoch=25_000)
    >>> schedule(9_999), schedule(10_000), schedule(1_000_000)
    (0.9999, 0.99, 0.0)
    >>> recipe.source.peak_lr
    0.0001
    >>> CitedRecipe(name="detr").build(total_steps=300, steps_per_epoch=1)
    DropDecay(drop_factor=0.1, drop_steps=200, offset_steps=0)
    """

    name: str
    kind = "cited_recipe"

    def __post_init__(self) -> None:
        if self.name not in CITED:
            raise ValueError(no_such("name", self.name, CITED))

    @property
    def label(self) -> str:
        return self.name

    @property
    def source(self) -> Source:
        return CITED[self.name]

    def _shape(self, total_steps: int, steps_per_epoch: int) -> Schedule:
        return self.source.shape(total_steps)

"""Empirical sentences of the survey, each with its place, the experiments that may judge it, and its rule.

Nothing here knows a result: `lrbook.chapters.claims.verdicts` applies the rules to whatever is recorded, and
`lrbook.chapters.claims` has what the page says about each sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrbook.chapters.claims.curve_rules import (
    QUANTITIES,
    dropping_at_the_end,
    much_faster,
    plateau,
    smooth,
    steep,
)
from lrbook.chapters.claims.definitions import DROP_EPOCHS, LINEAR_EPOCHS, Finding
from lrbook.chapters.claims.ranking_rules import ranking, rates_apart

if TYPE_CHECKING:
    from lrlib.runs.published import SourceRow, Table
    from lrlib.runs.record import Run

    Rule = Callable[[Sequence[Run] | Table[SourceRow]], Finding]

__all__ = ["CLAIMS", "Claim"]


# A sentence on accuracies can be judged in every experiment on CIFAR-10; one that names epochs in the
# source's alone; one that names no data set on digits too. Print has no curves.
RANKED = ("logs", "source", "resnet50", "laptop")
CURVES = ("source", "resnet50", "laptop")
EPOCHS = ("logs", "source")


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A sentence of the survey that measurements can confirm or contradict.

    Parameters
    ----------
    name : str
        For code: a word or two.
    short : str
        For the figure: at most 26 characters.
    quote : str
        The survey's own words, cut short.
    place : str
        Section, and figure or table.
    chapter : str
        The notebook of the book that treats it, without its ending.
    experiments : tuple of str
        Names in `lrlib.runs.experiments.EXPERIMENTS`.
    rule : callable, evidence -> Finding
        Evidence is the runs of one study, or the source's printed table.
    parts : tuple of such rules
        Where a sentence says several things: one rule each, for those that can hold by themselves.

    Examples
    --------
    >>> CLAIMS["time"].place
    '1.1.3, figure 1.4'
    """

    name: str
    short: str
    quote: str
    place: str
    chapter: str
    experiments: tuple[str, ...]
    rule: Rule
    parts: tuple[Rule, ...] = ()


_ALL = (
    Claim(
        name="rates",
        short="rate too high, too low",
        quote="If the learning rate is too high, the model might miss the global minima, if it is too low, "
        "the model may never converge",
        place="1.1.1, figure 1.1",
        chapter="introduction",
        experiments=("rates",),
        rule=rates_apart(),
    ),
    Claim(
        name="faster",
        short="much faster convergence",
        quote="A smart schedule … can result in much faster convergence",
        place="1.1.2",
        chapter="constant",
        experiments=(*CURVES, "digits"),
        rule=much_faster(),
    ),
    Claim(
        name="time",
        short="time a little worse",
        quote="The performance of this is actually a little worse than the constant lr method",
        place="1.1.3, figure 1.4",
        chapter="time_based",
        experiments=RANKED,
        rule=ranking("a little worse", ("time", "constant")),
    ),
    Claim(
        name="drop",
        short="drop: significant increase",
        quote="a significant increase in the accuracy of our model (87% from 84%)",
        place="1.1.4, figure 1.6",
        chapter="drop_based",
        experiments=RANKED,
        rule=ranking("better", ("drop", "constant")),
    ),
    Claim(
        name="drop, end",
        short="drop: falling at the end",
        quote="both our training and validation losses are also dropping at the end of our training",
        place="1.1.4, figure 1.6",
        chapter="drop_based",
        experiments=CURVES,
        rule=dropping_at_the_end("drop", "training loss", "test loss"),
        parts=tuple(dropping_at_the_end("drop", each) for each in ("training loss", "test loss")),
    ),
    Claim(
        name="drop, 15-20",
        short="drop: steep at 15 to 20",
        quote="around the 15th to 20th epoch, the training and validation loss take a huge drop, and the "
        "accuracy takes a sharp increase",
        place="1.1.4, figure 1.6",
        chapter="drop_based",
        experiments=EPOCHS,
        rule=steep("drop", *QUANTITIES, epochs=DROP_EPOCHS),
        parts=tuple(steep("drop", each, epochs=DROP_EPOCHS) for each in QUANTITIES),
    ),
    Claim(
        name="linear, drop",
        short="linear similar to drop",
        quote="similar accuracy to our previous experiment …, where we used drop based decay",
        place="1.1.5, figure 1.8",
        chapter="linear",
        experiments=RANKED,
        rule=ranking("similar", ("linear", "drop")),
    ),
    Claim(
        name="huge",
        short="linear: huge increase",
        quote="by simply using a learning rate scheduler, we saw a huge increase in the results from the "
        "baseline",
        place="1.1.5, figure 1.8",
        chapter="linear",
        experiments=RANKED,
        rule=ranking("huge", ("linear", "constant")),
    ),
    Claim(
        name="linear, loss",
        short="linear: loss smooth",
        quote="unlike the drop based decay method, the training loss decreases smoothly",
        place="1.1.5, figure 1.8",
        chapter="linear",
        experiments=CURVES,
        rule=smooth("linear", "training loss", unlike="drop"),
        parts=(smooth("linear", "training loss"),),
    ),
    Claim(
        name="linear, 70-80",
        short="linear: steep at 70 to 80",
        quote="a steep drop is seen in the validation loss between epoch 70-80",
        place="1.1.5, figure 1.8",
        chapter="linear",
        experiments=EPOCHS,
        rule=steep("linear", "test loss", epochs=LINEAR_EPOCHS),
    ),
    Claim(
        name="linear, accuracy",
        short="linear: accuracy smooth",
        quote="the accuracy too increases smoothly, with a decrease in the learning rate",
        place="1.1.5, figure 1.8",
        chapter="linear",
        experiments=CURVES,
        rule=smooth("linear", "test accuracy"),
    ),
    Claim(
        name="decaying",
        short="decay goes with better",
        quote="a correlation between a decrease in learning rate as training goes on and better performance",
        place="1.1.5",
        chapter="analysis",
        experiments=(*RANKED, "digits"),
        rule=ranking("better", ("decaying", "constant")),
    ),
    Claim(
        name="poly5",
        short="poly5 similar to both",
        quote="we obtain similar results to drop based decay and linear decay",
        place="1.1.6, figure 1.10",
        chapter="polynomial",
        experiments=RANKED,
        rule=ranking("similar", ("poly5", "drop"), ("poly5", "linear")),
        parts=(ranking("similar", ("poly5", "drop")), ranking("similar", ("poly5", "linear"))),
    ),
    Claim(
        name="poly5, 25",
        short="poly5: level from 25 on",
        quote="we can see our training loss plateauing out after around 25 epochs",
        place="1.1.6, figure 1.10",
        chapter="polynomial",
        experiments=EPOCHS,
        rule=plateau("poly5", "training loss", epoch=25),
    ),
    Claim(
        name="best",
        short="linear the best",
        quote="the linear decay method performs the best",
        place="1.1.7, table 1.1",
        chapter="analysis",
        experiments=RANKED,
        rule=ranking("the best", *[("linear", name) for name in ("constant", "time", "drop", "poly5")]),
    ),
    Claim(
        name="linear",
        short="linear beats constant",
        quote="significantly better than the constant learning rate method",
        place="1.1.7, table 1.1",
        chapter="analysis",
        experiments=RANKED,
        rule=ranking("better", ("linear", "constant")),
    ),
)
#: The sentences by name, in the survey's order.
CLAIMS: dict[str, Claim] = {claim.name: claim for claim in _ALL}

"""What the survey's words mean as numbers: steep, smooth, similar, better and others.

The numbers come from what a figure can show, from the survey's own usage and from the plan
(book/survey/plan.md); `WORDS` gives the reason for each. None was chosen by looking at a verdict, and none
may be changed for one.
"""

from __future__ import annotations

from typing import NamedTuple

from lrlib.schedules.recipes import SURVEY

__all__ = [
    "CANNOT_BE_TOLD",
    "FAILS",
    "HOLDS",
    "IN_PART",
    "NOT_SEEN",
    "OPEN",
    "OVERALL",
    "SEEN",
    "VERDICTS",
    "WORDS",
    "Finding",
    "Word",
]

SEEN, NOT_SEEN, CANNOT_BE_TOLD = "seen again", "not seen", "cannot be told"
#: Verdict of a rule in one experiment -> what it means.
VERDICTS = {
    SEEN: "in this experiment, the words hold by the rules below",
    NOT_SEEN: "in this experiment, the rules say otherwise",
    CANNOT_BE_TOLD: "too few runs, runs that disagree, or a gap that chance can make",
}
HOLDS, IN_PART, FAILS, OPEN = "holds", "holds in part", "does not hold", "cannot be told"
#: Verdict on a sentence over its experiments (`lrbook.chapters.claims.verdicts.overall`) -> what it means.
OVERALL = {
    HOLDS: "seen again in every experiment that decides",
    IN_PART: "the experiments that decide disagree; or the sentence says several things, is not seen as a "
    "whole, and one of them by itself is seen again",
    FAILS: "not seen in any experiment that decides",
    OPEN: "no experiment decides",
}

# Points of accuracy.
HUGE_POINTS = 3.0  # the survey calls 87 from 84 % huge
MARGIN_POINTS = 1.0  # the plan's margin, the smallest step that table 1.1 can show
# Times the sampling error of a difference, for single runs in print. The last epoch moves them too, in the
# plan's pilot by about twice the error of one run: four errors are two standard deviations of both together.
SAMPLING_ERRORS = 4.0
# Parts of a run.
START = 0.10  # under every schedule a loss falls steeply there
END = 0.10  # long enough to average over a curve that shakes: 3 epochs of 30, 10 of 100
AROUND = 0.05  # to each side; as wide as the survey's own "15th to 20th epoch"
MEDIAN = 0.05  # window of the running median, which leaves out lone spikes
# Epochs that a sentence names, of 100: where drop-based decay jumps, and where linear decay is steep.
DROP_EPOCHS = 15, 20
LINEAR_EPOCHS = 70, 80
# Parts of a curve's height, the distance between its highest and its lowest value.
JAG = 0.05  # a tenth of an inch in a figure two inches high: what can be seen
HAIR = 0.01  # less is hidden by the thickness of the line
# Times a curve's own average pace, and of the epochs that another curve needs.
PACE = 3.0  # an eye compares with the rest of the curve
HALF = 0.5  # twice as fast is much by any reading
# Seeds that must agree where curves of two schedules are compared: five coins show heads in 1 of 32 throws.
SEEDS = 5
# The epochs that the survey's sentences count, and the schedules of its table that decay.
SURVEY_EPOCHS = 100
DECAYING = SURVEY[1:5]


class Finding(NamedTuple):
    """A sentence judged in one experiment: number of runs or seeds, verdict, and the numbers behind it.

    Examples
    --------
    >>> Finding(0, CANNOT_BE_TOLD, "no run yet").verdict
    'cannot be told'
    """

    n: int
    verdict: str
    because: str


#: An experiment without runs; and print, which has no curves.
NO_RUN = Finding(0, CANNOT_BE_TOLD, "no run yet")
LAST_EPOCH_ONLY = Finding(1, CANNOT_BE_TOLD, "only the last epoch is printed")


class Word(NamedTuple):
    """What a word of the survey means here, and why this number.

    Examples
    --------
    >>> WORDS["huge increase"].means
    'better, and measured at 3 points of accuracy or more'
    """

    means: str
    why: str


#: Word -> what the rules of `lrbook.chapters.claims.curve_rules` and `lrbook.chapters.claims.ranking_rules`
#: take it to mean.
WORDS: dict[str, Word] = {
    "better, worse, significant": Word(
        "with several seeds the plan's verdict (Holm p below 0.05); with one run of ours nothing; in the "
        f"source's logs a gap of at least {SAMPLING_ERRORS:g} sampling errors",
        "the logs are the survey's own evidence and cannot be run again, so here one run may speak. Its last "
        "epoch moves it too, in the plan's pilot by about twice the sampling error of one run, and its seed, "
        f"by nobody knows how much there; {SAMPLING_ERRORS:g} is a convention that leaves room for both",
    ),
    "huge increase": Word(
        f"better, and measured at {HUGE_POINTS:g} points of accuracy or more",
        "what the survey calls so: 87 from 84",
    ),
    "a little worse": Word(
        f"worse, and measured at less than {HUGE_POINTS:g} points of accuracy",
        "less than what the survey calls huge",
    ),
    "similar": Word(
        f"shown to lie within {MARGIN_POINTS:g} point of accuracy of each other. Not similar: told apart, "
        f"and measured at {MARGIN_POINTS:g} point or more",
        "the margin of the plan, and the smallest step that table 1.1 can show. A no needs no proof that the "
        "gap is wider than the margin: what is told apart, by a point as measured, is not alike",
    ),
    "the best": Word("better than each other schedule of table 1.1", "a tie or an open question is no win"),
    "loss": Word(
        "cross-entropy plus the penalty on the weights", "so it is in the logs behind the survey's figures"
    ),
    "height": Word("a curve's highest minus its lowest value", "what a figure of it alone would span"),
    "steep, huge drop, sharp": Word(
        f"over the epochs named, the curve's running median changes {PACE:g} times as fast as it does on "
        f"average after the first {START:.0%} of the run, and by at least {JAG:.0%} of the height",
        "an eye compares with the rest of the curve, whose start is steep under every schedule; a median "
        "leaves lone spikes out",
    ),
    "smooth": Word(
        f"after the first {START:.0%} of the run, no epoch lies further than {JAG:.0%} of the height from "
        f"the middle between its two neighbors; asked of runs with at least {round(1 / JAG)} epochs",
        f"{JAG:.0%} of a figure two inches high is a tenth of an inch, a jag that can be seen",
    ),
    "plateau": Word(
        f"from there on within {JAG:.0%} of the height of the last value",
        "the same tenth of an inch",
    ),
    "around an epoch": Word(
        f"within {AROUND:.0%} of the run to each side", "as wide as the survey's own 15 to 20"
    ),
    "dropping at the end": Word(
        f"the mean of the last {END:.0%} of epochs lies below that of the {END:.0%} before them, by at least "
        f"{HAIR:.0%} of the height",
        "less is hidden by the thickness of the line",
    ),
    "much faster": Word(
        f"the running median of test accuracy reaches the level on which the constant rate ends (median of "
        f"the last {END:.0%} of epochs) in at most {HALF:g} times as many epochs",
        "twice as fast is much by any reading. Any of four schedules may do it, so that luck has up to four "
        "times the chance that is given under n",
    ),
    "n": Word(
        "seeds or runs behind a verdict. A curve counts if every finished run agrees; where curves of two "
        f"schedules race, {SEEDS} seeds must agree",
        f"by luck alone, {SEEDS} coins agree on heads in one of {2**SEEDS} throws",
    ),
    "too low, too high": Word(
        "the ends of our grid of rates, if one rate in between is better than both, under the constant rate",
        "all rates in between are tested as one family, so that none is picked afterwards",
    ),
}

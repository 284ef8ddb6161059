"""Exercises of the chapter "Analysis": luck, intervals, and how many seeds it takes."""

from __future__ import annotations

import math

from scipy.integrate import quad
from scipy.special import ndtr
from scipy.stats import nct, t

from lrbook.exercises.judges import Function, Number
from lrbook.exercises.task import Draw, Mistake, Task, exercise
from lrlib import stats

CHAPTER = "analysis"


@exercise(chapter=CHAPTER, kind="diagnosis", level="easy", title="0.8724 or 0.8680?")
def luck(draw: Draw) -> Task:
    a, b, n = draw(
        "pair",
        (0.8724, 0.8680, 10_000),
        [(0.8651, 0.8590, 10_000), (0.914, 0.902, 2_000), (0.781, 0.752, 5_000), (0.64, 0.61, 1_000)],
    )
    one, other = (math.sqrt(p * (1 - p) / n) for p in (a, b))
    apart = (a - b) / math.hypot(one, other)
    return Task(
        answer="my_ratio",
        prompt=f"""
            Two schedules, one run each, end at test accuracies {a:.4f} and {b:.4f} on {n:,} test images.
            Someone ranks them. Use the sampling error of the test alone, $\\sqrt{{p(1-p)/n}}$ for
            each run, and take the two as independent: how many standard errors of their difference are
            they apart?
        """,
        starter="my_ratio = None  # a number",
        solution=f"""
            a, b, n = {a:g}, {b:g}, {n}
            var = a * (1 - a) + b * (1 - b)
            error = (var / n) ** 0.5
            my_ratio = (a - b) / error
        """,
        reveal=f"""
            {apart:.2f} standard errors, and the luck of the seed comes on top. Near 2 one may begin to
            wonder; with one run each, nobody can rank two such schedules.
        """,
        judge=Number(expected=apart),
        mistakes=[
            Mistake(
                f"my_ratio = ({a} - {b}) / {one!r}",
                "that is the error of one accuracy; a difference has the errors of both, added as squares.",
            ),
            Mistake(
                f"my_ratio = ({a} - {b}) / ({one!r} + {other!r})",
                "errors that are independent add as squares, not straight.",
            ),
            Mistake(
                f"my_ratio = 100 * {apart!r}",
                "points and fractions are mixed: take both the difference and the error as fractions.",
            ),
            Mistake(
                f"my_ratio = ({a} - {b}) / ({one!r} ** 2 + {other!r} ** 2)",
                "that is divided by the variance; take its square root.",
            ),
            Mistake(
                f"my_ratio = {a} - {b}",
                "that is the difference itself; divide it by its standard error.",
            ),
        ],
    )


def _first(found) -> int:
    return next(n for n in range(2, 1000) if found(n))


@exercise(chapter=CHAPTER, kind="predict", level="hard", title="How many seeds?")
def seeds_needed(draw: Draw) -> Task:
    delta, sd = draw("size", (0.2, 0.2), [(0.2, 0.3), (0.5, 0.6), (0.3, 0.5), (0.3, 0.35)])
    d = delta / sd

    def critical(n: int, tail: float = 0.025, df: int | None = None) -> float:
        return t.isf(tail, df or n - 1)

    paired = _first(lambda n: nct.sf(critical(n), n - 1, d * n**0.5) >= 0.8)
    unpaired = _first(
        lambda n: nct.sf(critical(n, df=2 * n - 2), 2 * n - 2, d * (n / 2) ** 0.5) >= 0.8,
    )
    in_family = _first(lambda n: nct.sf(critical(n, 0.025 / 13), n - 1, d * n**0.5) >= 0.8)
    even_odds = _first(lambda n: d * n**0.5 >= critical(n))
    return Task(
        answer="my_n",
        prompt=f"""
            You want to see a true difference of {delta:g} points between two schedules. Runs with the same
            seed are paired, and their differences have a standard deviation of {sd:g} points. How many seeds
            does a two-sided paired t test at level 0.05 need to find it with a chance of 0.8? It is the only
            comparison. Guess first; `lrlib.stats.detectable` helps.
        """,
        starter="my_n = None  # whole number",
        solution=f"""
            from lrlib.stats import detectable

            my_n, seen = 1, 99
            while seen > {delta:g}:
                my_n += 1
                seen = detectable(n=my_n, sd={sd:g}, family=1)
        """,
        reveal=f"""
            {paired} seeds for each schedule, {2 * paired} runs, for {delta:g} points. With one run each, a
            gap of this size says nothing.
        """,
        judge=Number(expected=paired, rel=0.0),
        mistakes=[
            Mistake(
                f"my_n = {math.ceil((2.8016 / d) ** 2)}",
                "that is the rule for a known standard deviation; from few seeds it has to be "
                "estimated, and the t "
                "test asks for more.",
            ),
            Mistake(
                f"my_n = {unpaired}",
                "that is for two groups without shared seeds; pairs need fewer, as their own "
                "difference is measured.",
            ),
            Mistake(
                f"my_n = {in_family}",
                "that is with Holm's first step among 13 comparisons; here it is the only one, "
                "so `family=1`.",
            ),
            Mistake(
                f"my_n = {even_odds}",
                "with so few, the test finds it in only about half of all cases; a chance of 0.8 is wanted.",
            ),
            Mistake("my_n = 1", "one pair tells nothing about the spread, and so nothing at all."),
            Mistake(
                f"my_n = {2 * paired}",
                "that is the number of runs; each seed serves both schedules.",
            ),
        ],
    )


DIFFERENCES = ((0.031, 0.044), (0.05, 0.04, 0.06), (0.012, 0.034, 0.021, 0.046, 0.027), (-0.3, 0.1, 0.2, 0.4))


@exercise(chapter=CHAPTER, kind="code", level="medium", title="Plus or minus what?")
def margin(draw: Draw) -> Task:
    level = draw("level", 0.95, [0.9, 0.98, 0.99, 0.8])
    tail = (1 - level) / 2
    setup = "from statistics import *\nfrom scipy.stats import norm, t\n"
    form = setup + "def margin(d):\n    n = len(d)\n    return "

    def half(d: tuple[float, ...]) -> float:
        low, high = stats.interval(d, level)
        return (high - low) / 2

    return Task(
        answer="margin",
        prompt=f"""
            `d` holds the differences between two schedules, one for each shared seed. Write the half-width of
            the {level:g} t interval of their mean, the number that stands behind "plus or minus". It has to
            be right for two seeds as well.
        """,
        starter="""
            def margin(d):
                return None  # a half-width
        """,
        solution=f"""
            from statistics import stdev

            from scipy.stats import t


            def margin(d):
                n = len(d)
                q = t.ppf({1 - tail:g}, n - 1)
                return q * stdev(d) / n**0.5
        """,
        reveal=f"""
            quantile times standard deviation over root n. For two seeds the quantile is {t.isf(tail, 1):.1f},
            for three {t.isf(tail, 2):.1f}, for five {t.isf(tail, 4):.1f}: the third seed is worth most.
        """,
        # 1.96 is typed more often than computed, and agrees with the quantile to 2e-5 only; 1.64 to 3e-3.
        judge=Function(expected=half, probes=[(d,) for d in DIFFERENCES], unit="differences", near=0.004),
        mistakes=[
            Mistake(
                form + f"norm.isf({tail}) * stdev(d) / n**0.5",
                "that is the normal quantile; with a spread estimated from few seeds it takes Student's t.",
            ),
            Mistake(
                form + f"t.isf({tail}, n - 1) * stdev(d)",
                "that is the spread of single seeds; the mean of n varies less, by root n.",
            ),
            Mistake(
                form + f"t.isf({tail}, n - 1) * pstdev(d) / n**0.5",
                "`pstdev` divides by n; the spread estimated from a sample divides by n - 1.",
            ),
            Mistake(
                form + f"t.isf({2 * tail}, n - 1) * stdev(d) / n**0.5",
                "one-sided: an interval has two ends, and each gets half of what is left over.",
            ),
            Mistake(
                form + f"t.isf({tail}, n) * stdev(d) / n**0.5",
                "off by one: n differences leave n - 1 degrees of freedom.",
            ),
            Mistake(
                form + f"2 * t.isf({tail}, n - 1) * stdev(d) / n**0.5",
                "that is the whole width; plus or minus takes half of it.",
            ),
            Mistake(
                form + f"100 * t.isf({tail}, n - 1) * stdev(d) / n**0.5",
                "in points; the differences are fractions, and so is their half-width.",
            ),
        ],
    )


@exercise(chapter=CHAPTER, kind="predict", level="hard", title="The best epoch")
def best_epoch(draw: Draw) -> Task:
    n, sd = draw("curve", (10, 0.8), [(5, 0.8), (20, 0.6), (30, 0.5), (15, 1.0)])
    gain = (
        sd
        * quad(lambda z: n * z * ndtr(z) ** (n - 1) * math.exp(-z * z / 2) / math.sqrt(2 * math.pi), -12, 12)[
            0
        ]
    )
    return Task(
        answer="my_gain",
        prompt=f"""
            Suppose a curve has stopped improving, and its last {n} test accuracies are independent normal
            draws around one level, with a standard deviation of {sd:g} points. Someone reports the best of
            them instead of the last. By how many points does that lift the result, on average?
        """,
        starter="my_gain = None  # in points",
        solution=f"""
            from random import Random
            from statistics import fmean

            gauss = Random(0).gauss
            my_gain = fmean(
                max(gauss(0, {sd:g}) for _ in range({n})) for _ in range(5_000)
            )
        """,
        reveal=f"""
            {gain:.2f} points, out of nothing. A curve that jumps more gains more, so picking the best epoch
            also flatters the constant rate.
        """,
        judge=Number(expected=gain, rel=0.03, unit="of points"),
        mistakes=[
            Mistake("my_gain = 0", "the last one is fair on average, but the largest of several is not."),
            Mistake(
                f"my_gain = {sd}",
                f"one standard deviation is too little: the best of {n} draws lies farther out.",
            ),
            Mistake(
                f"my_gain = {sd} / {n} ** 0.5",
                "that is the error of their mean; the largest one is farther out than any mean.",
            ),
            Mistake(
                f"my_gain = 2 * {gain!r}",
                "that is from the worst to the best; it starts at the level in the middle.",
            ),
            Mistake(f"my_gain = {gain!r} / 100", "that is a fraction; points are asked for."),
        ],
    )

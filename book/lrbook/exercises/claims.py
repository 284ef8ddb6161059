"""Exercises of the chapter "What the survey says": a word as a rule, luck, and what an interval says."""

from __future__ import annotations

from statistics import fmean

from lrbook.exercises.judges import Function, Number, choice
from lrbook.exercises.task import Draw, Mistake, Task, exercise

CHAPTER = "claims"

# What a jag is a fraction of: its name, its code, its value.
SIZES = (
    ("height (its highest value minus its lowest)", "max(y) - min(y)", lambda y: max(y) - min(y)),
    ("highest value", "max(y)", max),
    ("mean", "sum(y) / len(y)", fmean),
)


@exercise(chapter=CHAPTER, kind="code", level="easy", title="How smooth is it?")
def jag(draw: Draw) -> Task:
    public, *others = SIZES
    name, size, measure = draw("size", public, others)
    rest = "for a, b, c in zip(y, y[1:], y[2:])"

    def expected(y: tuple[float, ...]) -> float:
        jags = (abs(b - (a + c) / 2) for a, b, c in zip(y, y[1:], y[2:], strict=False))
        return max(jags) / measure(y)

    return Task(
        answer="jag",
        prompt=f"""
            `y` is a curve, one value an epoch. The jag of an epoch is its distance from the middle between
            its two neighbors, as a fraction of the curve's {name}. Return the largest jag.
        """,
        starter="""
            def jag(y):
                return None  # a fraction
        """,
        solution=f"""
            def jag(y):
                size = {size}
                largest = 0
                for e in range(1, len(y) - 1):
                    a, b, c = y[e - 1 : e + 2]
                    gap = abs(b - (a + c) / 2)
                    largest = max(largest, gap)
                return largest / size
        """,
        reveal="""
            a straight line has no jag, whatever its slope, and a spike has a large one. With a number next to
            it, the word "smooth" becomes a claim that a record can contradict.
        """,
        judge=Function(
            expected=expected,
            probes=[
                ((3.0, 2.2, 0.8, 0.9),),
                ((3.0, 2.4, 1.8, 1.2),),
                ((1.5, 3.0, 1.5, 1.2, 0.3, 0.9),),
            ],
            unit="the curve",
        ),
        mistakes=[
            Mistake(
                f"def jag(y):\n    return max(abs(b - (a + c) / 2) {rest})",
                "the size of the curve is missing: the same curve in other units would be smoother.",
            ),
            Mistake(
                f"def jag(y):\n    return max(abs(b - a) for a, b in zip(y, y[1:])) / ({size})",
                "that is the largest step; a steep straight line is smooth.",
            ),
            Mistake(
                f"def jag(y):\n    return max(abs(b - (a + c) / 2) {rest}) / abs(y[0] - y[-1])",
                "that divides by the distance between the ends, and a curve may go far between them.",
            ),
            Mistake(
                f"def jag(y):\n    return max(abs(2 * b - a - c) {rest}) / ({size})",
                "twice too large: the middle between two neighbors is half their sum.",
            ),
            Mistake(
                f"def jag(y):\n    return max(b - (a + c) / 2 {rest}) / ({size})",
                "a dip is a jag too: take the distance, without its sign.",
            ),
        ],
    )


@exercise(chapter=CHAPTER, kind="predict", level="easy", title="Five seeds agree")
def agree(draw: Draw) -> Task:
    n, p = draw("luck", (5, 0.5), [(4, 0.4), (5, 0.3), (6, 0.6), (4, 0.25)])
    return Task(
        answer="my_chance",
        prompt=f"""
            A rule is so loose that a run without any effect meets it with chance {p:g}. You accept a
            sentence if all of {n} seeds meet the rule. How likely is that by luck alone?
        """,
        starter="my_chance = None  # 0 to 1",
        solution=f"my_chance = {p:g}**{n}",
        reveal=f"""
            {p**n:.3g}. One run that fits would have had a chance of {p:g}, so it is worth next to nothing;
            {n} that agree are hard to get by luck.
        """,
        judge=Number(expected=p**n),
        mistakes=[
            Mistake(f"my_chance = {p:g}", "that is the chance for one seed; all of them have to agree."),
            Mistake(
                f"my_chance = 1 - (1 - {p:g}) ** {n}",
                "that is the chance that at least one of them fits; all have to.",
            ),
            Mistake(f"my_chance = {p:g} / {n}", "chances of things that all have to happen multiply."),
            Mistake(
                f"my_chance = {n} * {p:g}", "chances add for either-or, and never beyond 1; here all count."
            ),
            Mistake(
                f"my_chance = {p:g} ** {n} + (1 - {p:g}) ** {n}",
                "that also counts the case where none of them fits.",
            ),
        ],
    )


@exercise(chapter=CHAPTER, kind="diagnosis", level="easy", title="Similar?")
def similar(draw: Draw) -> Task:
    parts = choice(
        draw,
        2,
        (
            "yes: zero lies in the interval",
            "not to see a difference is not to see that there is none: almost three points are in it too.",
        ),
        (
            "no: the mean is above zero",
            "a mean is never exactly zero; its interval says how far to trust it, and zero is in it.",
        ),
        ("nobody can say yet: more seeds are needed", ""),
        (
            "no: the interval reaches beyond the margin",
            "it holds the whole margin too, and so perhaps the truth. For a no it has to leave out zero.",
        ),
    )
    return Task(
        prompt="""
            A sentence says that two schedules give similar results. *Similar* was fixed beforehand: within 1
            point. Over three seeds their difference is +0.4 points, with an interval from -1.9 to +2.7. Do
            you accept the sentence?
        """,
        reveal="""
            the interval holds both zero and gaps far beyond the margin. "Similar" needs all of it inside,
            "not similar" needs zero outside it and a gap of a point or more; this one decides neither, and
            saying so is a result.
        """,
        **parts,
    )

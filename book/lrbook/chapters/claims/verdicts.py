"""The sentences of `lrbook.chapters.claims.sentences` judged on what is recorded: cards and a figure.

Verdicts, numbers and the sentences around them are made here from the findings, so that a page cannot say
anything else.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from matplotlib.figure import Figure

from lrbook.chapters.claims.definitions import CANNOT_BE_TOLD, NOT_SEEN, SEEN, VERDICTS, WORDS, Finding
from lrbook.chapters.claims.sentences import ARMS, CLAIMS, Claim
from lrlib._checks import no_such
from lrlib.plots.style import WIDTH, stacked, styled
from lrlib.runs.published import SourceRow, Table, published
from lrlib.runs.record import experiment, load_runs, studies

if TYPE_CHECKING:
    from lrlib.runs.record import Run

__all__ = ["Judged", "card", "evidence", "judge", "ledger", "plot_ledger", "summary", "words_table"]

MINUS = re.compile(r"(?<!\w)-(?=\d)")
#: How a finding is drawn: marker, size, ink, filled. What cannot be told for want of a run is only a point.
NO_RUN_YET = "no run yet"
MARKS = {
    SEEN: ("o", 8.0, "#000000", True),
    NOT_SEEN: ("x", 7.0, "#000000", True),
    CANNOT_BE_TOLD: ("o", 7.0, "#6B6B6B", False),
    NO_RUN_YET: ("o", 1.5, "#6B6B6B", True),
}


class Judged(NamedTuple):
    """One sentence in one arm: names in `CLAIMS` and `ARMS`, and what was found.

    Examples
    --------
    >>> Judged("time", "laptop", Finding(0, "cannot be told", "no run yet")).claim
    'time'
    """

    claim: str
    arm: str
    finding: Finding


def evidence() -> dict[str, Sequence[Run] | Table[SourceRow]]:
    """Return what each arm can judge from: the records that come with the package, and the printed logs.

    Examples
    --------
    >>> list(evidence()) == list(ARMS)
    True
    """
    there = studies()
    found: dict[str, Sequence[Run] | Table[SourceRow]] = {}
    for name, arm in ARMS.items():
        if arm.study is None:
            found[name] = published().source
        else:
            study = experiment(arm.study)
            found[name] = load_runs(study) if study in there else []
    return found


def judge(name: str, runs: Sequence[Run] | Table[SourceRow]) -> Finding:
    """Judge one sentence on some runs of one experiment, such as those just trained.

    Parameters
    ----------
    name : str
        A key of `CLAIMS`.
    runs : sequence of Run
        They differ in schedule and seed only. Or the source's printed table.

    Raises
    ------
    ValueError
        If there is no such sentence, or the runs are of several experiments.

    Examples
    --------
    >>> judge("time", load_runs("pilot-laptop"))[:2]
    (0, 'cannot be told')
    """
    if name not in CLAIMS:
        raise ValueError(no_such("claim", name, CLAIMS))
    return CLAIMS[name].rule(runs if isinstance(runs, Table) else list(runs))


def ledger(given: Mapping[str, Sequence[Run] | Table[SourceRow]] | None = None) -> list[Judged]:
    """Judge every sentence in each of its arms.

    Parameters
    ----------
    given : mapping, arm -> runs or printed table; or None
        None takes `evidence`. An arm that is left out has no runs.

    Examples
    --------
    >>> {judged.finding.verdict for judged in ledger({})}
    {'cannot be told'}
    """
    given = evidence() if given is None else given
    for arm in given:
        if arm not in ARMS:
            raise ValueError(no_such("arm", arm, ARMS))
    return [
        Judged(claim.name, arm, judge(claim.name, given.get(arm, [])))
        for claim in CLAIMS.values()
        for arm in claim.arms
    ]


def card(name: str, judged: Iterable[Judged]) -> str:
    """Return one sentence with its place and findings as Markdown; arms that say the same share a line.

    Examples
    --------
    >>> print(card("best", ledger({})))
    **15.** “the linear decay method performs the best” (1.1.7, table 1.1; [chapter](analysis.ipynb))
    <BLANKLINE>
    - **cannot be told** · published logs, source, ResNet-50, laptop · no run yet
    """
    claim, lines, order = CLAIMS[name], {}, list(VERDICTS)
    for each in judged:
        if each.claim == name:
            lines.setdefault(each.finding, []).append(ARMS[each.arm].title)
    text = f"**{_number(claim)}.** “{claim.quote}” ({claim.place}; [chapter]({claim.chapter}.ipynb))\n"
    for finding in sorted(lines, key=lambda finding: (finding.n == 0, order.index(finding.verdict))):
        n = f", n\u00a0=\u00a0{finding.n}" if finding.n else ""  # kept together on a phone
        because = MINUS.sub("−", finding.because.replace(" - ", "\u00a0−\u00a0"))
        text += f"\n- **{finding.verdict}** · {', '.join(lines[finding])}{n} · {because}"
    return text


def summary(judged: Sequence[Judged]) -> str:
    """Return the count of verdicts in a sentence or two.

    Examples
    --------
    >>> summary(ledger({}))[:63]
    '16 sentences of the survey, judged in up to 5 arms each: of 53 '
    """
    counts = Counter(each.finding.verdict for each in judged)
    per_claim = Counter(each.claim for each in judged)
    said = ", ".join(f"{counts[verdict]} say **{verdict}**" for verdict in VERDICTS if counts[verdict])
    empty = [arm.title for name, arm in ARMS.items() if not any(_has_runs(each, name) for each in judged)]
    text = (
        f"{len(per_claim)} sentences of the survey, judged in up to {max(per_claim.values())} arms each: of "
        f"{len(judged)} findings {said}."
    )
    settled = [each for each in judged if each.finding.verdict in (SEEN, NOT_SEEN)]
    ours = {each.claim for each in settled if ARMS[each.arm].study}
    text += f" Some arm settles {len({each.claim for each in settled})} of the {len(per_claim)} sentences, "
    text += f"and runs of ours {len(ours)}."
    if any(ARMS[each.arm].study is None for each in settled):
        text += " In the published logs the survey is held against its own evidence: no new run agrees there."
    return text + (f" Not recorded yet: {', '.join(empty)}." if empty else "")


def words_table() -> str:
    """Return the verdicts, and the survey's words as numbers, as a Markdown table.

    Examples
    --------
    >>> print(words_table().splitlines()[2])
    | **seen again** | in this arm, the words hold by the rules below |
    """
    rows = [f"| **{verdict}** | {means} |" for verdict, means in VERDICTS.items()]
    rows += [f"| **{word}** | {means}. *Why: {why}.* |" for word, (means, why) in WORDS.items()]
    return "\n".join(["| word | what it means here |", "| --- | --- |", *rows])


@styled
def plot_ledger(judged: Sequence[Judged]) -> Figure:
    """Draw the findings, a row a sentence and a column an arm; nothing stands where an arm may not judge.

    Examples
    --------
    >>> figure = plot_ledger(ledger({}))
    >>> len(figure.axes[0].get_yticklabels()), len(figure.axes[0].get_xticklabels())
    (16, 6)
    """
    claims, arms = list(CLAIMS.values()), list(ARMS)
    figure, (axes,) = stacked([0.21 * len(claims)])
    for mark, (marker, size, color, filled) in MARKS.items():
        at = [
            (arms.index(each.arm), _number(CLAIMS[each.claim]) - 1) for each in judged if _mark(each) == mark
        ]
        how = {"color": color, "markerfacecolor": color if filled else "none", "markeredgewidth": 1.6}
        axes.plot(*zip(*at, strict=True) if at else ((), ()), marker, markersize=size, label=mark, **how)
    axes.set_yticks(range(len(claims)), [f"{_number(claim)} {claim.short}" for claim in claims])
    axes.set_xticks(range(len(arms)), [ARMS[name].title for name in arms], rotation=45, ha="left")
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_ylim(len(claims) - 0.5, -0.5)
    axes.set_xlim(-0.5, len(arms) - 0.5)
    for side in axes.spines.values():
        side.set_visible(False)
    names = max(tick.get_window_extent().width for tick in axes.get_yticklabels()) / figure.dpi
    heads = max(tick.get_window_extent().height for tick in axes.get_xticklabels()) / figure.dpi
    height = 0.21 * len(claims) + heads + 0.7
    figure.set_size_inches(WIDTH, height)
    figure.subplots_adjust(
        left=(names + 0.12) / WIDTH,
        right=1 - 0.45 / WIDTH,
        top=1 - (heads + 0.1) / height,
        bottom=0.55 / height,
    )
    figure.legend(loc="lower center", ncols=2, frameon=False, handletextpad=0.2, columnspacing=1.2)
    return figure


def _number(claim: Claim) -> int:
    return list(CLAIMS).index(claim.name) + 1


def _mark(judged: Judged) -> str:
    finding = judged.finding
    return finding.verdict if finding.n or finding.verdict != CANNOT_BE_TOLD else NO_RUN_YET


def _has_runs(judged: Judged, arm: str) -> bool:
    return judged.arm == arm and judged.finding.n > 0

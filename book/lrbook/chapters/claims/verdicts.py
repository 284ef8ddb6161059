"""The sentences of `lrbook.chapters.claims.sentences` judged on what is recorded, and the page's texts on it.

Verdicts, numbers and the sentences around them are made here from the findings, so that a page cannot say
anything else.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lrbook.chapters.claims.definitions import NOT_SEEN, SEEN, VERDICTS, WORDS, Finding
from lrbook.chapters.claims.sentences import CLAIMS, Claim
from lrlib._checks import no_such
from lrlib.runs.experiments import EXPERIMENTS
from lrlib.runs.published import SourceRow, Table, published
from lrlib.runs.store import load_runs, preferred_study

if TYPE_CHECKING:
    from lrlib.runs.record import Run

__all__ = ["Judged", "card", "evidence", "judge", "ledger", "number_of", "summary", "words_table"]

MINUS = re.compile(r"(?<!\w)-(?=\d)")


class Judged(NamedTuple):
    """The finding on one sentence in one experiment, by their names in `CLAIMS` and `EXPERIMENTS`.

    Examples
    --------
    >>> Judged("time", "laptop", Finding(0, "cannot be told", "no run yet")).claim
    'time'
    """

    claim: str
    experiment: str
    finding: Finding


def evidence() -> dict[str, Sequence[Run] | Table[SourceRow]]:
    """Return the evidence of each experiment: the records that come with the package, and the printed logs.

    Examples
    --------
    >>> list(evidence()) == list(EXPERIMENTS)
    True
    """
    found: dict[str, Sequence[Run] | Table[SourceRow]] = {}
    for name, each in EXPERIMENTS.items():
        # Print has the last lines of the source's logs; all else is recorded.
        recorded = load_runs(*map(preferred_study, each.studies), missing_ok=True)
        found[name] = recorded if each.studies else published().source
    return found


def judge(name: str, runs: Sequence[Run] | Table[SourceRow]) -> Finding:
    """Return the finding on one sentence from some runs of one experiment, such as those just trained.

    Parameters
    ----------
    name : str
        A key of `CLAIMS`.
    runs : sequence of Run
        Alike in all but schedule and seed. Or the source's printed table.

    Examples
    --------
    >>> judge("time", load_runs("pilot-laptop"))[:2]
    (0, 'cannot be told')
    """
    if name not in CLAIMS:
        raise ValueError(no_such("claim", name, CLAIMS))
    return CLAIMS[name].rule(runs if isinstance(runs, Table) else list(runs))


def ledger(given: Mapping[str, Sequence[Run] | Table[SourceRow]] | None = None) -> list[Judged]:
    """Return the findings on every sentence in each of its experiments.

    Parameters
    ----------
    given : mapping, experiment -> runs or printed table; or None
        None takes `evidence`. An experiment that is left out has no runs.

    Examples
    --------
    >>> {judged.finding.verdict for judged in ledger({})}
    {'cannot be told'}
    """
    given = evidence() if given is None else given
    for name in given:
        if name not in EXPERIMENTS:
            raise ValueError(no_such("experiment", name, EXPERIMENTS))
    return [
        Judged(claim.name, name, judge(claim.name, given.get(name, [])))
        for claim in CLAIMS.values()
        for name in claim.experiments
    ]


def card(name: str, judged: Iterable[Judged]) -> str:
    """Return one sentence with its place and findings as Markdown; equal findings share a line.

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
            lines.setdefault(each.finding, []).append(EXPERIMENTS[each.experiment].title)
    text = f"**{number_of(claim)}.** “{claim.quote}” ({claim.place}; [chapter]({claim.chapter}.ipynb))\n"
    for finding in sorted(lines, key=lambda finding: (finding.n == 0, order.index(finding.verdict))):
        n = f", n\u00a0=\u00a0{finding.n}" if finding.n else ""  # kept together on a phone
        because = MINUS.sub("−", finding.because.replace(" - ", "\u00a0−\u00a0"))
        text += f"\n- **{finding.verdict}** · {', '.join(lines[finding])}{n} · {because}"
    return text


def summary(judged: Sequence[Judged]) -> str:
    """Return a few sentences that count the verdicts.

    Examples
    --------
    >>> summary(ledger({}))[:69]
    '16 sentences of the survey, judged in up to 5 experiments each: of 53'
    """
    counts = Counter(each.finding.verdict for each in judged)
    per_claim = Counter(each.claim for each in judged)
    parts = ", ".join(f"{counts[verdict]} say **{verdict}**" for verdict in VERDICTS if counts[verdict])
    empty = [
        experiment.title
        for name, experiment in EXPERIMENTS.items()
        if not any(_has_runs(each, name) for each in judged)
    ]
    text = (
        f"{len(per_claim)} sentences of the survey, judged in up to {max(per_claim.values())} experiments "
        f"each: of {len(judged)} findings {parts}."
    )
    settled = [each for each in judged if each.finding.verdict in (SEEN, NOT_SEEN)]
    ours = {each.claim for each in settled if EXPERIMENTS[each.experiment].studies}
    text += f" Some experiment settles {len({each.claim for each in settled})} of the {len(per_claim)} "
    text += f"sentences, and runs of ours {len(ours)}."
    if any(not EXPERIMENTS[each.experiment].studies for each in settled):
        text += " In the published logs the survey is held against its own evidence: no new run agrees there."
    return text + (f" Not recorded yet: {', '.join(empty)}." if empty else "")


def words_table() -> str:
    """Return the verdicts, and the survey's words as numbers, as a Markdown table.

    Examples
    --------
    >>> print(words_table().splitlines()[2])
    | **seen again** | in this experiment, the words hold by the rules below |
    """
    rows = [f"| **{verdict}** | {means} |" for verdict, means in VERDICTS.items()]
    rows += [f"| **{word}** | {means}. *Why: {why}.* |" for word, (means, why) in WORDS.items()]
    return "\n".join(["| word | what it means here |", "| --- | --- |", *rows])


def number_of(claim: Claim) -> int:
    """Return the number of a sentence on the page, from 1.

    >>> number_of(CLAIMS["time"])
    3
    """
    return list(CLAIMS).index(claim.name) + 1


def _has_runs(judged: Judged, experiment: str) -> bool:
    return judged.experiment == experiment and judged.finding.n > 0

"""What each chapter promises ("You will be able to"), and the exercises that ask for it.

An outcome without an exercise has an empty tuple: it is read about or seen, and not asked. The promises are
those of the chapters, word by word; a test compares them.
"""

from __future__ import annotations

from typing import get_args

from lrbook.exercises.catalogue import exercises, get, open_exercises
from lrbook.exercises.open_questions import OpenExercise
from lrbook.exercises.task import Exercise, Level

__all__ = ["OUTCOMES", "levels_text", "outcomes_table"]

#: Chapter -> its outcomes, each with the names of its exercises, which may be another chapter's.
OUTCOMES: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "introduction": (
        ("say what the learning rate does in one update", ()),
        ("compute the rate above which training flies apart, the *edge of stability*", ("edge",)),
        (
            "explain why the best fixed rate lies well below that edge, and find it with a grid search",
            ("grid_search",),
        ),
        ("say what momentum does to a rate", ("momentum",)),
        ("recognize rates that are too small, good and too large in a real training", ()),
    ),
    "constant": (
        (
            "compute where training at a fixed rate stops: the *noise floor*",
            ("floor_ratio", "noise_floor", "stuck"),
        ),
        ("write a training loop in PyTorch, and name the line that a schedule decides", ()),
        ("tell a rate that is too low from one that is too high", ("four_curves",)),
        ("say what a single run can tell you, and what not", ("one_run",)),
    ),
    "time_based": (
        ("write time-based decay, and name it in the frameworks", ("time_decay",)),
        (
            "say what $t$ counts, and compute where the rate ends: "
            "per update, per epoch, at another batch size",
            ("torch_unit", "time_end", "time_end_epoch", "batch_size"),
        ),
        ("recognize a loop that decays a rate which has been decayed already", ("compounding",)),
        ("say why a lower training loss need not mean a better network", ("loss_and_accuracy",)),
    ),
    "drop_based": (
        ("say what a drop does at once, and what it costs later", ("largest_fall",)),
        (
            "write the schedule, and name it in four frameworks without an off-by-one",
            ("drop", "drop_end", "misprint"),
        ),
        ("find the drop in a training curve, and check that it was the cause", ("four_curves",)),
        ("say when a staircase is a bad choice", ()),
    ),
    "linear": (
        (
            "write linear decay, and say which rate the *last* update gets",
            ("linear", "linear_last", "torch_order"),
        ),
        (
            "name its second number, the **horizon**, and say what goes wrong when a run stops before it",
            ("micro_batches", "killed", "torch_resume"),
        ),
        ("name the schedule in five frameworks, and avoid their defaults", ()),
        ("say why two schedules must be compared at the end of their plans", ()),
    ),
    "polynomial": (
        ("write polynomial decay, and find linear decay in it", ("polynomial",)),
        (
            "read the area under a schedule as its reach, the distance that it can cover",
            ("area", "area_power"),
        ),
        ("say what the area decides, and what it leaves open", ()),
        ("tell a run that has converged from one that has merely run out of rate", ("plateau",)),
    ),
    "analysis": (
        ("read a table of results column by column: which loss, which images, how many runs", ()),
        ("say how far luck alone can reorder schedules that are shown by one run each", ("luck",)),
        (
            "state a difference with its interval, and decide by rules that were fixed beforehand",
            ("seeds_needed", "margin"),
        ),
        (
            "explain why one fixed peak rate is not a fair race, and choose a rate without fooling yourself",
            ("best_epoch",),
        ),
    ),
    "triangle": (
        ("write a triangle without a jump at its peak, and name it in the frameworks", ("triangle", "bert")),
        (
            "say what a warm-up costs, and why it is useless in a valley of fixed shape",
            ("warmup_area",),
        ),
        ("explain how a slow climb can raise the highest peak that a network tolerates", ()),
        ('tell "warm-up helps" from "warm-up allows a higher rate"', ()),
    ),
    "cosine": (
        (
            "write cosine annealing for one cycle and for several, with whole numbers of updates",
            ("cosine", "cosine_part", "torch_t_max"),
        ),
        ("say what restarts buy, and what they cost at the end of the run", ("five_valleys",)),
        ("find out what a lost ceiling bracket does to the last epochs", ("restart_epoch",)),
        (
            "read the curve of a run with restarts without being fooled by the moment at which it stops",
            ("wrong_moment",),
        ),
    ),
    "factors": (
        (
            "name five things that decide what a schedule is worth, and what each changes in "
            "the noisy valley",
            ("same_updates",),
        ),
        ("read a comparison over levels: seeds, means, differences taken seed by seed", ("paired",)),
        ("tell a comparison that changes one thing from one that changes two", ("two_things",)),
        ("change one factor yourself, and lay your run over ours", ("twenty_runs",)),
    ),
    "table_source": (
        ("say what stands in the survey's table, and how sure it is", ("luck",)),
        (
            "find out which column a printed number was copied from, and what is in it",
            ("one_digit", "without_penalty"),
        ),
        ("compute the sampling error of an accuracy, and of a difference of two", ("luck",)),
        ("check the name of a network by its number of parameters", ("count_layer",)),
    ),
    "claims": (
        (
            'turn a sentence such as "the loss decreases smoothly" into a rule that a computer can apply',
            ("jag",),
        ),
        ("say which sentences one run can bear out, and which need many seeds", ("agree",)),
        ("tell a sentence that fails from one that nobody has tested enough", ("similar",)),
        ("judge a curve of your own by the same rules", ()),
    ),
    "fair_race": (
        ("choose a peak rate by a rule that was written down, ties and edges included", ("own_rate",)),
        ("say what a fair comparison costs, and which images it may look at when", ("price",)),
        ("tell a gap between schedules from a gap between rates, or from luck", ("lucky_cell",)),
        ("read a verdict over many comparisons", ()),
    ),
    "snapshots": (
        (
            "keep the networks at the ends of a schedule's cycles, and average what they answer",
            ("mean_answer",),
        ),
        ("say how much there is to gain, from how often two networks differ", ("best_of_two",)),
        ("average weights, and mend the statistics that the mean needs", ("stale_statistics",)),
        ("say when several networks are worth their price", ()),
    ),
    "audit": (
        ("record in three lines which rate a loop of your own applies, and set it beside the plan", ()),
        ("tell the fault of a loop from its rates", ("second_drop", "fast_clock", "tenth")),
        ("say what a log of `get_last_lr()` shows, and which faults it hides", ()),
    ),
}

#: Part of the book in which a chapter stands, where it is not the survey.
FOLDER = {"audit": "beyond", "fair_race": "beyond", "snapshots": "beyond"}


def _named(exercise: Exercise | OpenExercise, chapter: str) -> str:
    where = "" if exercise.chapter == chapter else f", in {exercise.chapter}"
    return f"{exercise.title} ({exercise.level}{where})"


def outcomes_table() -> str:
    """Return the outcomes of all chapters with their exercises as one Markdown table.

    Examples
    --------
    >>> print(outcomes_table().splitlines()[5])
    | | say what momentum does to a rate | Same rate, other result (medium) |
    """
    questions = {question.name: question for question in open_exercises()}
    lines = ["| chapter | outcome | exercise |", "| --- | --- | --- |"]
    for chapter, outcomes in OUTCOMES.items():
        for place, (outcome, names) in enumerate(outcomes):
            asked = [questions.get(name) or get(name) for name in names]
            cell = "; ".join(_named(exercise, chapter) for exercise in asked) or "*none*"
            head = "" if place else f"[{chapter}](../{FOLDER.get(chapter, 'survey')}/{chapter}.ipynb)"
            lines.append(f"| {head} | {outcome} | {cell} |".replace("|  |", "| |"))
    return "\n".join(lines)


def levels_text() -> str:
    """Return one sentence on how many exercises there are of each level, and how many outcomes have none.

    Examples
    --------
    >>> levels_text().split(":")[0].endswith(" exercises")
    True
    """
    levels = [exercise.level for exercise in (*exercises(), *open_exercises())]
    counts = ", ".join(f"{levels.count(level)} {level}" for level in get_args(Level))
    asked = [bool(names) for outcomes in OUTCOMES.values() for _, names in outcomes]
    return (
        f"There are {len(levels)} exercises: {counts}. Of {len(asked)} outcomes {asked.count(True)} have an "
        f"exercise, and {asked.count(False)} have none."
    )

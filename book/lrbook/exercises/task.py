"""What an exercise is made of: drawn numbers, a prompt, typical mistakes, a judge, and its verdict.

A judge turns an answer into what can be seen of it: a number, or a function's values at its probes. The
typical wrong answers are run and seen in the same way, so that a hint names the mistake whose values the
answer has.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import math
import numbers
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from hashlib import sha256
from types import CodeType
from typing import Any, Literal, Protocol, TypeVar

from lrlib._checks import check_int

Kind = Literal["predict", "code", "diagnosis"]
Level = Literal["easy", "medium", "hard"]
Seen = tuple[float, ...]
Item = TypeVar("Item")
LETTERS = "abcdef"
#: Longest line of code in a chapter, as book/survey/ruff.toml has it.
WIDTH = 72


@dataclass(frozen=True, repr=False)
class Verdict:
    """What a checker says: right or not, and a hint about this answer. It is true where the answer is right.

    `unchanged` marks the starter code as it was given: it gets no hint, as a hint would be about the
    exercise's own code, which is wrong on purpose.

    >>> Verdict(False, "that is the factor, not the rate.")
    Not yet: that is the factor, not the rate.
    >>> bool(Verdict(True, "the rate ends at a fortieth."))
    True
    """

    right: bool
    hint: str
    unchanged: bool = False

    @property
    def word(self) -> str:
        """The verdict in a word: "Right", "Not yet" or "Unchanged"."""
        return "Unchanged" if self.unchanged else "Right" if self.right else "Not yet"

    def __bool__(self) -> bool:
        return self.right

    def __repr__(self) -> str:
        return f"{self.word}: {self.hint}"

    def _repr_markdown_(self) -> str:
        return f"**{self.word}:** {self.hint}"


class Refused(Exception):
    """An answer that cannot be judged; its text is the hint."""


@dataclass(frozen=True)
class Mistake:
    """A typical wrong answer, as code that binds the answer's name, and the hint that it must get."""

    code: str
    hint: str


class Judge(Protocol):
    """Sees an answer, and says what it makes of it."""

    def ask(self, answer: str) -> str:
        """Return the sentence that says what is to be handed in, and how close counts."""

    def see(self, answer: Any) -> Seen:
        """Return what can be seen of an answer, or raise Refused."""

    def right(self, seen: Seen) -> bool: ...

    def apart(self, seen: Seen, wrong: Seen) -> float:
        """Return how far an answer is from a mistake: inf if it is another one."""

    def describe(self, seen: Seen) -> str:
        """Return the hint for a wrong answer that is none of the typical ones."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure that an exercise is about: the cell that draws it, what is seen in words, and its caption."""

    code: str
    alt: str
    caption: str


@dataclass(frozen=True, kw_only=True)
class Task:
    """One variant of an exercise: its texts with the numbers filled in.

    `answer` is the name that starter, solution and mistakes bind, and that is handed to the checker.
    """

    answer: str
    prompt: str
    starter: str
    solution: str
    reveal: str
    mistakes: Sequence[Mistake]
    judge: Judge
    picture: Picture | None = None

    def __post_init__(self) -> None:
        for name in ("prompt", "starter", "solution"):
            object.__setattr__(self, name, inspect.cleandoc(getattr(self, name)))
        object.__setattr__(self, "reveal", " ".join(self.reveal.split()))

    @property
    def asked(self) -> str:
        """The sentence that says what is to be handed in."""
        return self.judge.ask(self.answer)

    def run(self, code: str) -> Any:
        """Run code of this task's own and return what it binds to the answer's name."""
        space: dict[str, Any] = {"__name__": "exercise"}
        exec(compile(code, "<exercise>", "exec"), space)  # noqa: S102  code of this package
        return space[self.answer]

    @cached_property
    def seen_mistakes(self) -> list[tuple[Seen, str]]:
        seen = []
        for mistake in self.mistakes:
            try:
                seen.append((self.judge.see(self.run(mistake.code)), mistake.hint))
            except Refused:  # the judge has its own sentence for this one
                continue
        return seen

    def is_starter(self, answer: Any) -> bool:
        """Return whether an answer is that of the starter code: no answer, or a function with its code."""
        code = _code(answer)
        return answer is None or answer is ... or (code is not None and code in self._starter_codes)

    @cached_property
    def _starter_codes(self) -> list[tuple | None]:
        # IPython compiles a cell statement by statement, and Python makes other code of a call of an imported
        # module's function where it does not see the import.
        space: dict[str, Any] = {}
        for statement in ast.parse(self.starter).body:
            exec(compile(ast.Module([statement], []), "<exercise>", "exec"), space)  # noqa: S102  as above
        return [_code(self.run(self.starter)), _code(space[self.answer])]

    def check(self, answer: Any) -> Verdict:
        """Judge one answer."""
        if self.is_starter(answer):
            return Verdict(False, f"`{self.answer}` is still that of the starter code.", unchanged=True)
        try:
            seen = self.judge.see(answer)
        except Refused as refused:
            return Verdict(False, str(refused))
        if self.judge.right(seen):
            return Verdict(True, self.reveal)
        near = [(self.judge.apart(seen, wrong), hint) for wrong, hint in self.seen_mistakes]
        distance, hint = min(near, key=lambda pair: pair[0], default=(math.inf, ""))
        return Verdict(False, hint if distance < math.inf else self.judge.describe(seen))


def _code(answer: Any) -> tuple | None:
    """Return the code of a function apart from its place in a file; None for anything else."""
    code = answer if isinstance(answer, CodeType) else getattr(answer, "__code__", None)
    if not isinstance(code, CodeType):
        return None
    inner = tuple(_code(const) if isinstance(const, CodeType) else const for const in code.co_consts)
    return code.co_code, inner, code.co_names, code.co_varnames


class Draw:
    """The numbers of one variant: seed 0 has the public ones, any other seed draws from the others.

    An exercise that goes on with the numbers of an earlier one draws them `like` that one.
    """

    def __init__(self, name: str, seed: int) -> None:
        self.name, self.seed, self.used = name, seed, False

    def key(self, what: str, *, like: str = "") -> int:
        """Return a large number that depends on exercise, seed and `what` alone, for ever."""
        return int.from_bytes(sha256(f"{like or self.name}/{self.seed}/{what}".encode()).digest()[:6])

    def __call__(self, what: str, public: Item, others: Sequence[Item], *, like: str = "") -> Item:
        if public in others:
            raise ValueError(f"others must not hold the public value {public!r} of {self.name}/{what}")
        self.used = True
        return public if self.seed == 0 else others[self.key(what, like=like) % len(others)]


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """An exercise of a chapter; `variant` makes its task for a seed.

    Attributes
    ----------
    name, chapter, title : str
    kind : "predict", "code" or "diagnosis"
    level : "easy", "medium" or "hard"
        Easy: one formula of the chapter, with numbers put in. Medium: several steps, or a fault to find.
        Hard: a search, a simulation or an idea of one's own.
    varies : bool
        True if its numbers (or the order of its options) depend on the seed.

    Examples
    --------
    >>> from lrbook.exercises import get
    >>> exercise = get("edge")
    >>> exercise
    Exercise(name='edge', chapter='introduction', kind='predict', level='easy', title='Where the edge is')
    >>> exercise.variant(seed=0).solution
    'my_edge = 2 / 4'
    """

    name: str
    chapter: str
    kind: Kind
    level: Level
    title: str
    build: Callable[[Draw], Task] = field(repr=False)

    def variant(self, seed: int = 0) -> Task:
        """Return the variant of a seed, an integer >= 0; seed 0 has the book's numbers."""
        return _task(self, check_int("seed", seed, least=0))

    @property
    def varies(self) -> bool:
        draw = Draw(self.name, 0)
        self.build(draw)
        return draw.used

    def check(self, answer: Any, *, seed: int = 0) -> Verdict:
        """Judge an answer to the variant of a seed."""
        return self.variant(seed).check(answer)


@cache
def _task(exercise: Exercise, seed: int) -> Task:
    return exercise.build(Draw(exercise.name, seed))


def exercise(
    *, chapter: str, kind: Kind, level: Level, title: str
) -> Callable[[Callable[[Draw], Task]], Exercise]:
    """Make an exercise of the function that builds its tasks, under that function's name."""

    def made(build: Callable[[Draw], Task]) -> Exercise:
        return Exercise(
            name=build.__name__, chapter=chapter, kind=kind, level=level, title=title, build=build
        )

    return made


def number(value: Any, *, what: str = "a number is wanted") -> float:
    """Return one real number as a float, or refuse in a sentence."""
    if isinstance(value, str):
        raise Refused(f"{what}, got the text {shown(value)}{_instead(value)}.")
    if hasattr(value, "item"):  # one value in an array or a tensor
        with contextlib.suppress(Exception):  # whatever it is, it is no number
            value = value.item()
    if isinstance(value, tuple) and len(value) == 2 and all(type(part) is int for part in value):
        # 0,5 is two numbers to Python, and what its author's keyboard has for a decimal point.
        point = f"{value[0]}.{value[1]}"
        raise Refused(f"{what}, got two, {shown(value)}: write {point}, with a point.")
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise Refused(f"{what}, got {shown(value)} ({type(value).__name__}).")
    try:
        return float(value)
    except OverflowError:
        raise Refused(f"{what}, got {shown(value)}, which is too large for one.") from None


def _instead(text: str) -> str:
    """Return what to write instead of a text that is meant as a number, or nothing."""
    # A minus and spaces as word processors set them.
    plain = text.strip().replace("\N{MINUS SIGN}", "-").replace("\N{NO-BREAK SPACE}", "").replace(" ", "")
    if re.fullmatch(r"[-+]?[0-9]*,[0-9]+(e[-+]?[0-9]+)?", plain, re.IGNORECASE):
        return f": write {plain.replace(',', '.')}, with a point and without the quotes"
    if re.fullmatch(r"[-+]?[0-9]*[.,]?[0-9]+%", plain):
        return f": write {plain[:-1].replace(',', '.')} / 100, without the quotes"
    if re.fullmatch(r"[-+*/().0-9e]+", plain, re.IGNORECASE) and re.search("[0-9]", plain):
        return ": leave out the quotes" if plain == text.strip() else f": write {plain}, without the quotes"
    return ""


def shown(value: Any) -> str:
    """Return a value in at most 40 characters, whatever its own repr does."""
    try:
        text = " ".join(repr(value).split())
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= 40 else text[:37] + "..."


def given(call: str, error: BaseException) -> Refused:
    """Return the refusal of a function that raised."""
    text = " ".join(str(error).split()).rstrip(".")
    return Refused(f"{call} raised {type(error).__name__}{': ' if text else ''}{text}.")

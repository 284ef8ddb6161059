"""The teacher's pack: slides from chapters, notebooks from one source, handout, zip, and pages."""

from __future__ import annotations

import ast
import base64
import os
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from bs4 import BeautifulSoup

from lrbook import exercises
from lrlib import Valley, preset
from tools.exercises import is_exercise
from tools.teach import chapters, exit_question, handout, moodle, offline, render, sets, slides

ROOT = Path(__file__).parents[2]

NAMES = chapters.chapters()
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><rect width="40" height="20"/></svg>'
ALT = {"tags": ["figure"], "mystnb": {"image": {"alt": "A dark rectangle, twice as wide as it is high."}}}


def drawn(chapter):
    """A chapter with a picture for every figure, as if it had been run."""
    for cell in chapter.cells:
        if "figure" in cell.metadata.get("tags", []):
            cell.outputs = [nbformat.v4.new_output("display_data", data={"image/svg+xml": SVG})]
    return chapter


def text_of(fragments):
    return " ".join(BeautifulSoup("".join(fragments), "html.parser").get_text(" ").split())


# Slides


def chapter_of(*cells):
    return nbformat.v4.new_notebook(cells=list(cells))


def md(source):
    return nbformat.v4.new_markdown_cell(source)


def test_what_stands_on_slides_and_what_in_notes():
    said = nbformat.v4.new_code_cell("Markdown(...)", metadata={"tags": ["hide-input"]})
    said.outputs = [nbformat.v4.new_output("execute_result", data={"text/markdown": "It ended at **0.5**."})]
    figure = nbformat.v4.new_code_cell("plot()", metadata=ALT)
    figure.outputs = [nbformat.v4.new_output("display_data", data={"image/svg+xml": SVG})]
    exercise = {"tags": ["exercise"]}
    deck = slides.slides(
        chapter_of(
            md(
                "# A chapter\n\n[![Colab](https://a.b/c.svg)](https://d)\n\n5 minutes to read\n\n"
                "**You will be able to**\n\n- see;\n- say."
            ),
            md("## The idea\n\nThe rate falls. It falls slowly:\n\n$$a = b$$\n\nSee [it](b.ipynb) now."),
            md("**Predict first.** Which?\n\n<details>\n<summary>Think</summary>\n\nThis one.\n\n</details>"),
            figure,
            md("**Figure 1.1.** *A rectangle.*\n\nA word more."),
            said,
            nbformat.v4.new_markdown_cell("## Exercises\n\nTry.", metadata=exercise),
            nbformat.v4.new_code_cell("secret = 1", metadata=exercise),
            md("> **Beside the survey.** It was right. So were we."),
            md("## Remember\n\n- One thing."),
        )
    )
    assert [(slide.kind, slide.heading) for slide in deck] == [
        ("title", "A chapter"),
        ("text", "The idea"),
        ("question", "Predict first"),
        ("figure", "The idea"),
        ("aside", "Beside the survey"),
        ("text", "Remember"),
    ]
    title, idea, question, picture, aside, remember = deck
    assert text_of(title.shown) == "see; say."
    assert text_of(title.notes) == "5 minutes to read You will be able to"
    assert "<img" not in "".join(title.notes), "a badge would be loaded from another host"
    assert text_of(idea.shown) == r"The rate falls. It falls slowly: \[a = b\]"
    assert "See it now." in text_of(idea.notes)
    assert "b.ipynb" not in "".join(idea.notes)
    assert (text_of(question.shown), text_of(question.steps)) == ("Which?", "This one.")
    image, caption = picture.shown
    assert base64.b64decode(re.search(r"base64,([^\"]+)", image)[1]).decode() == SVG
    assert 'alt="A dark rectangle, twice as wide as it is high."' in image
    assert text_of([caption]) == "Figure 1.1. A rectangle."
    assert (text_of(picture.steps), text_of(picture.notes)) == ("It ended at 0.5 .", "A word more.")
    assert text_of(aside.shown) == "It was right. So were we."
    assert text_of(remember.shown) == "One thing."


def test_tables_have_their_own_slides_and_origins_are_notes():
    said = nbformat.v4.new_code_cell("HTML(...)")
    html = "<div><table><tr><td>one</td></tr></table><table><tr><td>two</td></tr></table></div>"
    text = "It won.\n\n- a\n- *recorded on a day*\n\n*Study x: 3 runs.*"
    said.outputs = [nbformat.v4.new_output("display_data", data={"text/html": html})]
    said.outputs += [nbformat.v4.new_output("display_data", data={"text/markdown": text})]
    deck = slides.slides(
        chapter_of(md("# A\n\n- b"), md("## B\n\nSee this."), said, md("**Table 1.1.** *C.*"))
    )
    assert [(slide.kind, slide.heading) for slide in deck] == [
        ("title", "A"),
        ("text", "B"),
        ("table", "B"),
        ("table", "B"),
    ]
    _, text, first, second = deck
    assert text_of(text.steps) == "It won. a"
    assert text_of(text.notes) == "See this. recorded on a day Study x: 3 runs."
    assert (text_of(first.shown), text_of(second.shown)) == ("one", "two Table 1.1. C.")


def test_a_section_of_data_alone_is_shown_at_once_and_an_empty_one_is_no_slide():
    said = nbformat.v4.new_code_cell("Markdown(...)")
    said.outputs = [nbformat.v4.new_output("execute_result", data={"text/markdown": "It won."})]
    deck = slides.slides(chapter_of(md("# A\n\n- b"), md("## B"), said, md("## C"), md("## D\n\nAnd so on.")))
    assert [slide.heading for slide in deck] == ["A", "B", "D"]
    assert (text_of(deck[1].shown), deck[1].steps) == ("It won.", [])


def test_a_figure_that_was_not_drawn_stops_the_deck():
    with pytest.raises(ValueError, match="a figure without a picture: 'plot"):
        slides.slides(chapter_of(md("# A"), nbformat.v4.new_code_cell("plot()", metadata=ALT)))


def test_a_figure_whose_runs_are_not_recorded_says_so():
    cell = nbformat.v4.new_code_cell("plot()", metadata=ALT)
    cell.outputs = [nbformat.v4.new_output("execute_result", data={"text/markdown": "*Not recorded yet.*"})]
    _, slide = slides.slides(chapter_of(md("# A"), cell, md("**Figure 1.1.** *A.*")))
    assert (slide.kind, text_of(slide.shown), slide.steps) == (
        "figure",
        "Not recorded yet. Figure 1.1. A.",
        [],
    )


def test_folded_goals_stand_under_the_title():
    summary = "What you need, and what you will be able to do"
    folded = f"<details>\n<summary>{summary}</summary>\n\n1. say it\n\n</details>"
    title, slide = slides.slides(chapter_of(md("# A\n\n5 min"), md("## B\n\nText."), md(folded)))
    assert text_of(title.shown) == "say it"
    assert slide.steps == []


def test_a_sentence_about_the_surveys_figure_is_not_put_next_to_ours():
    figure = nbformat.v4.new_code_cell("plot()", metadata=ALT)
    figure.outputs = [nbformat.v4.new_output("display_data", data={"image/svg+xml": SVG})]
    said = "The survey's figure 1.2 shows its network at rate 0.1. Ours is smaller."
    caption = "**Figure 1.2.** *Our runs (survey: figure 1.2).*"
    _, slide = slides.slides(chapter_of(md("# A"), md(f"## Measured\n\n{said}"), figure, md(caption)))
    assert slide.kind == "figure"
    assert text_of(slide.shown) == "Figure 1.2. Our runs (our own; compare the survey's figure 1.2)."
    assert text_of(slide.notes) == said
    table = md("| a |\n| - |\n| b |")
    _, slide, _ = slides.slides(
        chapter_of(md("# A"), md(f"## Read\n\n{said}"), table, md("## Remember\n\nIt."))
    )
    assert text_of(slide.shown).startswith("The survey's figure 1.2"), "next to no figure it may stand"


def test_every_slide_names_the_licences(deck):
    (line,) = deck[1].select("body > .licence")
    assert line.text == "Big Steps, Small Steps. Text and figures: CC BY 4.0. Code: MIT."
    style = deck[1].find("style").text
    assert "html.deck .licence { position: fixed;" in style  # on the screen
    assert f'html.deck .slide::after {{ content: "{line.text}";' in style  # and on paper


def test_no_figures_slide_opens_with_the_survey(deck):
    parts, _ = deck
    for name, part in parts:
        for slide in part:
            if slide.kind == "figure":
                leads = [text for text in slide.shown if text.startswith(slides.LEAD)]
                assert "survey" not in text_of(leads), name


@pytest.fixture(scope="module")
def deck():
    parts = [(Path(name).stem, slides.slides(drawn(chapters.source(name)))) for name in NAMES]
    return parts, BeautifulSoup(slides.deck(parts, title="Big Steps"), "html.parser")


def test_every_chapter_has_its_slides(deck):
    parts, page = deck
    assert [anchor for anchor, _ in parts] == [Path(name).stem for name in NAMES]
    for name, (anchor, part) in zip(NAMES, parts, strict=True):
        cells = chapters.source(name).cells
        # The exercises are no slides, and so neither are their figures.
        figures = sum("figure" in cell.metadata.get("tags", []) for cell in cells if not is_exercise(cell))
        assert sum(slide.kind == "figure" for slide in part) == figures, name
        assert part[0].kind == "title", name
        assert part[-1].heading == "Remember", name
        questions = sum(
            cell.source.count("**Predict first.**") for cell in cells if cell.cell_type == "markdown"
        )
        asked = [slide for slide in part if slide.kind == "question"]
        assert len(asked) == questions, name
        for slide in asked:  # the answer waits behind the question, or it is the next figure
            following = part[part.index(slide) + 1]
            assert slide.steps or following.kind == "figure", f"{name}: a question without an answer"
        assert page.find("section", id=anchor), name
        for slide in part:
            assert slide.shown, f"{name}: nothing on the slide {slide.heading!r}"
    anchors = [section["id"] for section in page.find_all("section")]
    assert len(anchors) == len(set(anchors))
    assert [link["href"] for link in page.select("#contents li a")] == [f"#{anchor}" for anchor, _ in parts]


def test_the_prose_of_a_chapter_is_in_slides_or_notes(deck):
    """Nothing that a chapter says is lost: each paragraph is found again."""
    parts, _ = deck
    for name, (_, part) in zip(NAMES, parts, strict=True):
        said = text_of([piece for slide in part for piece in (*slide.shown, *slide.steps, *slide.notes)])
        for cell in chapters.source(name).cells:
            if cell.cell_type != "markdown" or is_exercise(cell):
                continue
            for token, block in render.blocks(cell.source):
                if token.type == "paragraph_open" and not block.startswith("**Predict first.**"):
                    block = slides.own_caption(block) if slides.CAPTION.match(block) else block
                    words = text_of([render.markdown(block)])
                    assert words in said, f"{name}: {words[:80]}"


def loads(page):
    """What a browser would fetch to show the page."""
    found = []
    for tag in page.find_all(True):
        for name in ("src", "srcset", "poster", "data"):
            if tag.get(name) and not tag[name].startswith("data:"):
                found.append(f"{tag.name} {tag[name]}")
        if tag.name in ("link", "iframe", "object", "embed", "base"):
            found.append(str(tag))
        if tag.get("style") and "url(" in tag["style"]:
            found.append(tag["style"])
    for style in page.find_all("style"):
        found += re.findall(r"url\(\s*[\"']?(?!data:)[^)]+\)|@import[^;]+", style.text)
    return found


def test_slides_and_handout_load_nothing(deck):
    sheet = BeautifulSoup(handout.handout(exit_question.exit_question(0)), "html.parser")
    for page in (deck[1], sheet):
        assert loads(page) == []
        scripts = [script.text for script in page.find_all("script")]
        own = [script for script in scripts if len(script) < 20_000]
        assert not [line for script in own for line in re.findall(r"https?://\S+", script)]
        # MathJax is in the page, and set so that it asks for no further part of itself.
        (typesetter,) = [script for script in scripts if len(script) > 1_000_000]
        assert typesetter.startswith("/*! MathJax 3.2.2, Apache License 2.0")
        assert 'VERSION="3.2.2"' in typesetter
        assert any('"[-]": ["autoload", "require"]' in script for script in scripts)


def test_the_rule_against_loading_bites():
    html = (
        '<script src="https://x.y/z.js"></script><style>a { background: url(b.png) }</style><link href="c">'
    )
    assert len(loads(BeautifulSoup(html, "html.parser"))) == 3


def test_outputs_of_make_book_are_taken_only_for_the_same_text(tmp_path, monkeypatch):
    name = NAMES[0]
    done = drawn(chapters.source(name))
    (tmp_path / name).parent.mkdir(parents=True)
    nbformat.write(done, tmp_path / name)
    assert chapters.executed(name, ran=tmp_path).cells == done.cells
    done.cells[0].source += " And more."
    nbformat.write(done, tmp_path / name)
    ran = []

    class Client:
        def __init__(self, chapter, **_):
            self.chapter = chapter

        def execute(self):
            ran.append(self.chapter)
            return self.chapter

    monkeypatch.setattr(chapters, "NotebookClient", Client)
    assert chapters.executed(name, ran=tmp_path).cells == chapters.source(name).cells
    assert len(ran) == 1
    # older than the library and its records
    nbformat.write(drawn(chapters.source(name)), tmp_path / name)
    os.utime(tmp_path / name, (1, 1))
    assert chapters.executed(name, ran=tmp_path).cells == chapters.source(name).cells
    assert len(ran) == 2


# Notebooks for students and teachers

WITH_EXERCISES = [name for name in NAMES if Path(name).stem in exercises.CHAPTERS]


def verdicts(notebook):
    """Run the exercises of a notebook, and only these, cell by cell; return what each checker said."""
    space, said = {}, []
    for cell in notebook.cells:
        if cell.cell_type == "code" and is_exercise(cell):
            tree = ast.parse(cell.source)
            last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, "<cell>", "exec"), space)
            if last is not None:
                value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), space)
                if isinstance(value, exercises.Verdict):
                    said.append(value)
    return said


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", WITH_EXERCISES)
def test_an_empty_set_passes_nothing_and_a_filled_one_everything(name, seed):
    expected = len(exercises.exercises(Path(name).stem))
    assert expected >= 3
    empty = verdicts(sets.notebook(name, seed=seed, solutions=False))
    filled = verdicts(sets.notebook(name, seed=seed, solutions=True))
    assert (len(empty), len(filled)) == (expected, expected)
    assert not any(empty)
    assert all(filled), [verdict for verdict in filled if not verdict]


@pytest.mark.parametrize("seed", [0, 1])
def test_the_students_set_holds_no_solution(seed):
    made = sets.notebooks([*NAMES, sets.CLASS_STUDY], seed=seed, solutions=False)
    assert len(made) == len(NAMES) + 1
    for name, notebook in made.items():
        chapter = Path(name).stem
        text = "\n".join(
            cell.source for cell in notebook.cells if "exercise" in cell.metadata.get("tags", [])
        )
        assert "<summary>" not in text, name
        for exercise in exercises.exercises(chapter) if chapter in exercises.CHAPTERS else []:
            task = exercise.variant(seed)
            assert exercise.title in text
            assert task.solution not in text, exercise.name
            assert task.reveal not in text, exercise.name


def test_another_seed_has_other_numbers():
    public, other, again = (sets.notebooks(WITH_EXERCISES, seed=seed, solutions=True) for seed in (0, 1, 1))
    for name in public:
        texts = [
            "\n".join(cell.source for cell in made[name].cells if is_exercise(cell))
            for made in (public, other, again)
        ]
        assert texts[1] == texts[2]
        assert texts[0].replace(", seed=1", "") != texts[1].replace(", seed=1", ""), name
        # a chapter may train with seed 1; its checks have the seed of the set
        assert not any("seed=1" in call for call in re.findall(r"check\([^)]*\)", texts[0]))
        assert any("seed=1" in call for call in re.findall(r"check\([^)]*\)", texts[1]))
    for name in WITH_EXERCISES:
        with_public = [exercises.get(e.name) for e in exercises.exercises(Path(name).stem) if e.varies]
        assert with_public, f"{name}: no exercise varies"


def test_sets_keep_links_within_and_make_others_plain():
    made = sets.notebooks(NAMES, seed=0, solutions=False)
    linked = 0
    for name, notebook in made.items():
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                for target in re.findall(r"\]\((?!https?:|#)([^)\s]+)\)", cell.source):
                    linked += 1
                    assert os.path.normpath(Path("book", name).parent / target) in NAMES
    assert linked
    assert "[first page]" not in "".join(cell.source for cell in made["survey/linear.ipynb"].cells)


def test_sets_are_notebooks_on_the_disk(tmp_path):
    made = sets.notebooks(NAMES[:1], seed=0, solutions=True)
    (path,) = sets.write(made, tmp_path)
    assert path == tmp_path / NAMES[0].removeprefix("book/")
    nbformat.validate(nbformat.read(path, as_version=4))


# The exit question and the handout


def test_the_exit_question_has_the_surveys_numbers_and_others():
    public = exit_question.exit_question(0)
    # 39,100 updates and 100 epochs, counted from 0: the last ones are 39,099 and 99.
    assert public.per_update == pytest.approx(0.1 / (1 + 39.099), rel=1e-12)
    assert public.per_epoch == pytest.approx(0.1 / 1.099, rel=1e-12)
    assert "0.001 · 39,099) = **0.00249**" in public.answer()
    assert "0.001 · 99) = **0.091**" in public.answer()
    # The chapter's exercises have the same run.
    assert exercises.check("time_end", public.per_update)
    assert exercises.check("time_end_epoch", public.per_epoch)
    for seed in range(1, 30):
        other = exit_question.exit_question(seed)
        assert other == exit_question.exit_question(seed)
        assert other.question() != public.question()
        steps = other.epochs * other.steps_per_epoch - 1
        decay = other.initial_lr / other.epochs
        assert other.per_update == pytest.approx(other.initial_lr / (1 + decay * steps), rel=1e-12)
        assert f"{other.per_epoch:.3g}" not in other.question()
        assert f"{other.per_update:.3g}" not in other.question()
    assert len({exit_question.exit_question(seed) for seed in range(30)}) > 20


def test_the_handout_has_two_pages_and_every_place_is_filled():
    text = handout.handout(exit_question.exit_question(3))
    page = BeautifulSoup(text, "html.parser")
    assert len(page.select("section.page")) == 2
    assert not re.findall(r"<!--\w+-->", text.partition("<script>")[0] + str(page.body.main or ""))
    names = [row.find("b").text for row in page.select("table.shapes tr")[1:]]
    from lrlib.schedules import SURVEY

    assert names == list(SURVEY)
    curves = [line["points"].split() for line in page.select("table.shapes polyline")]
    assert [len(points) for points in curves] == [300] * 8
    # constant stays at the top; linear begins there and ends one 300th above the ground: 25 - 24/300 = 24.9
    assert {point.split(",")[1] for point in curves[0]} == {"1.0"}
    assert (curves[3][0], curves[3][-1]) == ("1.0,1.0", "89.0,24.9")
    # time-based decay ends as low as in the class's runs: d = 0.1/8 an update, 1,600 of them, a 21st
    assert (curves[1][0], curves[1][-1]) == ("1.0,1.0", f"89.0,{25 - 24 / 20.9:.1f}")
    config = preset("digits", recipe="time")
    assert 1 / config.schedule()(config.total_steps - 1) == pytest.approx(1 + 0.1 / 8 * 1599)
    assert "q^{" in page.select_one("table.shapes").text  # as the chapter has it
    assert "linear: best peak rate 0.85, expected loss 0.0192" in page.select_one(".valley").text


def test_without_chromium_no_pdf_is_made(tmp_path):
    (tmp_path / "a.html").write_text("<p>")
    assert handout.print_pdf(tmp_path / "a.html", tmp_path / "a.pdf", find=lambda name: None) is False
    said = handout.NO_BROWSER.format(name="lesson")
    assert said.startswith("lesson.pdf was not made")
    assert "apt install chromium" in said


def test_a_browser_that_fails_is_one_sentence(tmp_path):
    (tmp_path / "a.html").write_text("<p>")
    with pytest.raises(RuntimeError, match=r"could not print a\.html"):
        handout.print_pdf(tmp_path / "a.html", tmp_path / "a.pdf", find=lambda name: "false")


# The zip


def test_the_zip_is_the_same_whenever_it_is_built(tmp_path):
    (tmp_path / "b.txt").write_text("file")
    first = offline.write_zip({"z/b.txt": tmp_path / "b.txt", "a.txt": "text"}, tmp_path / "1.zip")
    (tmp_path / "b.txt").touch()
    second = offline.write_zip({"a.txt": "text", "z/b.txt": tmp_path / "b.txt"}, tmp_path / "2.zip")
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        assert archive.namelist() == ["a.txt", "z/b.txt"]
        assert archive.read("z/b.txt") == b"file"


def test_the_zip_has_what_a_student_needs_and_no_solution(tmp_path):
    for name in (
        "lesson.html",
        "slides.html",
        "handout.html",
        "student/survey/a.ipynb",
        "teacher/survey/a.ipynb",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    wheel, pages = tmp_path / "lrlib-9.9-py3-none-any.whl", tmp_path / "html"
    wheel.write_bytes(b"wheel")
    (pages / "book").mkdir(parents=True)
    (pages / "index.html").write_text("page")
    files = offline.contents(tmp_path, wheel, pages)
    assert sorted(files) == [
        "LICENSE",
        "LICENSE-Apache-2.0.txt",
        "LICENSE-text",
        "README.txt",
        "THIRD-PARTY.md",
        "constraints.txt",
        "handout.html",
        "lesson.html",
        "lrlib-9.9-py3-none-any.whl",
        "notebooks/survey/a.ipynb",
        "pages/index.html",
        "slides.html",
    ]
    assert files["README.txt"].count("lrlib-9.9-py3-none-any.whl") == 4


def test_dates_leave_a_pdf_without_moving_a_byte():
    pdf = b"%PDF-1.4\n/CreationDate (D:20261125125300+00'00')\n/ModDate (D:20261125125301+00'00')\n"
    done = offline.without_dates(pdf)
    assert len(done) == len(pdf)
    assert b"2026" not in done
    assert done.count(b"19800101000000") == 2


# The pages for teachers


def page(name):
    return (ROOT / "book" / "teach" / name).read_text(encoding="utf-8")


def test_the_minute_sheet_has_the_minutes():
    table = re.findall(r"^\| (\d+) \| \*\*([^*]+)\*\* \|", page("lesson.md"), re.M)
    assert [int(minute) for minute, _ in table] == [0, 15, 35, 50, 75, 85]
    sections = re.findall(r"^## (\d+): ([\w ]+) \((\d+) minutes\)$", page("lesson.md"), re.M)
    assert [(minute, title) for minute, title, _ in sections] == [(m, t.lower()) for m, t in table]
    ends = [int(minute) + int(length) for minute, _, length in sections]
    assert ends == [15, 35, 50, 75, 85, 90]


def test_five_sessions_and_ten_misconceptions_each_with_one_right_option():
    assert re.findall(r"^## Session (\d)", page("week_plan.md"), re.M) == list("12345")
    parts = re.split(r"^## (\d+)\. ", page("misconceptions.md"), flags=re.M)[1:]
    assert parts[::2] == [str(number) for number in range(1, 11)]
    for number, text in zip(parts[::2], parts[1::2], strict=True):
        options = re.findall(r"^- \*\*([A-D])\*\* (.+)$", text, re.M)
        assert [letter for letter, _ in options] == list("ABCD"), number
        (right,) = [letter for letter, option in options if option.endswith("✓")]
        explained = text.partition("\n\n*")[2]
        assert explained.startswith(right), number
        for letter in set("ABCD") - {right}:
            assert f"**{letter}**" in explained, f"question {number} does not say what {letter} reveals"


def test_moodle_gets_the_ten_questions_and_nothing_for_the_teacher_alone():
    quiz = ElementTree.fromstring(moodle.moodle_xml(page("misconceptions.md")))
    assert len(quiz) == 10
    for question in quiz:
        assert question.get("type") == "multichoice"
        fractions = [answer.get("fraction") for answer in question.iter("answer")]
        assert sorted(fractions) == ["0", "0", "0", "100"]
        feedback = question.findtext("generalfeedback/text")
        right = "ABCD"[fractions.index("100")]
        assert feedback.startswith(f"<p><em>{right}")
        texts = " ".join(text.text for text in question.iter("text"))
        assert "Show:" not in texts
        assert "✓" not in texts
    first = quiz[0]
    assert first.findtext("name/text") == '1. "A smaller rate is always safer"'
    assert "ten times smaller" in first.findtext("questiontext/text")
    assert first.findall("answer")[2].findtext("text") == "<p>can get higher</p>\n"


def test_the_numbers_in_the_teachers_pages():
    """Worked out here by hand, since the pages are text."""
    assert round(0.1 / (1 + 0.001 * 39_099), 4) == 0.0025
    assert round(0.1 / (1 + 0.001 * 99), 3) == 0.091
    rate = 0.1
    for epoch in range(1, 101):
        rate = rate / (1 + 0.01 * epoch)
    assert f"{rate:.0e}" == "1e-18"
    assert [0.5**n for n in (1, 2, 3)] == [0.5, 0.25, 0.125]
    for number in ("0.091", "0.0025", "10⁻¹⁸"):
        assert number in page("misconceptions.md")
    lesson = " ".join(page("lesson.md").split())
    assert "the last of 39,100 has $t$ = 39,099 and a rate of 0.0025" in lesson
    assert "the last of 100 has $t$ = 99 and a rate of 0.091" in lesson
    plan = page("week_plan.md")
    assert "(0.5, 0.25, 0.125)" in plan
    assert [round((1 - 1.5) ** n, 3) for n in (1, 2, 3)] == [-0.5, 0.25, -0.125]
    assert [round((1 - 2.1) ** n, 3) for n in (1, 2, 3)] == [-1.1, 1.21, -1.331]
    assert "(−0.5, 0.25, −0.125), and with 2.1 (−1.1, 1.21, −1.331)" in plan
    assert f"0.1/1.01/1.02 = {0.1 / 1.01 / 1.02:.4f} and should have 0.1/1.02 = {0.1 / 1.02:.4f}" in plan
    whole, half, tenth, half_of_it = (Valley().noise_floor(rate) for rate in (1.0, 0.5, 0.1, 0.05))
    assert half < 0.45 * whole
    assert half_of_it == pytest.approx(tenth / 2, rel=0.02)
    assert "(About half, and less than half at high rates.)" in " ".join(plan.split())
    quiz = page("quiz.md")
    assert (-1 + 0.3, -(-50_000 // 128), 0.25 ** (31 // 15)) == (-0.7, 391, 0.0625)
    for answer in ("−0.7", "391", "0.0625"):
        assert answer in quiz


def test_figures_that_the_pages_name_are_in_the_chapters():
    there = {
        number
        for name in NAMES
        for cell in chapters.source(name).cells
        for number in re.findall(r"^\*\*Figure (\d+\.\d+[a-z]?)\.\*\*", cell.source, re.M)
    }
    named = {
        (path.name, number)
        for path in (ROOT / "book" / "teach").glob("*.md")
        for number in re.findall(r"figure\s+(\d+\.\d+[a-z]?)", path.read_text(encoding="utf-8"))
    }
    assert len(named) > 5
    assert {number for _, number in named} <= there


def test_commands_in_the_pages_are_commands():
    from typer.testing import CliRunner

    from lrlib.cli import app

    found = set()
    for path in (ROOT / "book" / "teach").glob("*.md"):
        for line in re.findall(r"^lrlib (.+)$", path.read_text(encoding="utf-8"), re.M):
            words = line.split()
            found.add(tuple(words[: 2 if words[0] == "class" else 1]))
    assert found == {("class", "assign"), ("class", "merge"), ("train",), ("show",)}
    for command in found:
        assert CliRunner().invoke(app, [*command, "--help"]).exit_code == 0, command


def test_files_of_the_pack_that_the_pages_name():
    named = set(
        re.findall(r"`([\w/]+(?:\.(?:html|pdf|zip|md|xml)|/))`", page("index.md") + page("lesson.md"))
    )
    made = {
        "lesson.html",
        "lesson.pdf",
        "slides.html",
        "handout.html",
        "handout.pdf",
        "student/",
        "teacher/",
        "offline.zip",
    }
    assert made <= named
    assert named - made == {"_build/teach/", "teacher/exit_question.md", "teacher/misconceptions.xml"}


CALQUES = re.compile(
    r"hands up|a stick\b|the own\b|belong into|give marks|\bmark(?:s|ed|ing)\b(?! with)|the least \|"
    r"|reckon with|\bbears?\b|\bborne\b|a name a|turns? that round",
    re.I,
)


def test_the_teachers_pages_are_in_idiomatic_english():
    paths = [path for path in (ROOT / "book" / "teach").iterdir() if path.suffix in (".md", ".ipynb")]
    found = {path.name: CALQUES.findall(path.read_text(encoding="utf-8")) for path in paths}
    assert not any(found.values()), found


def test_what_the_first_page_says_about_solutions_is_so():
    text = " ".join(page("index.md").split())
    assert 'get("edge").variant(7).solution' in text
    assert exercises.check("edge", exercises.get("edge").variant(7).judge.expected, seed=7)
    assert exercises.get("edge").variant(7).solution.startswith("my_edge = ")
    assert repr(exercises.check("edge", None)).startswith("Unchanged")
    assert "the right value is not printed before the answer is right" in text
    assert repr(exercises.check("edge", 0.9)).startswith("Not yet: 0.9 is too large;")
    # What is said of autograders: a verdict is true when the answer is right, and only then.
    assert 'assert check("edge", my_edge, seed=7)' in text
    assert not exercises.check("edge", 0.9, seed=7)
    assert "give the answers away" not in text
    assert "does not say the answer" not in text

"""Build the teacher's pack: `make teach` or `make teach SEED=7`."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from tools.teach import exit_question, handout, lesson, moodle, offline, sets, slides
from tools.teach.chapters import ROOT, chapters, executed

TITLE = "Big Steps, Small Steps"


def build(out: Path, *, seed: int) -> None:
    """Build everything into a folder, which is made anew."""
    names = chapters()
    parts = [(Path(name).stem, slides.slides(executed(name))) for name in names]
    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True)
    (out / "slides.html").write_text(slides.deck(parts, title=TITLE), encoding="utf-8")
    print(f"slides.html: {sum(len(part) for _, part in parts) + 1} slides of {len(parts)} chapters")

    question = exit_question.exit_question(seed)
    pages = {
        "lesson": lesson.deck(executed(lesson.PAGE), exit_question=question.question()),
        "handout": handout.handout(question),
    }
    for name, text in pages.items():
        (out / f"{name}.html").write_text(text, encoding="utf-8")
        printed = handout.print_pdf(out / f"{name}.html", out / f"{name}.pdf")
        print(f"{name}.pdf" if printed else handout.NO_BROWSER.format(name=name))

    whole = [*names, sets.CLASS_STUDY]
    for folder, solutions in (("student", False), ("teacher", True)):
        made = sets.notebooks(whole, seed=seed, solutions=solutions)
        print(f"{folder}/: {len(sets.write(made, out / folder))} notebooks, numbers of seed {seed}")
    text = f"# Exit question, seed {seed}\n\n{question.question()}\n\n## Answer\n\n{question.answer()}\n"
    (out / "teacher" / "exit_question.md").write_text(text, encoding="utf-8")
    misconceptions = (ROOT / "book/teach/misconceptions.md").read_text(encoding="utf-8")
    quiz = moodle.moodle_xml(misconceptions)
    (out / "teacher" / "misconceptions.xml").write_text(quiz, encoding="utf-8")

    with tempfile.TemporaryDirectory() as folder:
        wheel = offline.build_wheel(Path(folder))
        files = offline.contents(out, wheel, ROOT / "_build" / "html")
        size = offline.write_zip(files, out / "offline.zip").stat().st_size
    has_pages = "pages/index.html" in files
    pages = "with the book's pages" if has_pages else "without the book's pages (make book builds them)"
    print(f"offline.zip: {size / 1e6:.1f} MB, {pages}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make teach", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="another seed, other numbers in the exercises")
    parser.add_argument("--out", type=Path, default=ROOT / "_build" / "teach")
    arguments = parser.parse_args()
    if arguments.seed < 0:
        parser.error(f"the seed must be an integer >= 0, got {arguments.seed}")
    build(arguments.out, seed=arguments.seed)
    print(f"The teacher's pack is in {arguments.out}")

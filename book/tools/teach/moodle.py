"""The ten questions about misconceptions as Moodle XML, with what each option tells as the feedback."""

from __future__ import annotations

import re
from xml.etree import ElementTree as xml

from tools.teach.render import markdown

SIGN = "✓"  # at the end of the right option


def moodle_xml(page: str) -> str:
    """Return the questions of the page, which is Markdown, as a quiz for Moodle.

    Options keep their order, as the feedback names them by their letters. What the page says to the teacher
    alone (*Show*, *Say*, *Do*) is left out.
    """
    quiz = xml.Element("quiz")
    parts = re.split(r"^## (\d+)\. (.+)$", page, flags=re.M)[1:]
    for number, name, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        asked, rest = re.split(r"\n\n(?=- \*\*A\*\*)", text.partition("\n## ")[0].strip(), maxsplit=1)
        options, _, explained = rest.partition("\n\n")
        question = xml.SubElement(quiz, "question", type="multichoice")
        _add(question, "name", f"{number}. {name}")
        _add(question, "questiontext", markdown(asked), format="html")
        feedback = re.sub(r"\*(?:Show|Say|Do):\*.*", "", explained, flags=re.S)
        _add(question, "generalfeedback", markdown(feedback), format="html")
        for tag, value in (("single", "true"), ("shuffleanswers", "false"), ("answernumbering", "ABCD")):
            xml.SubElement(question, tag).text = value
        for option in re.findall(r"^- \*\*[A-D]\*\* (.+)$", options, re.M):
            fraction = "100" if option.endswith(SIGN) else "0"
            said = markdown(option.removesuffix(SIGN).strip())
            _add(question, "answer", said, fraction=fraction, format="html")
    xml.indent(quiz)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{xml.tostring(quiz, encoding="unicode")}\n'


def _add(parent: xml.Element, tag: str, text: str, **attributes: str) -> None:
    xml.SubElement(xml.SubElement(parent, tag, attributes), "text").text = text

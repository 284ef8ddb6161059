"""Write the repository's name where it belongs: `make set-repository REPO=owner/name`.

It stands in _config.yml; README, CITATION.cff and the notebooks follow. Run it again with another name after
a move, and with the same one for another version.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat

from tools.notebooks import ROOT, colab_link, dress, listed, tag

# As GitHub has it: letters, digits and single hyphens; the name has dots and underscores too.
NAME = re.compile(r"(?!.*--)[A-Za-z0-9][A-Za-z0-9-]{0,38}(?<!-)/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}(?<!\.git)")

CONFIG = """
# Written by `make set-repository`. The notebooks get their lrlib from the same tag.
repository:
  url: https://github.com/{repository}
  path_to_book: ""
  branch: {tag}

launch_buttons:
  colab_url: https://colab.research.google.com
"""
CONFIG_BLOCK = re.compile(r"\n# Written by `make set-repository`.*?\n  colab_url: [^\n]*\n", re.S)

README_BLOCK = re.compile(r"(<!-- repository -->\n)(.*?)(<!-- /repository -->)", re.S)
README_UNSET = """\
This copy does not name its repository yet, so its notebooks have no badge for Colab and its pages no launch
button: `make set-repository REPO=owner/name` writes both.
"""
README_SET = """\
The book lives at <https://github.com/{repository}>. On Colab, without installing anything:
{links}.
"""


def checked(name: str) -> str:
    """Return a name of the form owner/name, or raise an error that says what is wrong with it."""
    if not NAME.fullmatch(name):
        raise ValueError(
            f"REPO must be owner/name as GitHub has it, for example REPO=ada/big-steps, got {name!r}"
        )
    return name


def set_repository(name: str | None, root: Path = ROOT) -> list[str]:
    """Write a repository's name into all files that have it; None takes it out again."""
    if name is not None:
        name = checked(name)
    edits = {"_config.yml": _config, "CITATION.cff": _citation, "README.md": _readme}
    changed = []
    for file, edit in edits.items():
        path = root / file
        before = path.read_text(encoding="utf-8")
        after = edit(before, name, root)
        if after != before:
            path.write_text(after, encoding="utf-8")
            changed.append(file)
    return changed + dress(root)


def _config(text: str, name: str | None, root: Path) -> str:
    text = CONFIG_BLOCK.sub("", text)
    return text if name is None else text + CONFIG.format(repository=name, tag=tag(root))


def _citation(text: str, name: str | None, root: Path) -> str:
    text = re.sub(r"^repository-code: .*\n", "", text, flags=re.M)
    return text if name is None else f'{text}repository-code: "https://github.com/{name}"\n'


def _readme(text: str, name: str | None, root: Path) -> str:
    if not README_BLOCK.search(text):
        raise ValueError(
            "README.md: has no lines '<!-- repository -->' and '<!-- /repository -->' to write between"
        )
    block = README_UNSET
    if name is not None:
        links = [
            f"[{_title(root / path)}]({colab_link(path, repository=name, tag=tag(root))})"
            for path in listed(root)
        ]
        block = README_SET.format(repository=name, links=",\n".join(links))
    return README_BLOCK.sub(lambda found: found[1] + block + found[3], text)


def _title(path: Path) -> str:
    return nbformat.read(path, as_version=4).cells[0].source.partition("\n")[0].removeprefix("# ").strip()


def main(words: list[str]) -> None:
    """Do what the command line says."""
    try:
        changed = set_repository(words[0] if words else "")
    except ValueError as error:
        sys.exit(str(error))
    print("\n".join(f"written: {name}" for name in changed) or "All files name it already.")
    print(f"The links lead to the tag {tag()}: commit, then push the branch and that tag.")


if __name__ == "__main__":
    main(sys.argv[1:])

"""Write the repository's name into _config.yml and what follows it: `make set-repository REPO=owner/name`.

README.md, CITATION.cff and the notebooks name it too. Run it again after a move, and for each new version.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat

from tools.notebooks import ROOT, colab_link, dress, listed, tag

# GitHub's rules: an owner of letters, digits and single hyphens; a name that has dots and underscores too.
NAME = re.compile(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*/[\w.-]*[\w-](?<!\.git)", re.ASCII)
# From a line "# repository" to a line "# /repository", which are comments in Markdown.
BLOCK = re.compile(r"^((?:#|<!--) repository\b.*?\n)(.*?)(?=^(?:#|<!--) /repository\b)", re.M | re.S)

CONFIG = """\
repository:
  url: https://github.com/{name}
  path_to_book: ""
  branch: {tag}
launch_buttons:
  colab_url: https://colab.research.google.com
"""
CITATION = 'repository-code: "https://github.com/{name}"\n'
README = """\
The book lives at <https://github.com/{name}>. On Colab, without installing anything:
{links}.
"""
README_UNSET = """\
This copy does not name its repository yet, so its notebooks have no badge for Colab and its pages no launch
button: `make set-repository REPO=owner/name` writes both.
"""
BLOCKS = {"_config.yml": (CONFIG, ""), "CITATION.cff": (CITATION, ""), "README.md": (README, README_UNSET)}


def set_repository(name: str | None, root: Path = ROOT) -> list[str]:
    """Write a repository's name into all files that have it, None to take it out; return what changed."""
    if name is not None and not NAME.fullmatch(name):
        example = "owner/name as GitHub has it, for example REPO=ada/big-steps"
        raise ValueError(f"REPO must be {example}, got {name!r}")
    links = [
        f"[{_title(root / path)}]({colab_link(path, repository=name, tag=tag(root))})"
        for path in listed(root)
    ]
    changed = []
    for file, (named, unset) in BLOCKS.items():
        text = named.format(name=name, tag=tag(root), links=",\n".join(links)) if name else unset
        before = (root / file).read_text(encoding="utf-8")
        after = BLOCK.sub(lambda found, text=text: found[1] + text, before)
        if after != before:
            (root / file).write_text(after, encoding="utf-8")
            changed.append(file)
    return changed + dress(root)


def _title(path: Path) -> str:
    return nbformat.read(path, as_version=4).cells[0].source.partition("\n")[0].removeprefix("# ").strip()


if __name__ == "__main__":
    try:
        written = set_repository(" ".join(sys.argv[1:]))
    except ValueError as error:
        sys.exit(str(error))
    print("\n".join(f"written: {name}" for name in written) or "All files name it already.")
    print(f"The links lead to the tag {tag()}: commit, then push the branch and that tag.")

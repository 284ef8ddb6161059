"""What Colab has installed, by the newest colab-packages-*.txt beside this file; what lrlib needs."""

import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bare import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LIST = max((ROOT / "tests/helpers").glob("colab-packages-*.txt"))
COLAB = {
    canonicalize_name(name): version
    for name, version in re.findall(r"^([\w.-]+)==(\S+)$", LIST.read_text(), re.M)
}


def needed() -> list[Requirement]:
    """What lrlib asks for: the core, the extra for training, and what its figures are drawn with."""
    extras = PROJECT["optional-dependencies"]
    figures = [line for line in extras["book"] if line.startswith("matplotlib")]
    return [Requirement(line) for line in [*PROJECT["dependencies"], *extras["train"], *figures]]

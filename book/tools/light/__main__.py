"""python -m tools.light HTML [--config _config.yml]: see the package's first lines."""

import argparse
import sys
from pathlib import Path

from tools.light.head import configured_address
from tools.light.site import make_light

parser = argparse.ArgumentParser(prog="python -m tools.light")
parser.add_argument("html", type=Path)
parser.add_argument("--config", type=Path, help="settings of the book, which say where it will be published")
arguments = parser.parse_args()
warnings = make_light(arguments.html, base=configured_address(arguments.config) if arguments.config else "")
for warning in warnings:
    print(f"WARNING: {warning}", file=sys.stderr)
sys.exit(bool(warnings))

"""Lays the trap that the environment names, in each Python that has this folder on its path."""

import json
import os

if "TORTURE_TRAP" in os.environ:
    from torture.disturb import Trap, install, note

    trap = Trap(**json.loads(os.environ["TORTURE_TRAP"]))
    install(trap)
    note(trap.log, f"process {os.getpid()}")

"""At least 20 kills, some in the middle of writing, and every record is that of an undisturbed run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="kills need fork, which Windows has not")
def test_killed_runs_end_as_if_undisturbed(tmp_path):
    script = Path(__file__).with_name("kill_runs.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), "2026"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert sum(report["kills"].values()) >= 20
    assert all(count >= 1 for count in report["kills"].values()), report
    assert report["equal"] == [True] * report["runs"]
    assert report["files"] == report["runs"]

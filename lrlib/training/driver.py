"""What the NVIDIA driver's own tool reports, without torch, whose import takes seconds."""

from __future__ import annotations

import subprocess


def nvidia_smi(query: str) -> str | None:
    """Return a property of the first GPU, as "name" or "driver_version"; None without the tool or a GPU."""
    command = ["nvidia-smi", f"--query-gpu={query}", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = done.stdout.strip().splitlines()
    return lines[0].strip() if done.returncode == 0 and lines else None

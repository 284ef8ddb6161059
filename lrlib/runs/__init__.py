"""What a run is: its config, its record, and the published runs of the survey and its source."""

from lrlib.runs.config import PRESETS, ConfigError, RunConfig, preset
from lrlib.runs.published import published
from lrlib.runs.record import EpochRecord, Provenance, RecordError, Run
from lrlib.runs.store import load_runs, preferred_study, read_run, studies, write_run

__all__ = [
    "PRESETS",
    "ConfigError",
    "EpochRecord",
    "Provenance",
    "RecordError",
    "Run",
    "RunConfig",
    "load_runs",
    "preferred_study",
    "preset",
    "published",
    "read_run",
    "studies",
    "write_run",
]

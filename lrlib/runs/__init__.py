"""What a run is: its config, its record, and the published runs of the survey and its source."""

from lrlib.runs.config import PRESETS, ConfigError, RunConfig, preset
from lrlib.runs.published import published
from lrlib.runs.record import (
    EpochRecord,
    Provenance,
    RecordError,
    Run,
    experiment,
    load_runs,
    read_run,
    studies,
    write_run,
)

__all__ = [
    "PRESETS",
    "ConfigError",
    "EpochRecord",
    "Provenance",
    "RecordError",
    "Run",
    "RunConfig",
    "experiment",
    "load_runs",
    "preset",
    "published",
    "read_run",
    "studies",
    "write_run",
]

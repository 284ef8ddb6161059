"""The class study: who runs what, and one table from all that is handed in."""

from lrbook.classroom.merge import (
    Assigned,
    ClassError,
    ClassStudy,
    Finding,
    assignment,
    hand_in,
    merge,
    read_list,
    write_list,
)

__all__ = [
    "Assigned",
    "ClassError",
    "ClassStudy",
    "Finding",
    "assignment",
    "hand_in",
    "merge",
    "read_list",
    "write_list",
]

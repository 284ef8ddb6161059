"""The class study: each student runs one schedule with one seed, and the class makes a table 1.1 of its own.

`assignment` returns who runs what, and `mine` what one student runs (`write_list` and `read_list` keep the
list in a spreadsheet). `hand_in` writes the record of a student's run, and `merge` makes the table out of a
folder of records. The commands are `lrlib class assign` and `lrlib class merge`; the page for teachers is
book/teach/class_study_teacher.md.
"""

from lrbook.classroom.assignment import Assigned, ClassError, assignment, mine, read_list, write_list
from lrbook.classroom.hand_in import hand_in
from lrbook.classroom.merge import merge
from lrbook.classroom.study import ClassStudy, Finding

__all__ = [
    "Assigned",
    "ClassError",
    "ClassStudy",
    "Finding",
    "assignment",
    "hand_in",
    "merge",
    "mine",
    "read_list",
    "write_list",
]

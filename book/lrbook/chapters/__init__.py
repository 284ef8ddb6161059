"""What the pages print: tables and sentences made from records, one module a chapter.

`shared` has what several chapters print, `table_1_1` the survey's table, `claims` its sentences judged.
Figures are in `lrlib.plots`, numbers in `lrlib.stats`.
"""

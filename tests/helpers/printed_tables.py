"""The two printed tables, typed from the page a second time: what the records of them are held to."""

SURVEY = """
constant 0.84 0.5328
time     0.82 0.1732
drop     0.87 0.1821
linear   0.87 0.1040
poly5    0.86 0.1549
"""
# The last line of each log: loss, accuracy, val_loss, val_accuracy; then the accuracy of the report under it.
SOURCE = """
constant 0.5328 0.9516 0.9788 0.8414 0.84
time     0.1732 1.0000 0.9210 0.8151 0.82
drop     0.1821 1.0000 0.7220 0.8680 0.87
linear   0.1040 1.0000 0.6094 0.8724 0.87
poly5    0.1549 1.0000 0.6883 0.8651 0.87
"""

"""One family for what goes wrong in a known way."""

from __future__ import annotations


class LrlibError(Exception):
    """An error whose message is one sentence for the reader: what was found, what was expected, what to do.

    Each is a ValueError, a RuntimeError or an OSError too, and can be caught as that.

    Examples
    --------
    >>> import lrlib
    >>> try:
    ...     lrlib.preset("digits", recipe="linear", epochs=0)
    ... except lrlib.LrlibError as error:
    ...     print(error)
    epochs: input should be greater than or equal to 1, got 0
    """

"""How many updates a run has."""

from __future__ import annotations

from lrlib._checks import check_int


def count_updates(
    *,
    images: int,
    batch: int,
    epochs: int = 1,
    accumulate: int = 1,
    processes: int = 1,
    drop_last: bool = False,
) -> int:
    """Return the updates of a run, which is what `total_steps` of a schedule wants.

    micro-batches an epoch = images / (batch * processes), rounded up, or down with `drop_last`;
    updates an epoch = micro-batches / accumulate, rounded up; times epochs.

    So count torch's `DataLoader`, transformers' `Trainer`, Lightning and accelerate: what is left of an
    accumulation at the end of an epoch is an update of its own. (A `DistributedSampler` pads its share, so
    that `drop_last` may leave one micro-batch more than is counted here.)

    Parameters
    ----------
    images : int
        Training examples, >= 1.
    batch : int
        Examples a micro-batch of one process, >= 1.
    epochs, accumulate, processes : int
        Epochs, micro-batches an update, processes that share the examples; each >= 1.
    drop_last : bool
        True leaves out an incomplete last batch.

    Raises
    ------
    ValueError
        If no update is left.

    Examples
    --------
    >>> count_updates(images=50_000, batch=128, epochs=30)
    11730
    >>> count_updates(images=50_000, batch=32, accumulate=2, processes=2, epochs=30)
    11730
    >>> count_updates(images=50_000, batch=128, epochs=30, drop_last=True)
    11700
    """
    images, batch = check_int("images", images, least=1), check_int("batch", batch, least=1)
    epochs, accumulate = check_int("epochs", epochs, least=1), check_int("accumulate", accumulate, least=1)
    together = batch * check_int("processes", processes, least=1)
    if not isinstance(drop_last, bool):
        raise TypeError(f"drop_last must be True or False, got {drop_last!r}")
    micro_batches = images // together if drop_last else -(-images // together)
    if not micro_batches:
        raise ValueError(
            f"no update is left: with drop_last, {images} images fill no batch of {together} "
            "(batch * processes)"
        )
    return epochs * -(-micro_batches // accumulate)

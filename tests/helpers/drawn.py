"""What stands in a figure: lines by label, texts, and the heights of labels."""


def heights(axes):
    """Return the value at which each label on the right stands."""
    to_data = axes.transAxes + axes.transData.inverted()
    return {text.get_text(): to_data.transform((1.0, text.xy[1]))[1] for text in axes.texts}


def lines(axes, label):
    """The lines of this label."""
    return [line for line in axes.lines if line.get_label() == label]


def line(axes, label):
    """The one line of this label."""
    (found,) = lines(axes, label)
    return found


def texts(figure):
    """All texts in the axes of a figure."""
    return [text.get_text() for axes in figure.axes for text in axes.texts]

"""What skred raises when it stops: one line that a person can act on."""


class SkredError(Exception):
    """Something went wrong that is not a bug.

    The message is one line: what is wrong, where, what was wanted, how to mend it.
    Stages and commands print it after ``skred: `` and end with `exit_code`.
    """

    exit_code = 1


class InputError(SkredError):
    """A parameter, event file, band table or argument is wrong; nothing has been written."""

    exit_code = 2


class NoImageError(InputError):
    """There is no image of the area in one of an event's windows: nothing can be said about it."""

    exit_code = 3

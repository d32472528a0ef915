"""What a reader of small texts raises: `Mistake`. Pure; knows no file.

Scalars, patterns, templates and selectors are read from a text alone. Whoever knows where that text stands
in a file turns a `Mistake` into a `Problem` there.
"""


class Mistake(ValueError):  # noqa: N818  (it is the ops person's, not the program's)
    """The text is not what it should be.

    `message` says what is wrong and `hint` what would be right; the fault begins at character `offset` of the
    text and is `width` characters long (0: the whole text).
    """

    def __init__(self, message: str, hint: str = "", offset: int = 0, width: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.offset = offset
        self.width = width

    def moved(self, by: int) -> "Mistake":
        """The same mistake, for a text in which this one begins `by` characters further on."""
        return Mistake(self.message, self.hint, self.offset + by, self.width)

"""What can go wrong with Salesforce, as few kinds as a user can act on. Pure: no library is needed to catch one.

1. A message is `what; what to do`, as in the store's errors.
2. It holds no token, no URL and no value of a record.
"""


class SalesforceTrouble(Exception):
    """Something with Salesforce did not work. What was read until then is kept."""


class NotLetIn(SalesforceTrouble):
    """Salesforce does not know us, or not any more."""


class Unreachable(SalesforceTrouble):
    """The connection failed, again and again."""


class LimitReached(SalesforceTrouble):
    """The org's API calls are used up, or nearly."""


class Refused(SalesforceTrouble):
    """Salesforce does not answer this question; `code` is its own word for why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Odd(Refused):
    """An answer is none to what was asked, as of something that stands in between."""

    def __init__(self, message: str) -> None:
        super().__init__("ODD_ANSWER", message)


class MirrorBroken(SalesforceTrouble):
    """The mirror cannot be read or written."""


class Busy(SalesforceTrouble):
    """Another sync of the same data folder is at work."""

"""What can go wrong between us and an outside system, named for what the caller can do.

ConnectorError
├── Transient                 later may help
│   ├── RateLimited           after `retry_after` seconds
│   ├── Unavailable           the system is away; nothing was executed
│   └── TimedOut              unclear: it may have been, or may yet be, executed
└── Permanent                 the same again fails again
    ├── Rejected              the system refused this record: code, field, text
    ├── Unauthorised          our credentials or rights
    │   └── Blind             answers come, but do not show what is ours
    ├── NotFound              no such record
    └── Incompatible          an answer we cannot read
"""


class ConnectorError(Exception):
    """An outside system did not do what was asked. The text never holds personal data."""


class Transient(ConnectorError):
    """Later may help."""


class RateLimited(Transient):
    def __init__(self, text: str, retry_after: float) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class Unavailable(Transient):
    """The request was refused or never sent: nothing was executed."""


class TimedOut(Transient):
    """Sent, and no clear answer: executed, not executed, or still going to be. Look before writing again."""


class Permanent(ConnectorError):
    """The same again fails again."""


class Rejected(Permanent):
    def __init__(self, code: str, text: str, field: str = "") -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.field = field
        self.text = text


class Unauthorised(Permanent):
    """Our token, scope or role. One for the whole connection, not for one record."""


class Blind(Unauthorised):
    """Answers come, but do not show what is ours: what is not in them is not absent, and nothing is written."""


class NotFound(Permanent):
    pass


class Incompatible(Permanent):
    """The answer is not of the shape the pinned version documents."""


def refused(error: ConnectorError) -> bool:
    """Whether the system answered and said no to this very request: no sign that the connection is down."""
    return isinstance(error, Permanent) and not isinstance(error, Unauthorised)

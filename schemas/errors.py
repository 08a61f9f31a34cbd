"""What cannot be understood, said so that a person can act on it."""


class Unreadable(Exception):
    """A body or a file that is not what it should be: what was expected, what was found, where."""

    def __init__(self, where: str, expected: str, found: str) -> None:
        super().__init__(f"{where}: expected {expected}, found {found}")
        self.where = where
        self.expected = expected
        self.found = found

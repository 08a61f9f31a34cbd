"""What is wrong with a value from outside, as pydantic found it, in our words: where, what was expected, and found."""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import ValidationError

Where = Sequence[int | str]


def dotted(where: Where) -> str:
    return ".".join(str(part) for part in where)


def nothing(_: Where) -> str:
    return ""


def mistakes(
    wrong: ValidationError,
    named: Callable[[Where], str] = dotted,
    *,
    near: Callable[[Where], str] = nothing,
    secret: bool = False,
) -> list[str]:
    """One line each. `named` makes the place's name, `near` ends what is said of a name that nobody knows; `secret`:
    values that were found are not told.
    """
    return [_said(error, named, near, secret=secret) for error in wrong.errors(include_url=False)]


def _said(error: Any, named: Callable[[Where], str], near: Callable[[Where], str], *, secret: bool) -> str:
    expected = _expected(error)
    if error["type"] == "extra_forbidden":
        expected += near(error["loc"])
    there = error["input"]
    whole = error["type"] in {"json_invalid", "string_type"} or not isinstance(there, str | int | float)
    found = "" if secret or whole or ", found " in expected else f", found {there!r}"
    where = f"{named(error['loc'])}: " if error["loc"] else ""
    return f"{where}{expected}{found}"


def _expected(error: Any) -> str:
    message: str = error["msg"].removeprefix("Value error, ")
    match error["type"]:
        case "missing":
            return "expected a value, found none"
        case "extra_forbidden":
            return f"expected a known name, found {error['loc'][-1]!r}"
        case "json_invalid":
            return f"expected JSON, found none: {message.removeprefix('Invalid JSON: ')}"
        case "model_type":
            return "expected a table of names and values"
        case "union_tag_invalid":
            told = error["ctx"]
            return f"expected {told['discriminator']} to be one of {told['expected_tags']}, found {told['tag']!r}"
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal":
            return f"expected a number {message.removeprefix('Input should be ')}"
        case "too_short":
            return f"expected {error['ctx']['min_length']} or more, found {error['ctx']['actual_length']}"
        case "string_pattern_mismatch":
            return f"expected text of the form {error['ctx']['pattern']}"
        case "timezone_aware":
            return "expected a moment with its time zone"
        case _ if message.startswith("Input should be "):
            return "expected " + message.removeprefix("Input should be ").partition(", unable to ")[0]
        case _:
            return message

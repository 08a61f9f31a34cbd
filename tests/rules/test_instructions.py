"""The shopper's words as the packing desk reads them: which go along, in which letters, how much of them."""

from typing import Any

import pytest

from schemas.orders import NoteAttribute
from streams.rules.orders.mapping.instructions import CUT, Instructed, instructions
from tests.builders import a_brand, an_order


def said(note: str = "", attributes: tuple[tuple[str, str], ...] = (), /, **rules: Any) -> Instructed:
    order = an_order().with_line("MUG")
    made = tuple(NoteAttribute(name=name, value=value) for name, value in attributes)
    personal = order.order.personal.model_copy(update={"note": note, "attributes": made})
    return instructions(order._with(personal=personal).order, a_brand(instructions=rules))


GIFT = ("gift", "For Ida")


@pytest.mark.parametrize(
    ("case", "note", "attributes", "rules", "text"),
    [
        ("the note", "ring twice", (), {}, "ring twice"),
        ("no note wanted", "ring twice", (), {"note": False}, ""),
        ("an empty note", "  \n", (GIFT,), {"attributes": ("gift",)}, "gift: For Ida"),
        ("a chosen attribute", "", (GIFT, ("shelf", "9")), {"attributes": ("gift",)}, "gift: For Ida"),
        ("in the brand's order", "note", (GIFT, ("wrap", "red")), {"attributes": ("wrap", "gift")},
         "note\nwrap: red\ngift: For Ida"),
        ("whatever its case", "", (("Gift", "For Ida"),), {"attributes": ("GIFT",)}, "Gift: For Ida"),
        ("the first of two", "", (GIFT, ("gift", "For Tom")), {"attributes": ("gift",)}, "gift: For Ida"),
        ("the first that says something", "", (("gift", " "), GIFT), {"attributes": ("gift",)}, "gift: For Ida"),
        ("none of that name", "", (GIFT,), {"attributes": ("wrap",)}, ""),
    ],
)  # fmt: skip
def test_what_goes_along(
    case: str, note: str, attributes: tuple[tuple[str, str], ...], rules: dict[str, Any], text: str
) -> None:
    found = said(note, attributes, **rules)
    assert (found.text, found.cut, found.rewritten) == (text, False, False), case


@pytest.mark.parametrize(
    ("characters", "note", "text"),
    [
        ("any", "Łódź", "Łódź"),
        ("latin", "Łódź", "Lódz"),
        ("ascii", "Łódź", "Lodz"),
        ("latin", "\xff\u0100", "\xffA"),
        ("latin", "café", "café"),
    ],
)
def test_in_the_letters_the_printer_has(characters: str, note: str, text: str) -> None:
    found = said(note, characters=characters)
    assert (found.text, found.rewritten) == (text, text != note)


@pytest.mark.parametrize(("length", "cut"), [(19, False), (20, False), (21, True), (200, True)])
def test_as_much_as_there_is_room_for(length: int, cut: bool) -> None:
    found = said("x" * length, most=20)
    assert (found.length, found.cut) == (length, cut)
    assert found.text == ("x" * (20 - len(CUT)) + CUT if cut else "x" * length)
    assert len(found.text) <= 20

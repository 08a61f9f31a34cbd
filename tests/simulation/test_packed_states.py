"""Workers keep a state decoded only while something happens to it: that it was packed meanwhile is seen nowhere."""

import pytest

from lockstep.simulation.history import draw
from lockstep.simulation.play import play
from streams.agents import keyed


def test_a_history_is_the_same_to_the_byte_when_hardly_a_state_stays_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = play(draw(7, events=90))
    monkeypatch.setattr(keyed, "DECODED_MOST", 1)
    packed = play(draw(7, events=90))
    assert (packed.digest, packed.violations) == (kept.digest, ())

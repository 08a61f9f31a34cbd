"""Makes a failing history small: fewer mishaps, no chance, fewer orders, as long as it still fails in the same way."""

from collections.abc import Callable, Iterator

from lockstep.simulation.history import History
from sandbox.faults import Faults

Fails = Callable[[History], bool]


def shrink(history: History, fails: Fails, most: int = 200) -> History:
    """The smallest found with at most so many tries. `fails` must say True of `history` itself."""
    left = most
    while True:
        for smaller in _smaller(history):
            if left == 0:
                return history
            left -= 1
            if fails(smaller):
                history = smaller
                break
        else:
            return history


def _smaller(history: History) -> Iterator[History]:
    """Big steps first. None is the history itself, so that shrinking comes to an end."""
    mishaps = history.mishaps
    half = len(mishaps) // 2
    parts = [mishaps[:half], mishaps[half:]] if half > 1 else []
    parts += [(*mishaps[:place], *mishaps[place + 1 :]) for place in range(len(mishaps))]
    yield from (history.model_copy(update={"mishaps": part}) for part in parts)
    if history.faults != Faults():
        yield history.model_copy(update={"faults": Faults()})
        for name, share in history.faults.model_dump().items():
            if share and share != getattr(Faults(), name):
                usual = getattr(Faults(), name)
                yield history.model_copy(update={"faults": history.faults.model_copy(update={name: usual})})
    if history.events:
        yield history.model_copy(update={"events": 0})
    if history.planted:
        yield history.model_copy(update={"planted": ()})
    if history.new_line:
        yield history.model_copy(update={"new_line": 0.0, "mapped_after": 0.0})
    if history.on_account:
        yield history.model_copy(update={"on_account": 0})
    for orders in sorted({history.orders // 2, history.orders - 1} - {0}):
        if orders < history.orders:
            yield history.model_copy(update={"orders": orders})

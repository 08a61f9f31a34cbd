"""`python -m sandbox.tryton [BRAND…]`: an ERP in the foreground, for people; ended by Ctrl-C."""

import sys
import threading
from contextlib import suppress

from sandbox.tryton import Company, Product, TrytonServer

EXAMPLES = (
    Product("0042-A", "Brass reading lamp", "49.90"),
    Product("0042-B", "Black reading lamp", "49.90"),
    Product("0007", "Wool rug, small", "85.00"),
    Product("100500", "Beeswax candle", "6.50"),
)


def main(brands: list[str]) -> None:
    def say(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    with TrytonServer(Company(tuple(brands) or ("acme",), EXAMPLES), say) as erp:
        say(f"REST: {erp.base_url}\nkey:  {erp.key}\nCtrl-C ends it.")
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1:])

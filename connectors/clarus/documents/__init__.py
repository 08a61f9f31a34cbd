"""The GraphQL documents of the Clarus connector, one file each."""

import re
from functools import cache
from importlib.resources import files

GOODS_OUTS = "goods_outs"


@cache
def document(name: str) -> str:
    """The text of `<name>.graphql`."""
    return files(__name__).joinpath(f"{name}.graphql").read_text()


def goods_outs_of(number: int) -> str:
    """The root of the goods-outs of the `number`-th order in `look_at`, counted from 0."""
    return GOODS_OUTS if number == 0 else f"{GOODS_OUTS}_{number}"


@cache
def look_at(orders: int) -> str:
    """`look.graphql` with a list of goods-outs for each of so many orders, each with variables of its own."""

    def for_each(part: re.Match[str]) -> str:
        return part[1] + "".join(_renamed(part[1], goods_outs_of(number)) for number in range(1, orders))

    return re.sub(r" *# each\n(.*?) *# end\n", for_each, document("look"), flags=re.DOTALL)


def _renamed(part: str, root: str) -> str:
    """The same under another alias."""
    variables = re.sub(rf"\$(with_)?{GOODS_OUTS}(_after)?\b", rf"$\1{root}\2", part)
    return re.sub(rf"^( *){GOODS_OUTS} ", rf"\1{root}: {GOODS_OUTS} ", variables, flags=re.MULTILINE)

"""Shopify's global ids, `gid://shopify/Order/5012`, and the numbers inside them that we carry."""


def gid(kind: str, number: str) -> str:
    return f"gid://shopify/{kind}/{number}"


def number_of(value: object) -> str:
    """The number of a gid, '' when it is none. Some carry a query after the number."""
    return str(value).rpartition("/")[2].partition("?")[0]

"""A shop's settings say what is wrong with them, and keep their secrets."""

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from connectors.shopify.port import ShopifyPort
from connectors.shopify.settings import ClientCredentials
from tests.connectors.shopify.shops import StepClock, a_shop

CREDENTIALS = ClientCredentials(client_id="id", client_secret=SecretStr("hush"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"token": None}, "found neither"),
        ({"credentials": CREDENTIALS}, "found both"),
        ({"base_url": "acme.myshopify.com"}, "https://acme.myshopify.com"),
        ({"api_version": "newest"}, "pattern"),
        ({"batch": 0}, "greater than or equal to 1"),
        ({"bach": 5}, "Extra inputs"),
    ],
)
def test_wrong_settings(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        a_shop(**changes)


def test_secrets_are_not_printed() -> None:
    assert "shpat_1" not in repr(a_shop())
    assert "hush" not in repr(a_shop(token=None, credentials=CREDENTIALS))


def test_one_shop_per_brand() -> None:
    with pytest.raises(ValueError, match="one shop per brand"):
        ShopifyPort([], StepClock())
    with pytest.raises(ValueError, match="one shop per brand"):
        ShopifyPort([a_shop(), a_shop()], StepClock())

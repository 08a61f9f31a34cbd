"""Who may call, for how long, and what they see."""

from typing import Any

import pytest

from sandbox.clarus import Tenant, seed
from sandbox.clarus.access import ApiUser
from tests.sandbox.clarus.warehouse import GOODS_OUTS, MONDAY, NORTHWIND, Warehouse, in_the_warehouse

ACCOUNTS = "query { accounts { all { edges { node { code } } } } }"
WAREHOUSES = "query { warehouses { all { edges { node { code } } } } }"


def codes(nodes: list[dict[str, Any]]) -> list[str]:
    return [node["code"] for node in nodes]


@pytest.mark.parametrize(
    ("wrong", "status"),
    [({"client_secret": "guess"}, 401), ({"client_id": "nobody"}, 401), ({"grant_type": "password"}, 400)],
)
def test_a_token_is_given_to_who_has_the_secret(wrong: dict[str, str], status: int) -> None:
    async def story(clarus: Warehouse) -> None:
        form = {"grant_type": "client_credentials", "client_id": "connector", "client_secret": "open sesame"}
        good = (await clarus.http.post("/oauth/token", data=form)).json()
        assert (good["token_type"], good["expires_in"]) == ("Bearer", 3600)
        answer = await clarus.http.post("/oauth/token", data=form | wrong)
        assert answer.status_code == status
        assert isinstance(answer.json()["error"], str)

    in_the_warehouse(story)


def test_an_expired_token_is_refused_and_a_new_one_is_good() -> None:
    async def story(clarus: Warehouse) -> None:
        await clarus.world.clock.sleep(3599)
        assert await clarus.read(GOODS_OUTS) == []
        await clarus.world.clock.sleep(1)
        for path in ("/graphql", "/api/goods_outs", "/api/goods_outs/1/cancel"):
            answer = await clarus.call("POST", path, {})
            assert answer.status_code == 401
            assert answer.json() == {"error": "The access token is missing, unknown or expired"}
        await clarus.log_in()
        assert await clarus.read(GOODS_OUTS) == []
        assert clarus.world.clock.now() > MONDAY

    in_the_warehouse(story)


def test_an_edited_role_logs_everybody_out() -> None:
    async def story(clarus: Warehouse) -> None:
        clarus.world.access.revoke_tokens()
        assert (await clarus.call("POST", "/graphql", {"query": ACCOUNTS})).status_code == 401
        await clarus.log_in()
        assert codes(await clarus.read(ACCOUNTS)) == ["ACME", "BOREALIS"]

    in_the_warehouse(story)


def test_a_token_is_good_for_its_own_tenant_only() -> None:
    async def story(clarus: Warehouse) -> None:
        seed(clarus.world, Tenant(subdomain="southwind", client_id="other", client_secret="s", accounts={"ACME": ()}))
        clarus.as_tenant("southwind")
        assert (await clarus.call("POST", "/graphql", {"query": ACCOUNTS})).status_code == 401
        clarus.as_tenant(NORTHWIND.subdomain)
        assert codes(await clarus.read(ACCOUNTS)) == ["ACME", "BOREALIS"]

    in_the_warehouse(story)


def test_without_rights_lists_are_empty_and_writes_forbidden() -> None:
    async def story(clarus: Warehouse) -> None:
        number = await clarus.create(clarus.a_goods_out())
        clarus.world.lose_rights()
        for query in (ACCOUNTS, WAREHOUSES, GOODS_OUTS):
            assert await clarus.read(query) == []
        for answer in (
            await clarus.call("POST", "/api/goods_outs", clarus.a_goods_out()),
            await clarus.call("POST", f"/api/goods_outs/{number}/cancel"),
        ):
            assert (answer.status_code, answer.json()["errors"][0]["symbol"]) == (403, "forbidden")
        clarus.world.restore_rights()
        assert codes(await clarus.read(WAREHOUSES)) == ["LDS1", "LDS2"]
        assert await clarus.status(number) == "PENDING"

    in_the_warehouse(story)


def test_a_user_of_one_account_sees_nothing_of_the_other() -> None:
    async def story(clarus: Warehouse) -> None:
        mine = await clarus.create(clarus.a_goods_out("ACME-1-1-1"))
        theirs = await clarus.create(clarus.a_goods_out("BORE-1-1-1", account="BOREALIS", rug=1))
        clarus.world.access.add(ApiUser("northwind", "connector", "open sesame", frozenset({"ACME"})))
        await clarus.log_in()
        assert codes(await clarus.read(ACCOUNTS)) == ["ACME"]
        assert [node["id"] for node in await clarus.read(GOODS_OUTS)] == [str(mine)]
        assert (await clarus.call("POST", f"/api/goods_outs/{theirs}/cancel")).status_code == 404

    in_the_warehouse(story)

"""A schedule is its seed's, holds every kind, and spares nobody."""

import pytest

from lockstep.roles import Role
from schemas.base import System
from tests.kills.__main__ import KILLS, MINUTES
from tests.kills.schedule import BROKERS, NETWORK, SECONDS, WEIGHTS, Kind, Where, draw

WHERES: tuple[Where, ...] = ("single", "cluster")


@pytest.mark.parametrize("where", WHERES)
@pytest.mark.parametrize("seed", range(5))
def test_every_kind_falls_and_every_role_is_struck(seed: int, where: Where) -> None:
    blows = draw(seed, where, KILLS // 2, MINUTES * 30)

    assert len(blows) == KILLS // 2
    assert {blow.kind for blow in blows} == set(Kind)
    assert {blow.whom for blow in blows if blow.kind not in BROKERS | NETWORK} == set(Role)


def test_as_many_blows_as_kinds_are_one_of_each() -> None:
    assert sorted(blow.kind for blow in draw(3, "single", len(Kind), 60)) == sorted(Kind)


def test_by_default_there_are_sixty_or_more() -> None:
    assert 2 * (KILLS // 2) >= 60


def test_a_seed_is_a_schedule() -> None:
    assert draw(3, "single", 30, 180) == draw(3, "single", 30, 180)
    assert draw(3, "single", 30, 180) != draw(4, "single", 30, 180)
    assert draw(3, "single", 30, 180) != draw(3, "cluster", 30, 180)


def test_they_fall_one_after_the_other_within_the_time() -> None:
    moments = [blow.at for blow in draw(3, "single", 30, 180)]

    assert moments == sorted(moments)
    assert moments[0] >= 0
    assert moments[-1] <= 180


def test_each_kind_has_its_seconds_and_its_share() -> None:
    assert SECONDS.keys() == WEIGHTS.keys() == set(Kind)


def test_nobody_is_struck_twice_by_a_kind_before_all_others_were() -> None:
    killed = [blow.whom for blow in draw(3, "cluster", 60, 360) if blow.kind is Kind.KILL]

    assert set(killed[: len(Role)]) == set(Role)


def test_every_systems_connections_are_struck() -> None:
    assert {blow.whom for blow in draw(3, "single", len(Kind), 60) if blow.kind in NETWORK} == set(System)


def test_the_intake_is_never_scaled_for_it_has_one_port() -> None:
    assert all(
        blow.whom != Role.INTAKE for seed in range(20) for blow in draw(seed, "single", 40, 200)
        if blow.kind is Kind.SCALE
    )  # fmt: skip

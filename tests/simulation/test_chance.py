"""Ids that are made by chance."""

import random
from uuid import UUID

from engine.simulation.chance import uuid


def test_an_id_is_a_uuid_of_version_4() -> None:
    """As browsers make them, and each another one; the same seed gives the same."""
    chance = random.Random(1)
    made = [uuid(chance) for _ in range(100)]
    assert len(set(made)) == 100
    assert {(UUID(one).version, UUID(one).variant) for one in made} == {(4, UUID(made[0]).variant)}
    assert all(str(UUID(one)) == one for one in made)
    assert uuid(random.Random(1)) == made[0]

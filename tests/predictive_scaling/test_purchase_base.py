"""How many units a mixed group buys on demand, and the least base that brings more of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from predictive_scaling.fleets import Mix

MIXES = st.builds(Mix, base=st.integers(0, 40), share=st.integers(0, 100))


@given(mix=MIXES, capacity=st.integers(0, 60), more=st.integers(0, 60))
def test_the_base_is_the_least_that_buys_as_much_on_demand_as_is_wanted(mix: Mix, capacity: int, more: int) -> None:
    wanted = min(mix.on_demand(capacity) + more, capacity)
    base = mix.base_for(wanted, capacity)
    assert Mix(base=base, share=mix.share).on_demand(capacity) >= wanted
    if base > mix.base:
        assert Mix(base=base - 1, share=mix.share).on_demand(capacity) < wanted


def test_the_base_comes_first_and_a_part_of_a_unit_is_one() -> None:
    assert [Mix(base=2, share=50).on_demand(capacity) for capacity in (1, 2, 3, 4, 5)] == [1, 2, 3, 3, 4]

"""Whatever is packed comes out the same."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.person_state import PersonState, is_out, pack, unpack

STATES = st.builds(
    PersonState,
    st.none() | st.binary(min_size=16, max_size=16),
    st.none() | st.integers(-(2**63), 2**64 - 1),
    st.none() | st.integers(0, 10**14),
    st.integers(0, 10**11),
    st.booleans(),
    st.booleans(),
    st.none() | st.integers(0, 2**63 - 1),
)


@given(STATES)
def test_a_state_survives_its_bytes(state: PersonState) -> None:
    """Every state that decoding lets through."""
    assert unpack(pack(state)) == state
    assert is_out(pack(state)) == (state.deleted, state.opted_out)


@given(STATES, STATES)
def test_different_states_have_different_bytes(one: PersonState, other: PersonState) -> None:
    """Nothing is folded together."""
    assert (pack(one) == pack(other)) == (one == other)

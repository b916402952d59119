"""Strategies for what senders may send."""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.examples import examples

# A busy machine is no failure, and a database is not made anew for each example.
steady = settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def json_values(floats: st.SearchStrategy[float]) -> st.SearchStrategy[Any]:
    leaves = st.none() | st.booleans() | st.integers() | floats | st.text()
    return st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


any_json = json_values(st.floats(allow_nan=False, allow_infinity=False))
# PostgreSQL gives a larger one back as a whole number of the same digits.
exact_json = json_values(st.floats(-1e15, 1e15))
# UTF-8 has no surrogates, and NUL is replaced before anything is kept.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)

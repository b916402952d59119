import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.parsers import decode
from config.problems import Problem

_PLAIN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
TEXTS = _PLAIN | st.sampled_from(['":', 'a": ', ":"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=15,
)


@given(VALUES)
def test_whatever_holds_each_key_once_is_decoded(value: Any) -> None:
    assert decode(json.dumps(value).encode()) == value


@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4), TEXTS)
def test_a_key_given_twice_is_refused_wherever_it_stands(members: dict[str, Any], text: str) -> None:
    key = next(iter(members))
    body = json.dumps(members)[:-1] + f", {json.dumps(key)}: 1}}"
    for whole in (body, f"[{json.dumps(text)}, {body}]", f'{{"outer": {body}}}'):
        with pytest.raises(Problem, match="twice"):
            decode(whole.encode())


def test_a_key_written_in_two_ways_is_the_same_key() -> None:
    with pytest.raises(Problem, match="twice"):
        decode(b'{"a": 1, "\\u0061": 2}')


def test_numbers_of_any_length_are_no_obstacle_to_the_search() -> None:
    decode(b'{"a\\": ": ' + b"9" * 300 + b"}")

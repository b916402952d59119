import re
import time

from hypothesis import given
from hypothesis import strategies as st

from logsvc.loki.labels import logfmt

# As slow as it is plain.
PLAIN = re.compile(r'([A-Za-z_][\w.@-]*)=("(?:[^"\\]|\\.)*"|\S*)')


@given(st.text(st.sampled_from('ab_1.-@é=" \\\n') | st.characters(), max_size=40))
def test_logfmts_pairs_are_those_of_the_plain_pattern(body: str) -> None:
    assert logfmt(body) == {re.sub(r"\W", "_", name): value.strip('"') for name, value in PLAIN.findall(body)}


def test_a_line_that_is_one_long_word_takes_no_time_that_grows_with_its_square() -> None:
    began = time.thread_time()
    assert logfmt("a" * 32_768) == logfmt("1" * 32_768) == logfmt("1a" * 16_384) == {}

    # It took 20 s.
    assert time.thread_time() - began < 2

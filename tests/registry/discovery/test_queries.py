import pytest

from config.problems import Invalid
from registry.api.parameters import HistoryQuery
from registry.discovery import queries


@pytest.mark.parametrize("text", ["1e1", "1.0", "-0", "+1", "1_0", "%EF%BC%91", "01"])
def test_a_number_is_written_in_digits_alone(text: str) -> None:
    for kind, name in ((queries.Services, "limit"), (queries.Instances, "after"), (HistoryQuery, "days")):
        with pytest.raises(Invalid) as refusal:
            queries.parse(kind, f"{name}={text}")
        assert [each["pointer"] for each in refusal.value.errors or []] == [f"/{name}"]

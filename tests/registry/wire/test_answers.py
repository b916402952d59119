import re
from pathlib import Path
from typing import get_args

from registry.models import Change
from registry.wire import answers

PROTOCOL = Path(__file__).parents[3] / "docs" / "protocol.md"


def test_the_description_names_every_change_that_the_journal_can_hold() -> None:
    assert set(get_args(answers.ChangeName)) == set(Change.values)


def test_the_protocol_names_every_change_that_the_journal_can_hold() -> None:
    (sentence,) = re.findall(r"`change` is one of ([^.]*)\.", PROTOCOL.read_text())

    assert re.findall(r"`([a-z-]+)`", sentence) == list(get_args(answers.ChangeName))

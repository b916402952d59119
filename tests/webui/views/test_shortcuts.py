import re

import pytest
from django.test import Client

from tests.webui.faked.world import World

KEY, LISTED = re.compile(r'data-key="([^"]+)"'), re.compile(r"<kbd>([^<]+)</kbd>")


@pytest.mark.parametrize("address", ["/status", "/graph", "/logs", "/alerts", "/public/settings", "/services/grading"])
def test_the_help_lists_every_key_that_the_page_knows(world: World, operator: Client, address: str) -> None:
    world.logsvc.add("something happened")
    page = operator.get(address).content.decode()
    keys = set(KEY.findall(page))
    assert {"?", "g h", "g s", "g d", "g l", "g a", "g p"} <= keys
    assert keys <= set(LISTED.findall(page))


def test_the_help_offers_a_student_no_page_that_does_not_open(world: World, student: Client) -> None:
    assert "g d" not in KEY.findall(student.get("/courses").content.decode())

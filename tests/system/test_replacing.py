"""The registry's database is replaced while it serves."""

from tests.system.serving import HANGING_SECONDS, Server, register
from tests.waiting import until


def test_a_database_that_was_deleted_and_made_anew_is_used_without_a_restart(server: Server) -> None:
    with server.client() as client:
        assert register(client, "before-1") == 201
        server.lose_the_database()
        # Nothing is taken for stored that would be gone with the file.
        assert register(client, "lost-1") == 503
        server.prepare()
    with server.client() as client:
        until(lambda: register(client, "after-1") == 201, seconds=HANGING_SECONDS)
        listed = client.get("/v1/services/billing/instances").json()

    assert [each["instance"] for each in listed["instances"]] == ["after-1"]
    assert server.journalled() == {"after-1": 1}

"""The web UI: pages over what the other services keep; of its own it keeps only accounts and sessions."""

from functools import cached_property
from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    import httpx2

    from webui.last_good import LastGood
    from webui.upstream.breaker import Breaker


class WebuiApp(AppConfig):
    """Owns what this process keeps of the other services: connections, their outages, the last good answers."""

    name = "webui"
    label = "webui"

    @cached_property
    def client(self) -> "httpx2.Client":
        from webui.upstream import exchange

        return exchange.connect()

    @cached_property
    def answers(self) -> "LastGood":
        from webui import last_good

        return last_good.for_all()

    @cached_property
    def breaker(self) -> "Breaker":
        from webui.upstream import exchange
        from webui.upstream.breaker import Breaker

        return Breaker(exchange.offered)

    @cached_property
    def personal_answers(self) -> "LastGood":
        from webui import last_good

        return last_good.for_each_person()

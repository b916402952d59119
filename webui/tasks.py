"""The Celery tasks."""

import time

from celery import shared_task
from django.utils import timezone

from webui import alerts, board, delivery, incidents
from webui.upstream import registry
from webui.upstream.exchange import UpstreamDown

# A look sends messages for this long, and finishes the last one; the rest is sent after the next look.
SENDING_SECONDS = 15.0


@shared_task(name="webui.tasks.watch", ignore_result=True)
def watch() -> None:
    """Look at the services, store incidents, and send messages about them."""
    now = timezone.now()
    try:
        found = incidents.troubles(board.judge(registry.services().services, registry.graph()))
    except UpstreamDown as away:
        incidents.record(incidents.registry_is_away(away.reason), now=now, is_whole=False)
    else:
        incidents.record(found, now=now)
    until = time.monotonic() + SENDING_SECONDS
    for number in alerts.write(now=now):
        message = alerts.claim(number, now=timezone.now())
        if message is not None:
            alerts.settle(message, error=delivery.send(message), now=timezone.now())
            if time.monotonic() >= until:
                break

"""One app: it joins the registry when the project is served, and its URLs take the registry's webhooks."""

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.utils.autoreload import file_changed

JOINING = "registry.client.django.joining.JoiningMiddleware"


class ClientApp(AppConfig):
    name = "registry.client.django"
    label = "rollcall_client"
    verbose_name = "Rollcall client"

    def ready(self) -> None:
        from .checks import check_configuration, check_reachability
        from .joining import hand_over

        file_changed.connect(hand_over)
        checks.register(check_configuration)
        checks.register(check_reachability)
        if JOINING not in settings.MIDDLEWARE:
            # The first in the list is built last: a handler joins only once the rest of it is built.
            settings.MIDDLEWARE = [JOINING, *settings.MIDDLEWARE]

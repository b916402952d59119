"""Bearer tokens, taken the same way by every service that has an API; each service keeps its own."""

from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from config.tokens.gate import Gate


class TokensApp(AppConfig):
    """Owns this process's gate."""

    name = "config.tokens"
    label = "tokens"
    gate: "Gate"

    def ready(self) -> None:
        # Not before: it uses the models.
        from config.tokens.gate import Gate

        self.gate = Gate()

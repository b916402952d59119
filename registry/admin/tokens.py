"""Tokens in the registry's admin: before one is revoked, its page names the instances that were registered with it."""

from django.contrib import admin

from config.tokens.admin import TokenAdmin
from config.tokens.models import Token
from registry.instances import catalogue
from registry.models import Instance

MOST_NAMED = 20

admin.site.unregister(Token)


@admin.register(Token)
class RegistryTokenAdmin(TokenAdmin):
    def holders(self, token: Token) -> list[str]:
        registered = Instance.objects.filter(registered_by=token.name).order_by("service", "name")
        found = list(registered.values_list("service", "name")[: MOST_NAMED + 1])
        if not found:
            return []
        services = {service for service, _ in found}
        dependents = {name for each in catalogue.summaries() if each.service in services for name in each.required_by}
        named = [f"{service}/{name}" for service, name in found[:MOST_NAMED]]
        more = f" and {registered.count() - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        required = f"; required by {', '.join(sorted(dependents))}" if dependents else ""
        return [f"{', '.join(named)}{more}{required}"]

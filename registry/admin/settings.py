"""The settings in force in the whole system, read-only, with secrets masked."""

from typing import Any

from django.conf import settings

from config import in_force
from config.admin import settings as admin_settings
from config.admin.settings import Section, grouped, read_at
from config.services import SERVICES
from registry.instances import catalogue


class SettingsView(admin_settings.SettingsView):
    permissions = ("registry.view_settings",)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, sections=sections(), services=addresses(), whole_url="")


def sections() -> list[Section]:
    """Settings that all services have alike come first, and are not repeated below."""
    found = {name: in_force.published(name) for name in SERVICES}
    known = {name: each.values for name, each in found.items() if each is not None}
    # This process knows its own in any case.
    known[settings.SERVICE.name] = in_force.own()
    first, *others = known.values()
    alike = {
        name: value
        for name, value in first.items()
        if others and all(name in other and other[name] == value for other in others)
    }
    shown = [Section(title="All services", note="the same in each of them", groups=grouped(alike))] if alike else []
    for name, published in found.items():
        if name in known:
            different = {key: value for key, value in known[name].items() if key not in alike}
            shown.append(Section(title=name, note=read_at(published), groups=grouped(different)))
        else:
            note = "no process of it has served with this data directory: it runs elsewhere, or has never started"
            shown.append(Section(title=name, note=note, groups=[]))
    return shown


def addresses() -> list[tuple[str, str, str]]:
    """This system's services: what each requires, and where its instances are registered."""
    offered = catalogue.offered(SERVICES)
    return [
        (
            name,
            ", ".join(service.requires) or "nothing",
            ", ".join(each.url for each in offered[name]) or "no instance is offered",
        )
        for name, service in SERVICES.items()
    ]

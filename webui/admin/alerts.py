"""Incidents and the messages about them, to be looked at, and the channels that these go to."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from config import escaping
from config.admin import cells as admin_cells
from config.admin.pages import ReadOnlyAdmin
from webui.alerts import some_of
from webui.models import Channel, Incident, Message
from webui.views.alerts import ChannelForm


class IsOverFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "is"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "still lasts"), ("over", "over"), ("suspected", "suspected, nobody was told yet")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Incident]) -> QuerySet[Incident]:
        match self.value():
            case "open":
                return queryset.filter(ended_at=None).exclude(confirmed_at=None)
            case "suspected":
                return queryset.filter(ended_at=None, confirmed_at=None)
            case "over":
                return queryset.exclude(ended_at=None)
        return queryset


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    list_display = ["causes", "what", "began", "ended", "affects", "why"]
    list_filter = [IsOverFilter, "severity"]
    search_fields = ["service", "reason"]

    @display(description="service", ordering="service")
    def causes(self, incident: Incident) -> str:
        return some_of(incident.services)

    @display(description="state", ordering="state")
    def what(self, incident: Incident) -> str:
        return admin_cells.state(incident.state)

    @display(description="began", ordering="began_at")
    def began(self, incident: Incident) -> str:
        return admin_cells.when(incident.began_at)

    @display(description="over", ordering="ended_at")
    def ended(self, incident: Incident) -> str:
        return admin_cells.when(incident.ended_at) if incident.ended_at else "still lasts"

    @display(description="affects")
    def affects(self, incident: Incident) -> str:
        return some_of(incident.affected)

    @display(description="reason")
    def why(self, incident: Incident) -> str:
        return escaping.visible(incident.reason)


class AdminChannelForm(ChannelForm):
    """The form of the web UI's own page, in the admin's theme."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, field in self.fields.items():
            themed = self.base_fields[name].widget.attrs.get("class")
            field.widget.attrs["class"] = themed or UnfoldAdminTextInputWidget().attrs["class"]


@admin.register(Channel)
class ChannelAdmin(ModelAdmin):
    form = AdminChannelForm
    list_display = ["name", "severity", "told_of", "quiet", "remind_minutes", "is_enabled"]
    list_filter = ["severity", "is_enabled"]
    search_fields = ["name"]
    # The address contains passwords: it can be replaced, but is never shown.
    fields = [
        "name",
        "url",
        "services",
        "severity",
        "zone",
        "quiet_from",
        "quiet_until",
        "remind_minutes",
        "is_enabled",
    ]

    def get_fields(self, request: HttpRequest, obj: Channel | None = None) -> list[str]:
        may_change = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        return [name for name in self.fields if may_change or name != "url"]

    @display(description="services")
    def told_of(self, channel: Channel) -> str:
        return ", ".join(channel.services) or "every service"

    @display(description="quiet")
    def quiet(self, channel: Channel) -> str:
        if channel.quiet_from is None:
            return ""
        return f"{channel.quiet_from:%H:%M} to {channel.quiet_until:%H:%M}, {channel.zone}"


class SentFilter(admin.SimpleListFilter):
    title = "delivery"
    parameter_name = "is"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("sent", "delivered"), ("failing", "failed, is tried again"), ("given-up", "given up")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        match self.value():
            case "sent":
                return queryset.exclude(sent_at=None)
            case "failing":
                return queryset.filter(sent_at=None, attempts__gt=0).exclude(try_at=None)
            case "given-up":
                return queryset.filter(sent_at=None, try_at=None)
        return queryset


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ["written", "channel", "title", "delivered", "attempts", "fault"]
    list_filter = [SentFilter, "kind", "channel"]
    list_select_related = ["channel"]
    search_fields = ["title", "channel__name"]
    actions = ["send_again"]

    @display(description="written", ordering="written_at")
    def written(self, message: Message) -> str:
        return admin_cells.when(message.written_at)

    @display(description="delivered", ordering="sent_at")
    def delivered(self, message: Message) -> str:
        if message.sent_at:
            return admin_cells.when(message.sent_at)
        if message.try_at is None:
            return admin_cells.state("critical", "given up")
        return admin_cells.state("warning", "tried again") if message.attempts else admin_cells.state("starting", "due")

    @display(description="error")
    def fault(self, message: Message) -> str:
        return escaping.visible(message.error)

    @admin.action(description="Send again what was not delivered", permissions=["send"])
    def send_again(self, request: HttpRequest, chosen: QuerySet[Message]) -> None:
        numbers = list(chosen.filter(sent_at=None).values_list("pk", flat=True))
        count = Message.objects.filter(pk__in=numbers, sent_at=None).update(try_at=timezone.now(), attempts=0)
        for message in Message.objects.filter(pk__in=numbers):
            self.log_change(request, message, "Sent again.")
        messages.success(request, f"On their way again, within five seconds: {count} of {chosen.count()}.")

    def has_send_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("webui.change_message"))

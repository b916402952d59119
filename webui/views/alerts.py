"""The operators' pages of alert channels and of the messages that were sent."""

from datetime import time
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from webui import alerts, delivery
from webui.models import Channel, Incident, Kind, Message, Severity
from webui.roles import Role, opens_to

RECENT = 30


class ChannelForm(forms.ModelForm[Channel]):
    services = forms.CharField(
        label=gettext_lazy("Services"),
        required=False,
        max_length=2000,
        help_text=gettext_lazy("Names, or beginnings such as team-*, separated by spaces; empty: every service."),
    )
    # A stored address is never shown again: it holds passwords.
    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=2000,
        help_text=gettext_lazy(
            "As Apprise writes it: mailto://user:password@example.com, slack://…, workflows://…, pagerduty://…, "
            "ntfy://…, json://host/path for a webhook."
        ),
    )

    class Meta:
        model = Channel
        fields = (
            *("name", "url", "services", "severity", "zone", "quiet_from", "quiet_until", "remind_minutes"),
            "is_enabled",
        )
        labels = {
            "name": gettext_lazy("Name"),
            "severity": gettext_lazy("From which severity on"),
            "zone": gettext_lazy("Time zone of the quiet hours"),
            "quiet_from": gettext_lazy("Quiet from"),
            "quiet_until": gettext_lazy("Quiet until"),
            "remind_minutes": gettext_lazy("Remind after so many minutes"),
            "is_enabled": gettext_lazy("In use"),
        }
        widgets = {
            "quiet_from": forms.TimeInput(attrs={"type": "time"}),
            "quiet_until": forms.TimeInput(attrs={"type": "time"}),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk:
            self.initial["services"] = " ".join(self.instance.services)
            self.initial["url"] = ""
            self.fields["url"].required = False
        for field in self.fields.values():
            is_check = isinstance(field.widget, forms.CheckboxInput)
            is_select = isinstance(field.widget, forms.Select)
            field.widget.attrs["class"] = (
                "form-check-input" if is_check else "form-select" if is_select else "form-control"
            )

    def clean_services(self) -> list[str]:
        return str(self.cleaned_data["services"]).replace(",", " ").split()

    def clean_zone(self) -> str:
        zone = str(self.cleaned_data["zone"])
        if zone not in available_timezones():
            raise forms.ValidationError(_("No such time zone: write it such as Europe/Berlin."))
        return zone

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"]).strip() or self.instance.url or ""
        problem = delivery.problem_of(url)
        if problem:
            raise forms.ValidationError(problem)
        return url

    def clean_remind_minutes(self) -> int | None:
        minutes: int | None = self.cleaned_data["remind_minutes"]
        if minutes is not None and not 1 <= minutes <= 525_600:
            raise forms.ValidationError(_("Between a minute and a year."))
        return minutes

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        quiet: tuple[time | None, time | None] = (given.get("quiet_from"), given.get("quiet_until"))
        if (quiet[0] is None) != (quiet[1] is None):
            raise forms.ValidationError(_("Quiet hours need a beginning and an end."))
        return given


@require_safe
@opens_to(Role.OPERATOR)
def show_alerts(request: HttpRequest) -> HttpResponse:
    context = {
        "channels": Channel.objects.all(),
        "incidents": Incident.objects.exclude(confirmed_at=None)[:RECENT],
        "sent": Message.objects.select_related("channel")[:RECENT],
    }
    return render(request, "webui/alerts.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(Role.OPERATOR)
def edit_channel(request: HttpRequest, number: int | None = None) -> HttpResponse:
    channel = get_object_or_404(Channel, pk=number) if number else None
    form = ChannelForm(request.POST or None, instance=channel)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("“%(name)s” is saved.") % {"name": form.instance.name})
        return redirect("alerts")
    status = 422 if form.errors else 200
    return render(request, "webui/channel.html", {"form": form, "channel": channel}, status=status)


@require_POST
@opens_to(Role.OPERATOR)
def delete_channel(request: HttpRequest, number: int) -> HttpResponse:
    get_object_or_404(Channel, pk=number).delete()
    messages.success(request, _("The channel is deleted."))
    return redirect("alerts")


@require_POST
@opens_to(Role.OPERATOR)
def try_channel(request: HttpRequest, number: int) -> HttpResponse:
    """Send a test message now, so that a wrong address is not found only in an outage."""
    channel = get_object_or_404(Channel, pk=number)
    now = timezone.now()
    incident = Incident(service="example", state="critical", severity=Severity.CRITICAL, began_at=now)
    incident.reason = _("this is only a trial")
    title, body = alerts.compose(incident, Kind.BEGAN, now=now)
    title = _("Trial: %(title)s") % {"title": title}
    trial = Message(channel=channel, incident=incident, kind=Kind.BEGAN, title=title, body=body, written_at=now)
    error = delivery.send(trial)
    if error:
        messages.error(request, _("The trial failed: %(error)s") % {"error": error})
    else:
        messages.success(request, _("The trial was sent to “%(name)s”.") % {"name": channel.name})
    return redirect("alerts")

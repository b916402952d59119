"""The public status page with its feed and badges, and where an operator decides what it shows."""

from django.contrib import messages
from django.contrib.syndication.views import Feed
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_cookie

from webui import charts, public
from webui.board import State
from webui.models import PublicPage
from webui.public import Event
from webui.roles import STAFF, Role, opens_to, roles_of
from webui.views.status import STATE_WORDS, look

_COLOURS = {State.PASSING: "#17703a", State.CRITICAL: "#b3261e", State.MISSING: "#b3261e", State.STARTING: "#1f5fae"}
_OTHERWISE = "#8a4b00"


@require_safe
@cache_control(public=True, max_age=10)
# The reader's time zone is in one.
@vary_on_cookie
def show_public(request: HttpRequest) -> HttpResponse:
    page = _page()
    looked = look()
    rows = public.rows(page, looked.value.board) if looked.value else []
    today = timezone.now().date()
    context = {
        "page": page,
        "rows": [(row, STATE_WORDS[row.state], charts.daily_bars(row.service.days, today=today)) for row in rows],
        "troubled": [(row, STATE_WORDS[row.state]) for row in rows if row.state is not State.PASSING],
        "events": public.events(page.services, now=timezone.now())[:20],
        "at": looked.at,
        "is_stale": looked.outage is not None,
    }
    return render(request, "webui/public.html", context)


@require_safe
def show_badge(request: HttpRequest, service: str) -> HttpResponse:
    """A service's badge: for anybody where the public page shows the service; for staff any."""
    page = public.settings()
    if not (page.is_enabled and service in page.services) and not roles_of(request.user) & STAFF:
        raise Http404
    looked = look()
    row = looked.value.board.row(service) if looked.value else None
    word, colour = (_("unknown"), "#4d5866")
    if row is not None and looked.outage is None:
        word, colour = str(STATE_WORDS[row.state]), _COLOURS.get(row.state, _OTHERWISE)
    elif row is None and looked.outage is None:
        raise Http404
    answer = HttpResponse(public.badge(service, word, colour), content_type="image/svg+xml")
    answer["Cache-Control"] = "public, max-age=30" if page.is_enabled and service in page.services else "no-store"
    return answer


class PublicFeed(Feed[Event, PublicPage]):
    feed_type = Atom1Feed

    def get_object(self, request: HttpRequest, *args: object, **options: object) -> PublicPage:
        return _page()

    def title(self, page: PublicPage) -> str:
        return page.title

    def link(self, page: PublicPage) -> str:
        return reverse("public")

    def items(self, page: PublicPage) -> list[Event]:
        return public.events(page.services, now=timezone.now())[:50]

    def item_title(self, event: Event) -> str:
        if event.ended_at:
            return _("%(service)s is well again") % {"service": event.service}
        return _("%(service)s is %(state)s") % {"service": event.service, "state": event.state}

    def item_description(self, event: Event) -> str:
        words = {"began": f"{event.began_at:%Y-%m-%d %H:%M} UTC", "ended": f"{event.changed_at:%Y-%m-%d %H:%M} UTC"}
        return _("From %(began)s to %(ended)s.") % words if event.ended_at else _("Since %(began)s.") % words

    def item_link(self, event: Event) -> str:
        return f"{reverse('public')}#incident-{event.id}-{event.service}"

    def item_updateddate(self, event: Event) -> object:
        return event.changed_at

    def item_pubdate(self, event: Event) -> object:
        return event.began_at


@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(Role.OPERATOR)
def edit_public(request: HttpRequest) -> HttpResponse:
    page = public.settings()
    if request.method == "POST":
        page.is_enabled = bool(request.POST.get("is_enabled"))
        page.title = request.POST.get("title", "").strip()[:100] or "Status"
        page.services = [name for name in request.POST.getlist("services") if len(name) <= 255][:500]
        page.save()
        messages.success(request, _("The public page is saved."))
        return redirect("public-settings")
    looked = look()
    names = [row.name for row in looked.value.board.rows] if looked.value else []
    names = sorted({*names, *page.services})
    return render(request, "webui/public_settings.html", {"page": page, "names": names})


def _page() -> PublicPage:
    page = public.shown(public.settings())
    if page is None:
        raise Http404
    return page

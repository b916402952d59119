"""/api/v1/searches and /api/v1/rules: saved searches and alert rules."""

from datetime import datetime
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from config.problems import NotFound
from config.tokens.holder import Holder
from logsvc.alerts import declaration, messages
from logsvc.alerts.declaration import RuleBody, SearchBody
from logsvc.api.views import LogsvcView
from logsvc.models import AlertMessage, AlertRule, SavedSearch

MESSAGES_SHOWN = 20


class SearchesView(LogsvcView):
    def get(self, request: Request) -> Response:
        return Response({"searches": [_search_body(each) for each in _searches(self, request)]})

    def post(self, request: Request) -> Response:
        self.readable(request)
        body = declaration.read(request.data, SearchBody)
        return Response(_search_body(declaration.save_search(None, body, holder=_holder(request))), status=201)


class SearchView(LogsvcView):
    def get(self, request: Request, identifier: str) -> Response:
        return Response(_search_body(self._search(request, identifier)))

    def put(self, request: Request, identifier: str) -> Response:
        search = self._search(request, identifier)
        body = declaration.read(request.data, SearchBody)
        return Response(_search_body(declaration.save_search(search, body, holder=_holder(request))))

    def delete(self, request: Request, identifier: str) -> Response:
        self._search(request, identifier).delete()
        return Response(status=204)

    def _search(self, request: Request, identifier: str) -> SavedSearch:
        found = _searches(self, request).filter(pk=_pk(identifier)).first()
        if found is None:
            raise NotFound(f"There is no saved search {identifier[:40]}.")
        return found


class RulesView(LogsvcView):
    scopes: ClassVar[dict[str, str]] = {"POST": "log:rules"}

    def get(self, request: Request) -> Response:
        return Response({"rules": [_rule_body(each) for each in _rules(self, request)]})

    def post(self, request: Request) -> Response:
        """Make a rule; this is the only answer that holds its secret."""
        self.readable(request)
        body = declaration.read(request.data, RuleBody)
        rule = declaration.save_rule(None, body, holder=_holder(request))
        return Response(_rule_body(rule) | {"secret": rule.secret}, status=201)


class RuleView(LogsvcView):
    scopes: ClassVar[dict[str, str]] = {"PUT": "log:rules", "DELETE": "log:rules"}

    def get(self, request: Request, identifier: str) -> Response:
        rule = _rule(self, request, identifier)
        sent = [_message_body(each) for each in rule.messages.all()[:MESSAGES_SHOWN]]
        return Response(_rule_body(rule) | {"messages": sent})

    def put(self, request: Request, identifier: str) -> Response:
        rule = _rule(self, request, identifier)
        body = declaration.read(request.data, RuleBody)
        return Response(_rule_body(declaration.save_rule(rule, body, holder=_holder(request))))

    def delete(self, request: Request, identifier: str) -> Response:
        _rule(self, request, identifier).delete()
        return Response(status=204)


class RuleTestView(LogsvcView):
    scopes: ClassVar[dict[str, str]] = {"POST": "log:rules"}

    def post(self, request: Request, identifier: str) -> Response:
        """Queue a message that says it is a test."""
        rule = _rule(self, request, identifier)
        return Response(_message_body(messages.add_test(rule, now=timezone.now())), status=202)


def _searches(view: LogsvcView, request: Request) -> QuerySet[SavedSearch]:
    """All searches for a token that may read everything, else its own."""
    found = SavedSearch.objects.all()
    return found if view.readable(request).are_all else found.filter(owner=_holder(request).name)


def _rules(view: LogsvcView, request: Request) -> QuerySet[AlertRule]:
    found = AlertRule.objects.all()
    return found if view.readable(request).are_all else found.filter(owner=_holder(request).name)


def _rule(view: LogsvcView, request: Request, identifier: str) -> AlertRule:
    found = _rules(view, request).filter(pk=_pk(identifier)).first()
    if found is None:
        raise NotFound(f"There is no alert rule {identifier[:40]}.")
    return found


def _holder(request: Request) -> Holder:
    assert isinstance(request.user, Holder), "HasScope has let it pass"
    return request.user


def _pk(identifier: str) -> int:
    """The key, or 0, which no row has, for a number that no database holds."""
    return int(identifier) if len(identifier) <= 18 else 0


def _search_body(search: SavedSearch) -> dict[str, Any]:
    return {
        "id": search.pk,
        "name": search.name,
        "query": search.query,
        "description": search.description,
        "owner": search.owner,
        "changed_at": _shown(search.changed_at),
    }


def _rule_body(rule: AlertRule) -> dict[str, Any]:
    return {
        "id": rule.pk,
        "name": rule.name,
        "query": rule.query,
        "condition": rule.condition,
        "threshold": rule.threshold,
        "window_seconds": rule.window_seconds,
        "quiet_seconds": rule.quiet_seconds,
        "url": rule.url,
        "enabled": rule.is_enabled,
        "owner": rule.owner,
        "state": rule.state,
        "since": _shown(rule.since),
        "count": rule.count,
        "trouble": rule.trouble,
        "evaluated_at": _shown(rule.evaluated_at),
        "told_at": _shown(rule.told_at),
        "changed_at": _shown(rule.changed_at),
    }


def _message_body(message: AlertMessage) -> dict[str, Any]:
    return {
        "webhook_id": message.webhook_id,
        "type": message.kind,
        "created_at": _shown(message.created_at),
        "attempts": message.attempts,
        "due_at": _shown(message.due_at),
        "delivered_at": _shown(message.delivered_at),
        "status": message.status,
        "error": message.error,
    }


def _shown(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")

"""Checks and stores saved searches and alert rules."""

from typing import Any, Literal, TypeVar

import msgspec
from django.conf import settings
from django.db import IntegrityError, transaction
from msgspec import Struct

from config import shapes
from config.problems import Conflict, Invalid
from config.tokens.holder import Holder
from logsvc.alerts.post import refusal
from logsvc.models import AlertRule, AlertState, SavedSearch
from logsvc.query import parser
from registry.client import webhook

T = TypeVar("T")
AT_MOST = 200
NAME_LENGTH, QUERY_LENGTH, DESCRIPTION_LENGTH, URL_LENGTH = 100, parser.LENGTH, 500, 500


class SearchBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    query: str = ""
    description: str = ""


class RuleBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    url: str
    threshold: int
    query: str = ""
    condition: Literal["more-than", "fewer-than"] = "more-than"
    window_seconds: int = 300
    quiet_seconds: int = 3600
    # Generated when none is given.
    secret: str | None = None
    enabled: bool = True


def read(given: Any, kind: type[T]) -> T:
    """Convert a body. Raises Invalid."""
    shapes.decoder(kind)
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise Invalid(f"{error}.") from error


def save_search(search: SavedSearch | None, body: SearchBody, *, holder: Holder) -> SavedSearch:
    """Change a saved search, or make one for the holder."""
    checks = [_name(body.name), *_query(body.query)]
    if len(body.description) > DESCRIPTION_LENGTH:
        checks.append(_error("description", f"It may have at most {DESCRIPTION_LENGTH} characters."))
    _raise(checks)
    if search is None:
        _check_room(SavedSearch.objects.filter(owner=holder.name).count())
        search = SavedSearch(owner=holder.name)
    search.name, search.query, search.description = body.name, body.query, body.description
    _save(search)
    return search


def save_rule(rule: AlertRule | None, body: RuleBody, *, holder: Holder) -> AlertRule:
    """Change a rule, which then starts anew, or make one for the holder."""
    problems = [_name(body.name), *_query(body.query)]
    if len(body.url) > URL_LENGTH:
        problems.append(_error("url", f"It may have at most {URL_LENGTH} characters."))
    elif trouble := refusal(body.url, allowed=settings.ALERT_NETWORKS):
        problems.append(_error("url", trouble))
    if body.secret is not None and (trouble := secret_trouble(body.secret)):
        problems.append(_error("secret", trouble))
    for name, value, lowest, highest in (
        ("threshold", body.threshold, 0, 2**31 - 1),
        ("window_seconds", body.window_seconds, 10, 86_400),
        ("quiet_seconds", body.quiet_seconds, 0, 30 * 86_400),
    ):
        if not lowest <= value <= highest:
            problems.append(_error(name, f"It is a number from {lowest} to {highest}."))
    if body.condition == "fewer-than" and body.threshold == 0:
        problems.append(_error("threshold", "Nothing is fewer than 0: use 1 or more."))
    _raise(problems)
    if rule is None:
        _check_room(AlertRule.objects.filter(owner=holder.name).count())
        rule = AlertRule(owner=holder.name)
    rule.name, rule.query, rule.url = body.name, body.query, body.url
    rule.condition, rule.threshold = body.condition, body.threshold
    rule.window_seconds, rule.quiet_seconds, rule.is_enabled = body.window_seconds, body.quiet_seconds, body.enabled
    rule.secret = body.secret or rule.secret or webhook.new_secret()
    start_anew(rule)
    _save(rule)
    return rule


def start_anew(rule: AlertRule) -> None:
    """Reset the counts and notifications that belong to the rule as it was before."""
    rule.state, rule.since, rule.count, rule.trouble = AlertState.OK, None, None, ""
    rule.evaluated_at = rule.told_at = None
    rule.is_told = False


def query_trouble(text: str) -> str:
    """Say what is wrong with a query; "" when it is valid."""
    try:
        parser.parse(text)
    except Invalid as error:
        return error.detail
    return ""


def secret_trouble(secret: str) -> str:
    try:
        webhook.sign(secret=secret, message_id="", timestamp=0, body=b"")
    except ValueError as error:
        return str(error)
    return "" if secret.startswith("whsec_") else "It begins with whsec_."


def _save(kept: SavedSearch | AlertRule) -> None:
    try:
        with transaction.atomic():
            kept.save()
    except IntegrityError as error:
        raise Conflict(f"There is one named {kept.name!r} already: change that one, or use another name.") from error


def _name(name: str) -> dict[str, str] | None:
    if not name.strip() or len(name) > NAME_LENGTH or not name.isprintable():
        return _error("name", f"It has 1 to {NAME_LENGTH} printable characters.")
    return None


def _query(text: str) -> list[dict[str, str]]:
    trouble = query_trouble(text)
    return [_error("query", trouble)] if trouble else []


def _error(name: str, detail: str) -> dict[str, str]:
    return {"pointer": f"/{name}", "detail": detail}


def _raise(problems: list[dict[str, str] | None]) -> None:
    wrong = [each for each in problems if each is not None]
    if wrong:
        raise Invalid("See `errors` for each member.", errors=wrong)


def _check_room(count: int) -> None:
    if count >= AT_MOST:
        raise Conflict(f"A token may keep at most {AT_MOST} of these: delete one first.")

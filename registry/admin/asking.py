"""The confirmation page of an operation: its targets, the services it affects, and its form."""

from contextlib import nullcontext
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.generic import FormView
from unfold.views import UnfoldModelAdminViewMixin

from config.problems import Invalid, Problem
from registry.admin import audit, cells
from registry.admin.operations import OPERATIONS, PERMISSION, Operation, Order, name_of
from registry.instances import catalogue, declaration, impact
from registry.models import Instance, InstanceKey

# As many as an address may hold; for more there is the service's page.
MOST_TARGETS = 100


class OperationView(UnfoldModelAdminViewMixin, FormView[Form]):
    permission_required = PERMISSION
    template_name = "registry/admin/operation.html"

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        if kwargs["name"] not in OPERATIONS:
            raise Http404
        self.operation = OPERATIONS[kwargs["name"]]
        self.targets = []
        try:
            for written in dict.fromkeys(request.GET.getlist("target")):
                service, _, instance = written.partition("/")
                declaration.instance_key(service, instance or service)
                self.targets.append(InstanceKey(service=service, instance=instance))
            _check(self.operation, self.targets)
        except Problem as problem:
            raise Http404(problem.detail) from problem
        self.title = self.operation.title

    def get_form_class(self) -> type[Form]:
        return self.operation.form

    def get_initial(self) -> dict[str, Any]:
        names = self.operation.form.base_fields
        return {name: self.request.GET[name] for name in names if name in self.request.GET}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        affected = self.targets if self.operation.needs_targets else _suspects()
        return super().get_context_data(
            **kwargs,
            operation=self.operation,
            names=[name_of(each) for each in self.targets],
            impacts=impact.of_removing(affected),
            back=self._back(),
        )

    def form_valid(self, form: Form) -> HttpResponse:
        given, author = form.cleaned_data, audit.author(self.request)
        order = Order(targets=self.targets, given=given, author=author, now=timezone.now())
        secret = ""
        try:
            # The change and its audit entry are stored together; but no network call is made inside a transaction.
            with nullcontext() if self.operation.sends else transaction.atomic():
                said, secret = self._carry_out(order)
        except Problem as problem:
            messages.error(self.request, problem.detail)
            return redirect(self._back())
        if secret:
            # Not a message: that would be kept in a cookie until it is read.
            context = {**self.get_context_data(form=form), "said": said, "secret": secret}
            return TemplateResponse(
                self.request, "registry/admin/secret.html", context, headers={"Cache-Control": "no-store"}
            )
        messages.success(self.request, said)
        return redirect(self._back())

    def _carry_out(self, order: Order) -> tuple[str, str]:
        """Run the operation and log it; returns what was done, and the secret that was made."""
        keys = {target: audit.key_of(target) for target in order.targets}
        reveal = self.operation.reveal
        said, secret = reveal(order) if reveal else (self.operation.carry_out(order), "")
        reason = order.given.get("reason", "")
        logged = f"{said} Reason: {reason}" if reason and reason not in said else said
        for target in order.targets:
            removes = self.operation.deregisters
            audit.log(self.request, name_of(target), logged, key=keys[target], removes=removes)
        if not order.targets:
            audit.log(self.request, audit.PROTECTION, logged, key=None)
        return said, secret

    def _back(self) -> str:
        """The instance's page while it is registered, else its service's; for several services their list."""
        if len(self.targets) == 1 and (key := audit.key_of(self.targets[0])):
            return cells.instance_url(int(key))
        services = {each.service for each in self.targets}
        known = {each.service for each in catalogue.summaries()} & services
        return cells.service_url(known.pop()) if len(services) == len(known) == 1 else cells.services_url()


def ask(request: HttpRequest, name: str, instances: list[Instance]) -> HttpResponse | None:
    """Lead from a selection in a list to the operation's confirmation page."""
    chosen = [InstanceKey(service=each.service, instance=each.name) for each in instances]
    try:
        _check(OPERATIONS[name], chosen)
    except Problem as problem:
        messages.error(request, problem.detail)
        return None
    return redirect(cells.operation_url(name, chosen))


def _suspects() -> list[InstanceKey]:
    found = Instance.objects.filter(is_suspect=True).values_list("service", "name")[:MOST_TARGETS]
    return [InstanceKey(service=service, instance=name) for service, name in found]


def _check(operation: Operation, targets: list[InstanceKey]) -> None:
    if bool(targets) != operation.needs_targets:
        raise Invalid(f"{operation.title}: choose instances first.")
    if len(targets) > (1 if operation.is_for_one else MOST_TARGETS):
        most = "one instance" if operation.is_for_one else f"{MOST_TARGETS} instances"
        raise Invalid(f"{operation.title}: choose at most {most} at once.")
    if not operation.is_for_services and not all(each.instance for each in targets):
        raise Invalid(f"{operation.title}: choose instances, not a whole service.")

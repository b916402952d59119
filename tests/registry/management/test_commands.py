import json
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from config.problems import Unauthenticated
from config.tokens import issuing
from registry.models import Instance, Maintenance

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    output = StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue()


def failure_of(call: Callable[[], object], *, code: int = 2) -> CommandError:
    with pytest.raises(CommandError) as failure:
        call()
    assert failure.value.returncode == code
    return failure.value


def test_an_instance_is_registered_listed_and_deregistered() -> None:
    assert "Registered billing/billing-1" in run(
        "register_service",
        "billing",
        "http://127.0.0.1:9000",
        "--requires=logsvc",
        "--requires=mail",
        "--heartbeat",
        "http",
    )
    instance = Instance.objects.get()
    assert instance.requires == ["logsvc", "mail"]
    assert instance.heartbeat_url == "http://127.0.0.1:9000/healthz"

    assert "billing-1" in run("list_services")
    assert json.loads(run("list_services", "billing", "--json"))[0]["instance"] == "billing-1"
    assert "Updated" in run("register_service", "billing", "http://127.0.0.1:9001")

    assert run("deregister_service", "billing") == "Deregistered billing/billing-1.\n"
    assert not Instance.objects.exists()


def test_a_long_name_widens_its_own_line_alone() -> None:
    url = "http://127.0.0.1:9000"
    for service, instance in (("billing", "b-1"), ("orders", "o" * 255)):
        run("register_service", service, url, "--instance", instance)

    header, billing, orders = run("list_services").splitlines()

    assert header.index("STATUS") == billing.index("starting") < 100
    assert "o" * 255 in orders


def test_what_is_wrong_is_one_sentence_and_exit_code_2() -> None:
    assert "no name" in str(failure_of(lambda: run("register_service", "Billing", "http://127.0.0.1:9000")))
    assert str(failure_of(lambda: run("register_service", "billing", "nonsense"))).startswith("url: ")
    assert "'billing'" in str(failure_of(lambda: run("deregister_service", "billing")))
    assert "'billing-9'" in str(failure_of(lambda: run("deregister_service", "billing", "billing-9")))
    assert "check the name" in str(failure_of(lambda: run("list_services", "biling")))
    assert not Instance.objects.exists()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--heartbeat", "script"),
        ("--heartbeat-url", "ftp://127.0.0.1/"),
        ("--interval", "0"),
        ("--requires", "No name"),
        ("--tag", ""),
        ("--zone", "z" * 101),
        ("--service-version", "z" * 101),
        ("--notify-url", "nowhere"),
        ("--notify-secret", "s" * 121),
        ("--instance", "No name"),
    ],
)
def test_a_value_that_cannot_be_is_named_by_the_option_that_gave_it(option: str, value: str) -> None:
    failure = failure_of(lambda: run("register_service", "billing", "http://127.0.0.1:1", option, value))
    assert f"{option}: " in str(failure)


def test_several_requirements_in_one_word_are_answered_with_how_to_say_them() -> None:
    words = ("register_service", "billing", "http://127.0.0.1:1", "--requires", "logsvc,mail")

    assert str(failure_of(lambda: run(*words))) == (
        "--requires: 'logsvc,mail' is no service's name: repeat the option for each, --requires logsvc --requires mail."
    )


@pytest.mark.parametrize("command", ["maintenance", "drain", "deregister_service"])
def test_a_reason_that_is_too_long_is_refused_before_a_database_refuses_it(command: str) -> None:
    run("register_service", "billing", "http://127.0.0.1:9000")

    failure = failure_of(lambda: run(command, "billing", "billing-1", "--reason", "r" * 501))

    assert str(failure) == "--reason: Expected `str` of length <= 500"
    assert json.loads(run("list_services", "--json"))[0]["status"] == "starting"


def test_only_what_was_typed_is_called_no_name() -> None:
    failure = failure_of(lambda: run("maintenance", "No name"))
    assert str(failure).startswith("This names no instance. service: 'No name' is no name")
    assert str(failure).count("'No name'") == 1


def test_everybody_is_not_told_where_one_is_named() -> None:
    failure = failure_of(lambda: run("replay_notifications", "webui", "webui-1", "--all"))
    assert str(failure) == "Name a service and its instance, or say --all."


def test_maintenance_is_not_ended_and_given_an_end_at_once() -> None:
    assert "--end" in str(failure_of(lambda: run("maintenance", "billing", "--minutes", "5", "--end"), code=1))


def test_a_service_that_is_only_required_is_listed_without_instances() -> None:
    run("register_service", "billing", "http://127.0.0.1:9000", "--requires", "logsvc")

    assert run("list_services", "logsvc", "--json") == "[]\n"


def test_a_token_is_printed_once_alone_and_kept_as_a_hash() -> None:
    token = run("create_token", "ci", "--scope", "read", "--scope", "register:*")

    assert token.startswith("rct_")
    assert token.count("\n") == 1
    holder = issuing.holder(token.strip())
    assert holder.may("read")
    assert holder.may_register("anything")
    assert token.strip() not in run("list_tokens")
    assert "taken" not in run("list_tokens", "--json")


def test_token_commands_refuse_what_makes_no_sense() -> None:
    assert "is not a scope" in str(failure_of(lambda: run("create_token", "ci", "--scope", "everything")))
    assert "at least one --scope" in str(failure_of(lambda: run("create_token", "ci")))
    run("create_token", "ci", "--scope", "read")
    assert "already" in str(failure_of(lambda: run("create_token", "ci", "--scope", "read")))
    assert "no token named" in str(failure_of(lambda: run("revoke_token", "other")))


def test_the_name_of_a_revoked_token_may_be_given_again_and_the_old_one_stays_useless() -> None:
    old = run("create_token", "ci", "--scope", "read").strip()
    run("revoke_token", "ci")
    assert "revoked" in run("list_tokens")

    new = run("create_token", "ci", "--scope", "operate").strip()

    assert issuing.holder(new).scopes == {"operate"}
    with pytest.raises(Unauthenticated):
        issuing.holder(old)
    assert "revoked" not in run("list_tokens")


def test_the_tokens_are_listed_with_when_they_were_made_and_revoked() -> None:
    run("create_token", "ci", "--scope", "read")
    run("revoke_token", "ci")

    header, row = run("list_tokens").splitlines()
    (listed,) = json.loads(run("list_tokens", "--json"))

    assert header.split() == ["NAME", "TOKEN", "SCOPES", "CREATED", "LAST", "USED", "STATE"]
    minute = r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"
    assert re.search(f"{minute}  -  +revoked {minute}$", row)
    assert listed["created_at"].endswith("Z")
    assert listed["revoked_at"].endswith("Z")


def test_the_scopes_are_named_so_that_they_can_be_typed() -> None:
    assert "register:<service or prefix*>" in str(failure_of(lambda: run("create_token", "ci")))


def test_provisioning_makes_the_systems_tokens_known_and_may_be_repeated() -> None:
    from django.conf import settings

    run("provision")
    accounts = json.loads(run("provision", "--json"))

    assert issuing.holder(settings.SERVICE_TOKENS["grading"]).may_register("grading")
    assert set(accounts) == {"operator"}


def test_maintenance_and_drain_say_what_they_do() -> None:
    run("register_service", "billing", "http://127.0.0.1:9000")
    run("register_service", "webui", "http://127.0.0.1:9001", "--requires", "billing")

    assert run("maintenance", "biling").endswith("no service requires it, and none of that name is registered now.\n")
    assert run("maintenance", "billing", "billing-9").endswith("and none of that name is registered now.\n")
    run("maintenance", "billing", "billing-9", "--end")
    assert "required by webui." in run("maintenance", "billing", "--minutes", "5", "--reason", "disk")
    assert re.search(r"billing-1  maintenance .* disk$", run("list_services", "billing"), re.MULTILINE)
    assert "Ended" in run("maintenance", "billing", "--end")
    assert "is not in maintenance" in run("maintenance", "billing", "--end")
    assert "drains" in run("drain", "billing", "billing-1")
    assert "minutes" in str(failure_of(lambda: run("maintenance", "billing", "--minutes", "-1")))
    assert "billing-9" in str(failure_of(lambda: run("drain", "billing", "billing-9")))


def test_the_registry_is_exported_and_imported_and_a_second_import_changes_nothing(tmp_path: Path) -> None:
    run("register_service", "billing", "http://127.0.0.1:9000", "--requires", "logsvc", "--zone", "b", "--tag", "x")
    run("maintenance", "billing", "--reason", "disk")
    before = run("export_registry")
    file = tmp_path / "registry.json"
    file.write_text(before)
    run("deregister_service", "billing")
    run("maintenance", "billing", "--end")

    assert run("import_registry", str(file)) == "1 registered, 0 changed, 0 unchanged.\n"
    assert run("import_registry", str(file)) == "0 registered, 0 changed, 1 unchanged.\n"
    assert run("export_registry") == before


def test_maintenance_that_ended_meanwhile_is_not_imported(tmp_path: Path) -> None:
    run("maintenance", "billing", "--minutes", "5")
    file = tmp_path / "registry.json"
    file.write_text(re.sub(r'"until": "\d{4}', '"until": "2001', run("export_registry")))
    run("maintenance", "billing", "--end")

    run("import_registry", str(file))

    assert not Maintenance.objects.exists()


def test_a_file_with_anything_wrong_in_it_is_refused_whole(tmp_path: Path) -> None:
    file = tmp_path / "registry.json"
    good = {"service": "a", "instance": "a-1", "url": "http://127.0.0.1:1"}
    file.write_text(json.dumps({"format": "rollcall-registry-1", "instances": [good, {**good, "url": 5}]}))

    assert "/instances/1/url: " in str(failure_of(lambda: run("import_registry", str(file))))
    assert not Instance.objects.exists()
    wordy = {"service": "a", "reason": "r" * 501}
    file.write_text(json.dumps({"format": "rollcall-registry-1", "instances": [], "maintenance": [wordy]}))
    assert "/maintenance/0/reason: " in str(failure_of(lambda: run("import_registry", str(file))))
    file.write_text("[]")
    assert "The file: " in str(failure_of(lambda: run("import_registry", str(file))))
    file.write_text("{")
    assert "not JSON" in str(failure_of(lambda: run("import_registry", str(file))))
    file.write_text('{"format": "other"}')
    assert "export_registry" in str(failure_of(lambda: run("import_registry", str(file))))
    assert "cannot be read" in str(failure_of(lambda: run("import_registry", str(tmp_path / "none"))))


def test_watching_prints_each_change_once() -> None:
    run("register_service", "billing", "http://127.0.0.1:9000")
    run("register_service", "logsvc", "http://127.0.0.1:9000")
    run("deregister_service", "billing", "--reason", "moved")

    lines = run("watch_services", "billing", "--after", "0", "--until", "3").splitlines()
    as_json = [
        json.loads(line) for line in run("watch_services", "--after", "1", "--until", "3", "--json").splitlines()
    ]

    assert [line.split()[0] for line in lines] == ["1", "3"]
    assert re.search(r" \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ ", lines[0])
    assert "deregistered: moved" in lines[1]
    assert [each["service"] for each in as_json] == ["logsvc", "billing"]
    assert len(run("watch_services", "--after", "0", "--until", "2").splitlines()) == 2


def test_watching_first_says_what_it_watches_and_how_that_stands(capsys: pytest.CaptureFixture[str]) -> None:
    run("register_service", "billing", "http://127.0.0.1:9000", "--requires", "logsvc")
    capsys.readouterr()

    run("watch_services", "billing", "logsvc", "bilings", "--until", "1")
    named = capsys.readouterr().err.splitlines()
    run("watch_services", "--until", "1")
    everything = capsys.readouterr().err.splitlines()

    assert named[0] == "Changes of billing, logsvc, bilings after revision 1, until revision 1:"
    assert re.fullmatch(
        r"billing is starting since .* UTC \(registered, not probed yet\); 0 of 1 instances offered", named[1]
    )
    assert named[2] == "logsvc is missing (required, but no instance of it is registered)"
    assert named[3] == "bilings is not known: nobody registered or requires it"
    assert everything == ["Changes of all 2 services after revision 1, until revision 1:", "1 missing, 1 starting"]


def test_watching_forever_says_how_to_end_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupt)
    assert run("watch_services") == ""
    assert capsys.readouterr().err.splitlines() == ["Changes of all 0 services after revision 0, until Ctrl-C:"]


def test_dependents_are_told_again() -> None:
    secret = "whsec_" + "A" * 32
    run(
        *("register_service", "webui", "http://127.0.0.1:1", "--requires", "logsvc"),
        *("--notify-url", "http://127.0.0.1:1/n", "--notify-secret", secret),
    )

    assert "since revision 0" in run("replay_notifications", "webui", "webui-1", "--since", "0")
    assert "resync" in run("replay_notifications", "webui", "webui-1")
    assert run("replay_notifications", "--all").startswith("1 dependents")
    assert "1 dependents" in run("begin_history")
    assert "from 0 to 1" in str(failure_of(lambda: run("replay_notifications", "webui", "webui-1", "--since", "9")))
    assert "--all" in str(failure_of(lambda: run("replay_notifications")))
    assert "No delivery 9" in str(
        failure_of(lambda: run("replay_notifications", "webui", "webui-1", "--delivery", "9"))
    )
    assert "refused it" in str(failure_of(lambda: run("replay_notifications", "webui", "webui-1", "--trial"), code=1))

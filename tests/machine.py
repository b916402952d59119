"""The programs that tests drive and that no wheel brings: found, else installed, else named in one sentence.

`python -m tests.machine` does so before the suite begins; BROWSER=no leaves out what needs a browser, and
CLICKHOUSE=yes installs ClickHouse's engine.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

# Each program with the package of Debian's that brings it.
PACKAGES = {"chromium": "chromium-headless-shell", "nginx": "nginx-light", "prometheus": "prometheus"}
# Older systems have the browser in one package only.
WHOLE_CHROMIUM = "chromium"
# Packages that Playwright's driver needs beyond a wheel, and a small Debian lacks.
DRIVER_PACKAGE = "libatomic1"
# The shell shows pages as the others do and takes a third less of the processor.
CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Asked by Debian before a package starts its service; 101 forbids it.
POLICY = Path("/usr/sbin/policy-rc.d")


def wants_browser() -> bool:
    return os.environ.get("BROWSER", "").lower() not in ("no", "off", "0", "false")


def wants_clickhouse() -> bool:
    """Left out unless it is asked for: its engine is a download of 180 MB and takes 560 MB of disk."""
    return os.environ.get("CLICKHOUSE", "").lower() in ("yes", "on", "1", "true")


def chromium() -> str | None:
    """The browser on PATH, else the one that Playwright has downloaded."""
    return chromium_on_path() or _playwrights()


def chromium_on_path() -> str | None:
    return next(filter(None, map(shutil.which, CHROMIUMS)), None)


def _playwrights() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if os.access(path, os.X_OK) else None


def _driver_starts() -> bool:
    command = [sys.executable, "-m", "playwright", "--version"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def main() -> int:
    wanted = [name for name in PACKAGES if name != "chromium" or wants_browser()]
    missing = [name for name in wanted if not (chromium_on_path() if name == "chromium" else shutil.which(name))]
    packages = [PACKAGES[name] for name in missing]
    if wants_browser() and not _driver_starts():
        packages.append(DRIVER_PACKAGE)
    if packages:
        _install_packages(packages)
    if wants_browser() and chromium_on_path() is None:
        _install_packages([WHOLE_CHROMIUM])
    if wants_browser() and not _driver_starts():
        sys.stderr.write(
            f"Playwright's driver does not start: install the package {DRIVER_PACKAGE}, "
            "or run `make test BROWSER=no`.\n"
        )
        return 1
    if wants_browser() and chromium() is None:
        print("Having Playwright download Chromium ...", flush=True)
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
        if chromium() is None:
            sys.stderr.write(
                "There is no Chromium for the tests of pages: install the package chromium, "
                "or run `make test BROWSER=no`.\n"
            )
            return 1
    for name in ("nginx", "prometheus"):
        if shutil.which(name) is None:
            print(f"There is no {name}: what is tested against it will be skipped.", flush=True)
    if wants_clickhouse() and find_spec("chdb") is None:
        print("Installing ClickHouse's engine ...", flush=True)
        # Its other requirements are for its data frames, which nothing here uses.
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
        subprocess.run([*command, "-r", "deploy/requirements/clickhouse.txt"], check=True)
    return 0


def _install_packages(packages: Sequence[str]) -> None:
    """Install packages with apt-get, where it exists and we may use it; else do nothing."""
    administrator = _administrator()
    if shutil.which("apt-get") is None or administrator is None:
        return
    print(f"Installing {', '.join(packages)} ...", flush=True)
    install_packages(packages, administrator=administrator)


def install_packages(
    packages: Sequence[str],
    *,
    administrator: Sequence[str],
    policy: Path = POLICY,
    run: Callable[..., object] = subprocess.run,
) -> None:
    """Install packages with apt-get, none of whose services is started."""
    forbids_services = not policy.exists()
    if forbids_services:
        script = f"printf '#!/bin/sh\\nexit 101\\n' > {policy} && chmod 755 {policy}"
        run([*administrator, "sh", "-c", script], check=False)
    try:
        # Each alone: apt-get installs none of several when it knows one of them not.
        installing = (("install", "-y", "-qq", "--no-install-recommends", package) for package in packages)
        for arguments in (("update", "-qq"), *installing):
            command = [*administrator, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *arguments]
            run(command, check=False, stdout=subprocess.DEVNULL)
    finally:
        if forbids_services:
            run([*administrator, "rm", "-f", str(policy)], check=False)


def _administrator() -> list[str] | None:
    """The prefix of a command that needs root; None where we may not be root."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo is None or subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode:
        return None
    return [sudo, "-n"]


if __name__ == "__main__":
    sys.exit(main())

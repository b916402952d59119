"""Two beats and two workers of each kind on two hosts, of which one is cut off and comes back.

The second host is a network namespace whose cable is pulled out. Where none may be made, its processes run beside the
others and are cut off by the TCP proxies before Redis and the database: to them, and to the rest, that is the same.
"""

from pathlib import Path

from tests.faults.engines import PostgreSQL
from tests.faults.processes import SECOND_HOST
from tests.faults.running import Round, violations
from tests.faults.schedule import Fault, Kind

# Longer than a lease, and than beat's lock lasts.
CUT_OFF = [Fault(kind=Kind.CUT, target=SECOND_HOST, at=0.0, seconds=16.0)]


def test_heartbeats_and_telling_go_on_and_nothing_is_doubled_when_a_host_is_cut_off(tmp_path: Path) -> None:
    assert violations(tmp_path, PostgreSQL(), lambda run: [Round(faults=CUT_OFF)], seed=16, has_second_host=True) == []

"""The sender of the batches that the tests of the formats read."""

from logsvc.access import Services
from logsvc.ingest.batch import Sender
from tests.logsvc.factories import NOW_NS

ANYBODY = Sender(token="t", service="grading", services=Services(are_all=True), received_ns=NOW_NS)
TEAM = Sender(token="team", service="", services=Services(are_all=False, patterns=("team-*",)), received_ns=NOW_NS)

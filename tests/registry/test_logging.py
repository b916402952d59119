import logging

from logsvc.client import LogHandler


def test_no_test_asks_the_registry_of_this_machine_where_its_log_records_go() -> None:
    assert not [handler for handler in logging.getLogger().handlers if isinstance(handler, LogHandler)]

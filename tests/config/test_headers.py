from config.headers import header


def test_what_is_sent_several_times_is_one_list() -> None:
    scope = {"headers": [(b"authorization", b"Bearer a"), (b"accept", b"*/*"), (b"authorization", b"Bearer b")]}

    assert header(scope, b"authorization") == b"Bearer a, Bearer b"
    assert header(scope, b"accept") == b"*/*"
    assert header(scope, b"cookie") == b""

from hypothesis import given
from hypothesis import strategies as st

from registry.journal.net_change import net_change
from registry.models import JournalEntry

digests = st.sampled_from(["", "a", "b"])


@given(st.lists(st.tuples(st.sampled_from(["x", "y"]), digests), max_size=20), st.tuples(digests, digests))
def test_the_net_change_takes_any_view_from_the_first_state_to_the_last(
    steps: list[tuple[str, str]], start: tuple[str, str]
) -> None:
    truth = {"x": start[0], "y": start[1]}
    view = {name: digest for name, digest in truth.items() if digest}
    entries = []
    for revision, (name, digest) in enumerate(steps, start=1):
        provider = {"instance": name, "digest": digest}
        entries.append(
            JournalEntry(
                revision=revision, service="s", instance=name, before=truth[name], after=digest, provider=provider
            )
        )
        truth[name] = digest

    net = net_change(entries)

    for each in net.removed:
        del view[each["instance"]]
    for provider in net.added:
        assert provider["instance"] not in view
        view[provider["instance"]] = provider["digest"]
    for provider in net.changed:
        assert view[provider["instance"]] != provider["digest"]
        view[provider["instance"]] = provider["digest"]
    assert view == {name: digest for name, digest in truth.items() if digest}

"""Threads beside the work."""

from __future__ import annotations

import signal

from ansible_collections.dbops.recovery.plugins.module_utils._threads import start_beside


def blocked() -> set:
    return set(signal.pthread_sigmask(signal.SIG_BLOCK, ()))


def test_a_thread_beside_takes_no_signal_and_the_main_one_takes_them_as_before():
    before, beside = blocked(), []

    start_beside(lambda: beside.append(blocked())).join()

    assert {signal.SIGALRM, signal.SIGHUP, signal.SIGINT, signal.SIGTERM} <= beside[0]
    assert blocked() == before

"""Where code of the API waits: in the thread of its request, or in threads of its own."""

import asyncio
import threading
from types import SimpleNamespace

import pytest

from jobtrack.api import threads


def thread_of_a_call() -> threading.Thread:
    return asyncio.run(threads.run_blocking(threading.current_thread))


def test_a_lambda_function_waits_in_its_only_thread() -> None:
    assert thread_of_a_call() is threading.current_thread()


def test_a_process_with_several_requests_waits_in_other_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_Threads", SimpleNamespace(executor=None))
    threads.use_threads(1)
    assert thread_of_a_call() is not threading.current_thread()

"""How an exception is found among all objects of a program."""

from typing import Any

from jobtrack_client._loops.loop_exits import _is_exception


class Proxy:
    """As those of web frameworks outside of a request."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("outside of a request")


def test_a_proxy_is_not_asked_for_its_class() -> None:
    assert not _is_exception(Proxy())
    assert _is_exception(ValueError())

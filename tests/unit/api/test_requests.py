"""Reading a request's body."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from jobtrack.api.requests import JsonRequest
from jobtrack.errors import InvalidRequest

if TYPE_CHECKING:
    from starlette.types import Message


@pytest.mark.parametrize("sent", [[], [b'{"events": ['], [b"{}"], [b"", b"{", b"}"]])
def test_a_client_that_leaves_before_its_body_is_whole_is_no_error_of_the_service(sent: list[bytes]) -> None:
    messages: list[Message] = [{"type": "http.request", "body": each, "more_body": True} for each in sent]
    left = iter([*messages, {"type": "http.disconnect"}])

    async def receive() -> "Message":
        return next(left)

    request = JsonRequest({"type": "http", "method": "POST", "headers": []}, receive)
    with pytest.raises(InvalidRequest, match="incomplete"):
        asyncio.run(request.json())

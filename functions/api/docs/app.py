"""`GET /health`: the routes that need no token."""

from fastapi import APIRouter, Response

from jobtrack.api import answer, lambda_handler

router = APIRouter()


@router.get("/health")
def get_health() -> Response:
    """The service answers."""
    return answer({"status": "ok"})


handler = lambda_handler(router)

"""Tokens that a command prints."""

import base64
import json
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence

from jobtrack_client._exceptions import TokenUnavailable
from jobtrack_client._runtime import fork_safety

EARLY_SECONDS = 60.0
"""So long before it expires a token is asked for anew."""
OPAQUE_SECONDS = 300.0
"""For so long a token is used that does not say when it expires."""
COMMAND_SECONDS = 60.0
"""How long the command may take at first: it may ask the user to log in."""
REPEAT_SECONDS = 5.0
"""How long it may take later, or three times what it took before: one that hangs must not keep a job from reporting."""


class TokenCommand:
    """A token callable: what the command prints, until it expires. Its standard error is this process's own."""

    def __init__(self, command: str | Sequence[str], clock: Callable[[], float] = time.time) -> None:
        self._command = _words(command) if isinstance(command, str) else [*command]
        self._clock = clock
        self._token = ""
        self._until = 0.0
        self._longest = COMMAND_SECONDS
        self.forked()
        fork_safety.renew(self)

    def __call__(self) -> str:
        """The token.

        Raises:
            TokenUnavailable: the command is not there, fails or takes too long.
        """
        with self._lock:
            if self._clock() >= self._until:
                self._token = self._asked()
                self._until = _expiry(self._token, self._clock()) - EARLY_SECONDS
            return self._token

    def forget(self, refused: str) -> None:
        """Run the command again for the next token, unless it has given another than the `refused` one since."""
        with self._lock:
            if self._token == refused:
                self._until = 0.0

    def __reduce__(self) -> tuple[object, ...]:
        """Without the lock, nor the token: a secret, which the other process asks for anew."""
        return TokenCommand, (self._command, self._clock)

    def forked(self) -> None:
        """Leave the lock to the thread that may hold it in the parent."""
        self._lock = threading.Lock()

    def _asked(self) -> str:
        name, began = self._command[0], time.monotonic()
        try:
            done = subprocess.run(  # noqa: S603 - the user's own command
                self._command, stdout=subprocess.PIPE, text=True, timeout=self._longest, check=True
            )
        except subprocess.CalledProcessError as error:
            raise TokenUnavailable(f"the token_command {name} failed with exit code {error.returncode}") from error
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            why = error.strerror if isinstance(error, OSError) else f"no token within {self._longest:.0f} s"
            raise TokenUnavailable(f"the token_command {name} cannot be used: {why}") from error
        self._longest = min(COMMAND_SECONDS, max(REPEAT_SECONDS, 3 * (time.monotonic() - began)))
        token = done.stdout.strip()
        if not token or " " in token or not token.isascii() or not token.isprintable():
            raise TokenUnavailable(f"the token_command {name} printed something else than a token")
        return token


def _words(line: str) -> list[str]:
    """The words of a command line; on Windows, a backslash separates folders and quotes nothing."""
    if sys.platform == "win32":
        return [word.strip('"') for word in shlex.split(line, posix=False)]
    else:
        return shlex.split(line)


def _expiry(token: str, now: float) -> float:
    """When it expires: `exp` of a JWT (RFC 7519, 4.1.4), which is not verified here, since only its service can."""
    try:
        body = token.split(".")[1]
        return float(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["exp"])
    except (IndexError, ValueError, KeyError, TypeError):
        return now + OPAQUE_SECONDS + EARLY_SECONDS

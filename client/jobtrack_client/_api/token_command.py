"""Gets tokens from a command."""

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
"""The command runs again this long before the token expires."""
OPAQUE_SECONDS = 300.0
"""How long a token without an expiry time is used."""
COMMAND_SECONDS = 60.0
"""How long the first run of the command may take. It may ask the user to log in."""
REPEAT_SECONDS = 5.0
"""How long later runs may take, or three times the last run. A command that hangs must not stop the reporting."""


class TokenCommand:
    """A token callable that runs a command and returns its output until the token expires.

    The command writes its errors to the standard error of this process.
    """

    def __init__(self, command: str | Sequence[str], clock: Callable[[], float] = time.time) -> None:
        self._command = _words(command) if isinstance(command, str) else [*command]
        self._clock = clock
        self._token = ""
        self._until = 0.0
        self._longest = COMMAND_SECONDS
        self.forked()
        fork_safety.renew(self)

    def __call__(self) -> str:
        """Return the token.

        Raises:
            TokenUnavailable: the command does not exist, fails or takes too long.
        """
        with self._lock:
            if self._clock() >= self._until:
                self._token = self._run()
                self._until = _expiry(self._token, self._clock()) - EARLY_SECONDS
            return self._token

    def forget(self, refused: str) -> None:
        """Run the command again for the next request, unless it has returned another token since."""
        with self._lock:
            if self._token == refused:
                self._until = 0.0

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle neither the lock nor the token, which is a secret. The other process runs the command itself."""
        return TokenCommand, (self._command, self._clock)

    def forked(self) -> None:
        """Replace the lock, which a thread of the parent may hold."""
        self._lock = threading.Lock()

    def _run(self) -> str:
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
            raise TokenUnavailable(f"the token_command {name} printed something other than a token")
        return token


def _words(line: str) -> list[str]:
    """Split a command line into words. On Windows, a backslash separates folders, and quotes nothing."""
    if sys.platform == "win32":
        return [word.strip('"') for word in shlex.split(line, posix=False)]
    else:
        return shlex.split(line)


def _expiry(token: str, now: float) -> float:
    """Return the expiry time: `exp` of a JWT (RFC 7519, 4.1.4). Only the service can verify the signature."""
    try:
        body = token.split(".")[1]
        return float(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["exp"])
    except (IndexError, ValueError, KeyError, TypeError):
        return now + OPAQUE_SECONDS + EARLY_SECONDS

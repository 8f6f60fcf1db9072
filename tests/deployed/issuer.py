"""An issuer of tokens on loopback, with the keys that verify them."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm

from jobtrack_local import tokens


@contextmanager
def issuing(key: RSAPublicKey) -> Iterator[str]:
    """Return the issuer's URL, with the final slash of the claim `iss`."""
    documents: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = documents.get(self.path)
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(found or b"{}")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        url = f"http://127.0.0.1:{server.server_port}/"
        documents |= {path: json.dumps(content).encode() for path, content in _documents(url, key).items()}
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield url
        finally:
            server.shutdown()
            thread.join()


def _documents(url: str, key: RSAPublicKey) -> Mapping[str, Mapping[str, object]]:
    public = RSAAlgorithm.to_jwk(key, as_dict=True)
    return {
        "/.well-known/openid-configuration": {"issuer": url, "jwks_uri": f"{url}keys"},
        "/keys": {"keys": [{**public, "kid": tokens.key_id(key), "use": "sig", "alg": tokens.ALGORITHM}]},
    }

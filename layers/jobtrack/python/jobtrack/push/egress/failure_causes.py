"""Texts for a tenant's list of deliveries: why a receiver could not be reached, or did not respond."""

import re
import socket
import ssl
from collections.abc import Mapping
from enum import IntEnum


class Step(IntEnum):
    """The steps of an attempt, in order."""

    RESOLVE = 0
    CONNECT = 1
    HANDSHAKE = 2
    SEND = 3
    RESPONSE = 4


_TIMEOUTS: Mapping[Step, str] = {
    Step.RESOLVE: "the host name was not resolved",
    Step.CONNECT: "no connection",
    Step.HANDSHAKE: "TLS failed: the handshake was not finished",
    Step.SEND: "the request was not accepted",
    Step.RESPONSE: "no response",
}
_RESETS: Mapping[Step, str] = {
    Step.RESOLVE: "the host name cannot be resolved",
    Step.CONNECT: "the connection was reset",
    Step.HANDSHAKE: "TLS failed: the connection was reset during the handshake",
    Step.SEND: "the connection was reset before the request was sent",
    Step.RESPONSE: "the connection was reset before a response came",
}

# OpenSSL's X509_V_ERR_*: https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/
_CERTIFICATE_ERRORS: Mapping[int, str] = {
    2: "the certificate's issuer is unknown, or an intermediate certificate is missing",
    9: "the certificate is not valid yet",
    10: "the certificate has expired",
    18: "the certificate is self-signed",
    19: "the certificate's issuer is unknown (a self-signed certificate in its chain)",
    20: "the certificate's issuer is unknown, or an intermediate certificate is missing",
    21: "the certificate's issuer is unknown, or an intermediate certificate is missing",
    23: "the certificate was revoked",
    62: "the certificate is not for this host",
    64: "the certificate is not for this address",
}
# OpenSSL's reasons (SSL_R_*); an ALERT was sent by the receiver.
_HANDSHAKE_ERRORS: Mapping[str, str] = {
    "WRONG_VERSION_NUMBER": "the receiver does not speak TLS on this port",
    "RECORD_LAYER_FAILURE": "the receiver does not speak TLS on this port",  # the same, since OpenSSL 3.2
    "UNSUPPORTED_PROTOCOL": "the receiver supports no secure version of TLS",
    "TLSV1_ALERT_PROTOCOL_VERSION": "the receiver supports no secure version of TLS",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "the receiver refused the handshake",
    "TLSV1_ALERT_INTERNAL_ERROR": "the receiver refused the handshake (an internal error)",
    "TLSV1_UNRECOGNIZED_NAME": "the receiver does not know this host name",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "the receiver requires a client certificate",
}
_OPENSSL = re.compile(r"^\[[^\]]*\] | \(_ssl\.c:\d+\)$")
"""Python wraps OpenSSL's text: `[SSL: REASON] text (_ssl.c:1000)`."""


def describe_failure(error: Exception, step: Step, seconds: float) -> str:
    """Return why an attempt failed at a step; `seconds` is the time that it had."""
    if isinstance(error, TimeoutError):
        return f"{_TIMEOUTS[step]} within {seconds:g} seconds"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {_tls_cause(error)}"
    if isinstance(error, socket.gaierror):
        return _lookup_cause(error)
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ConnectionError) or step is Step.RESOLVE:
        return _RESETS[step]
    if not isinstance(error, OSError):
        return f"the request cannot be sent ({type(error).__name__})"
    return f"the host cannot be reached ({error.strerror or type(error).__name__})"


def _tls_cause(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _CERTIFICATE_ERRORS.get(error.verify_code, f"the certificate is refused ({error.verify_message})")
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "the receiver closed the connection"
    words = _OPENSSL.sub("", error.strerror or "")
    reason = getattr(error, "reason", None) or words.upper().replace(" ", "_")  # Python does not know newer reasons
    return _HANDSHAKE_ERRORS.get(reason, f"the handshake failed ({words})")


def _lookup_cause(error: socket.gaierror) -> str:
    if error.errno == socket.EAI_AGAIN:
        return "the host name cannot be resolved at the moment"
    return "the host name does not resolve"

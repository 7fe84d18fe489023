"""The self-made certificate of TLS: ``openssl`` makes it at the first client that asks for it."""

from __future__ import annotations

import logging
import ssl
import subprocess
from pathlib import Path

_LOG = logging.getLogger(__name__)
_SECONDS = 30


def context(directory: Path) -> ssl.SSLContext | None:
    """TLS with the certificate ``server.crt`` in ``directory``, made if it is not there; None, and TLS is
    refused, where ``openssl`` is not installed.

    A client that verifies the server (redshift_connector always does) needs the file as its root
    certificate.
    """
    certificate, key = directory / "server.crt", directory / "server.key"
    try:
        if not (certificate.exists() and key.exists()):
            _make(certificate, key)
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(certificate, key)
    except (OSError, subprocess.SubprocessError) as error:
        _LOG.warning("TLS is refused: there is no certificate: %s", error)
        return None
    return made


def _make(certificate: Path, key: Path) -> None:
    """Ten years, for localhost and 127.0.0.1."""
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-days", "3650", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout", str(key), "-out", str(certificate),
        ],
        check=True,
        capture_output=True,
        timeout=_SECONDS,
    )  # fmt: skip
    key.chmod(0o600)

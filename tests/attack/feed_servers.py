"""Servers of feeds that say what a test wants, byte for byte, and remember what they were asked."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Talk = Callable[[socket.socket], None]


def certificate(name: str, file: Path) -> ssl.SSLContext:
    """A context for a server of that name; `file` becomes the bundle that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    both = file.with_suffix(".key")
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    both.write_bytes(secret + file.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context


@dataclass
class FeedServer:
    """A listening server on this machine."""

    port: int
    asked: list[str] = field(default_factory=list)
    """The head of each request."""

    def address(self, path: str = "/feed.ics", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


@contextmanager
def feed_server(talk: Talk, *, tls: ssl.SSLContext | None = None) -> Iterator[FeedServer]:
    """Serve until the end of the block; `talk` writes the answer to a request that was read."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = FeedServer(listening.getsockname()[1])
    stopped = threading.Event()

    def one(plain: socket.socket) -> None:
        with suppress(OSError), tls.wrap_socket(plain, server_side=True) if tls else plain as connection:
            head = b""
            while b"\r\n\r\n" not in head and (more := connection.recv(4096)):
                head += more
            server.asked.append(head.decode("latin-1"))
            talk(connection)
            connection.shutdown(socket.SHUT_WR)

    def serve() -> None:
        while not stopped.is_set():
            try:
                connection, _peer = listening.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        stopped.set()
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


def answer(body: bytes = b"", *headers: str, status: str = "200 OK") -> bytes:
    """An answer, with its length unless the headers say how it ends."""
    lines = [f"HTTP/1.1 {status}", *headers]
    if not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode() + body


def says(data: bytes) -> Talk:
    """A server that says always the same."""
    return lambda connection: connection.sendall(data)


def drips(begin: bytes, drop: bytes, every: float = 0.02) -> Talk:
    """A server that never ends: it sends a drop now and then."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(begin)
        pause = threading.Event()
        while not pause.wait(every):
            connection.sendall(drop)

    return talk


def floods(begin: bytes, part: bytes, times: int) -> Talk:
    """A server that sends much, until nobody takes it any more."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(begin)
        for _time in range(times):
            connection.sendall(part)

    return talk

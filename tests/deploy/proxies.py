"""nginx, Apache and Caddy with the examples of `deploy/`, at an address of loopback that nobody else uses.

Decides only what a test machine needs otherwise: addresses, ports, a certificate, files in a folder of the
test. The rules of an example stay as they are. A visitor at `INSIDE` is one whom the examples let in, one at
`OUTSIDE` is anybody.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.deploy.conftest import DEPLOY, program

NAME = "calsync.example.com"
INSIDE, OUTSIDE = "127.0.0.1", "127.0.0.2"
PORTS = range(20_080, 32_000)
"""Below those that Linux gives away by itself."""
PATIENCE = 60.0
CUT_OFF = 0
"""In place of a status: the proxy closed while the visitor still sent."""


@dataclass(frozen=True)
class Place:
    """Where one proxy and calsync behind it answer, and the files that it needs."""

    folder: Path
    address: str
    certificate: Path
    key: Path
    http: int
    https: int
    upstream: int
    kind: str = ""


@dataclass(frozen=True)
class Answer:
    """What a visitor gets."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def place(folder: Path, *, beside: bool = False) -> Place:
    """An address in 127.0.0.0/8 that is this process's own, and a certificate for it."""
    # `beside`: a second one. Process ids have 22 bits (Linux, PID_MAX_LIMIT).
    pid = os.getpid()
    address = f"127.{(128 if beside else 64) + (pid >> 16) % 64}.{(pid >> 8) % 256}.{pid % 256}"
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    _sign(address, certificate, key)
    http, https, upstream = _ports(address)
    return Place(folder, address, certificate, key, http, https, upstream)


def _ports(address: str) -> list[int]:
    """Three that nobody holds at every address of this machine; at this one there is nobody else."""
    found: list[int] = []
    for port in PORTS:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                continue
        found.append(port)
        if len(found) == 3:
            return found
    raise AssertionError(f"no free ports at {address}")


def _sign(address: str, certificate: Path, key: Path) -> None:
    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    names = [x509.DNSName(NAME), x509.IPAddress(ipaddress.ip_address(address))]
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(secret, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        secret.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


def adapted(example: str, changes: Mapping[str, str]) -> str:
    """The example with other texts where a test machine needs them; one that is not there is a mistake."""
    for old, new in changes.items():
        assert old in example, f"the example no longer says {old!r}"
        example = example.replace(old, new)
    return example


def nginx(at: Place, more: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """How nginx is checked and run."""
    live = f"/etc/letsencrypt/live/{NAME}"
    changes = {
        "    listen [::]:80;\n": "",
        "    listen [::]:443 ssl;\n": "",
        "listen 80;": f"listen {at.address}:{at.http};",
        "listen 443 ssl;": f"listen {at.address}:{at.https} ssl;",
        f"{live}/fullchain.pem": str(at.certificate),
        f"{live}/privkey.pem": str(at.key),
        "http://127.0.0.1:8700": f"http://{at.address}:{at.upstream}",
        **more,
    }
    example = (DEPLOY / "nginx" / "calsync.conf").read_text(encoding="utf-8")
    (at.folder / "calsync.conf").write_text(adapted(example, changes), encoding="utf-8")
    kept = [f"{kind}_temp_path {at.folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi")]
    kept += [f"{kind}_temp_path {at.folder}/{kind};" for kind in ("uwsgi", "scgi")]
    lines = ["daemon off;", "master_process off;", f"pid {at.folder}/pid;", "error_log stderr;", "events {}"]
    lines += ["http {", "access_log off;", *kept, f"include {at.folder}/calsync.conf;", "}"]
    whole = at.folder / "nginx.conf"
    whole.write_text("\n".join(lines), encoding="utf-8")
    run = [program("nginx"), "-c", str(whole), "-e", "stderr"]
    return [*run, "-t"], run


MODULES = (
    *("mpm_event", "authz_core", "authz_host", "alias", "headers", "reqtimeout", "ssl"),
    *("proxy", "proxy_http", "rewrite"),
)


def apache(at: Place, more: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """How Apache is checked and run. The modules are those that the example asks for, and Debian's own."""
    live = f"/etc/letsencrypt/live/{NAME}"
    changes = {
        "*:80>": f"{at.address}:{at.http}>",
        "*:443>": f"{at.address}:{at.https}>",
        f"{live}/fullchain.pem": str(at.certificate),
        f"{live}/privkey.pem": str(at.key),
        "http://127.0.0.1:8700/": f"http://{at.address}:{at.upstream}/",
        **more,
    }
    example = (DEPLOY / "apache" / "calsync.conf").read_text(encoding="utf-8")
    (at.folder / "calsync.conf").write_text(adapted(example, changes), encoding="utf-8")
    lines = [f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in MODULES]
    lines += [f"ServerRoot {at.folder}", f"PidFile {at.folder}/pid", "ErrorLog /dev/stderr"]
    lines += [f"ServerName {NAME}", f"Listen {at.address}:{at.http}", f"Listen {at.address}:{at.https}"]
    lines += ["User www-data", "Group www-data"] if os.getuid() == 0 else []
    whole = at.folder / "apache.conf"
    whole.write_text("\n".join([*lines, f"Include {at.folder}/calsync.conf\n"]), encoding="utf-8")
    run = [program("apache2"), "-f", str(whole)]
    return [*run, "-t"], [*run, "-DFOREGROUND"]


def caddy(at: Place, more: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """How Caddy is checked and run; it would get a certificate by itself."""
    changes = {
        f"\n{NAME} {{\n": f"\n{NAME}:{at.https} {at.address}:{at.https} {{\n"
        f"\tbind {at.address}\n\ttls {at.certificate} {at.key}\n",
        "reverse_proxy 127.0.0.1:8700": f"reverse_proxy {at.address}:{at.upstream}",
        **more,
    }
    example = (DEPLOY / "caddy" / "Caddyfile").read_text(encoding="utf-8")
    own = f"{{\n\tadmin off\n\tstorage file_system {at.folder}/caddy\n"
    own += f"\thttp_port {at.http}\n\thttps_port {at.https}\n}}\n"
    whole = at.folder / "Caddyfile"
    whole.write_text(own + adapted(example, changes), encoding="utf-8")
    named = ["--adapter", "caddyfile", "--config", str(whole)]
    return [program("caddy"), "validate", *named], [program("caddy"), "run", *named]


KINDS: dict[str, Callable[[Place, Mapping[str, str]], tuple[list[str], list[str]]]] = {
    "nginx": nginx,
    "apache": apache,
    "caddy": caddy,
}


@contextmanager
def running(kind: str, at: Place, more: Mapping[str, str] | None = None) -> Iterator[None]:
    """The proxy of an example, from its own check to its stop."""
    check, run = KINDS[kind](at, more or {})
    environ = {**os.environ, "HOME": str(at.folder), "XDG_CONFIG_HOME": str(at.folder)}
    checked = subprocess.run(
        check, env=environ, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    log = at.folder / "proxy.log"
    with log.open("w") as out, subprocess.Popen(run, env=environ, stdout=out, stderr=out) as process:
        try:
            _wait_for(at, process, log)
            yield
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE)


def _wait_for(at: Place, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, log.read_text()
        try:
            socket.create_connection((at.address, at.https), timeout=5).close()
        except OSError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return


def visit(
    at: Place,
    path: str,
    *,
    visitor: str = OUTSIDE,
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    tls: bool = True,
) -> Answer:
    """Ask for `path` exactly as it is written."""
    port = at.https if tls else at.http
    connection = HTTPConnection(at.address, port, timeout=PATIENCE)
    plain = socket.create_connection((at.address, port), timeout=PATIENCE, source_address=(visitor, 0))
    connection.sock = plain
    if tls:
        trusted = ssl.create_default_context(cafile=str(at.certificate))
        connection.sock = trusted.wrap_socket(plain, server_hostname=NAME)
    try:
        connection.putrequest(method, path, skip_host=True)
        own = {"Host": NAME, "Content-Length": str(len(body)), "Connection": "close", **(headers or {})}
        for name, value in own.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.getheaders()), answer.read())
    except (ConnectionError, ssl.SSLError):
        return Answer(CUT_OFF, {}, b"")
    finally:
        connection.close()

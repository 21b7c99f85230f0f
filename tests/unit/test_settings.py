"""Configuration: three layers on top of each other, and how a wrong key or value is named."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pytest

from calsync_plugin.admin_layer import with_admin
from calsync_plugin.config import BRIDGE_NEEDS, require
from calsync_plugin.errors import ConfigurationError
from calsync_plugin.settings import EntitySettings, Settings, load_settings

KEY = "k" * 43 + "="
SECRET = "s3cr3t-s3cr3t-s3cr3t-s3cr3t-s3cr3t-s3cr3t"

WHOLE = f"""
crm:
  url: https://crm.example.com/
  api_key: abc
  time_zone: Europe/Berlin
  entities:
    - entity_type: Meeting
      marker: cOutlookEventId
      join_url: cOutlookJoinUrl
    - {{entity_type: CVisit, label: V, location: place, description_format: html}}
graph:
  client_id: 11111111-2222-3333-4444-555555555555
  timeout_seconds: 5
store:
  url: postgresql://calsync@db.example.com/calsync
  secret_keys:
    2026: {KEY}
    old: {KEY}
serve:
  public_url: https://calsync.example.com
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "calsync.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def refusal(source: Path | Mapping[str, object] | None, environ: Mapping[str, str]) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(source, environ)
    return caught.value


def test_nothing_configured_is_every_default() -> None:
    assert load_settings(None, {"PATH": "/bin", "HOME": "/root"}) == Settings()


def test_a_whole_file(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, WHOLE), {})
    assert settings.crm.url == "https://crm.example.com"
    assert settings.crm.entity("CVisit") == EntitySettings(
        entity_type="CVisit", label="V", location="place", description_format="html"
    )
    assert settings.crm.entity("Call") is None
    assert settings.graph.timeout_seconds == 5.0
    assert isinstance(settings.graph.timeout_seconds, float)
    assert list(settings.store.secret_keys) == ["2026", "old"]
    assert settings.warnings == ()
    require(settings, *BRIDGE_NEEDS)


def test_the_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "calsync.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + b"log: {level: debug}\r\n")
    assert load_settings(file, {}).log.level == "debug"


def test_an_empty_file_is_every_default(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, "# nothing yet\n"), {}) == Settings()


def test_environment_goes_before_file_before_admin_page(tmp_path: Path) -> None:
    file = written(tmp_path, "graph:\n  client_id: from-file\n  authority: https://login.example.com/file\n")
    admin = {"client_id": "from-admin", "authority": "https://login.example.com/admin", "time_zone": "UTC"}
    settings = with_admin(load_settings(file, {"CALSYNC_CLIENT_ID": "from-environment"}), admin)
    assert settings.graph.client_id == "from-environment"
    assert settings.graph.authority == "https://login.example.com/file"
    assert settings.crm.time_zone == "UTC"
    paths = ("graph.client_id", "graph.authority", "crm.time_zone", "crm.url")
    assert [settings.source(path) for path in paths] == ["environment", "file", "admin", "default"]


TENANT = "11111111-2222-4333-8444-555555555555"
VARIABLES = [
    pytest.param(
        "CALSYNC_STORE_URL", "sqlite:////var/calsync/", "store.url", "sqlite:////var/calsync/", id="store"
    ),
    pytest.param(
        "CALSYNC_GRAPH_URL",
        "http://127.0.0.1:8702/v1.0/",
        "graph.url",
        "http://127.0.0.1:8702/v1.0",
        id="graph",
    ),
    pytest.param(
        "CALSYNC_AUTHORITY",
        "http://[::1]:8702/common",
        "graph.authority",
        "http://[::1]:8702/common",
        id="login",
    ),
    pytest.param("CALSYNC_CLIENT_ID", "abc-1", "graph.client_id", "abc-1", id="client-id"),
    pytest.param("CALSYNC_CLIENT_SECRET", "a~b", "graph.client_secret", "a~b", id="client-secret"),
    pytest.param(
        "CALSYNC_CRM_URL", "https://crm.example.com", "crm.url", "https://crm.example.com", id="crm"
    ),
    pytest.param("CALSYNC_CRM_API_KEY", "123456", "crm.api_key", "123456", id="digits-stay-text"),
    pytest.param("CALSYNC_CRM_SECRET_KEY", "x", "crm.secret_key", "x", id="crm-secret"),
    pytest.param("CALSYNC_TIME_ZONE", "Asia/Kolkata", "crm.time_zone", "Asia/Kolkata", id="zone"),
    pytest.param(
        "CALSYNC_SECRET_KEYS", f"b:{KEY}, a:{KEY}", "store.secret_keys", {"b": KEY, "a": KEY}, id="keys"
    ),
    pytest.param(
        "CALSYNC_PUBLIC_URL",
        "https://c.example.com/",
        "serve.public_url",
        "https://c.example.com",
        id="public",
    ),
    pytest.param("CALSYNC_SERVE_HOST", "0.0.0.0", "serve.host", "0.0.0.0", id="host"),
    pytest.param("CALSYNC_SERVE_PORT", "80", "serve.port", 80, id="port"),
    pytest.param("CALSYNC_WORKER_THREADS", "4", "worker.threads", 4, id="threads"),
    pytest.param("CALSYNC_LEASE_SECONDS", "1", "worker.lease_seconds", 1.0, id="lease"),
    pytest.param("CALSYNC_LOG_LEVEL", "debug", "log.level", "debug", id="log-level"),
    pytest.param("CALSYNC_LOG_FORMAT", "json", "log.format", "json", id="log-format"),
    pytest.param("CALSYNC_ENABLED", "False", "graph.enabled", False, id="switched-off"),
    pytest.param("CALSYNC_TENANT", "contoso.com", "graph.tenant", "contoso.com", id="tenant"),
    pytest.param("CALSYNC_PROMPT", "consent", "graph.prompt", "consent", id="prompt"),
    pytest.param(
        "CALSYNC_ALLOWED_DOMAINS",
        "a.example, b.example,",
        "graph.allowed_domains",
        ("a.example", "b.example"),
        id="domains",
    ),
    pytest.param("CALSYNC_ALLOWED_TENANTS", TENANT, "graph.allowed_tenants", (TENANT,), id="tenants"),
]


@pytest.mark.parametrize(("variable", "text", "path", "value"), VARIABLES)
def test_a_variable_sets_its_path(variable: str, text: str, path: str, value: object) -> None:
    settings = load_settings(None, {variable: text})
    section, key = path.split(".")
    found = getattr(getattr(settings, section), key)
    assert found == value
    assert type(found) is type(value) or path == "store.secret_keys"
    assert settings.sources == {path: "environment"}


def test_an_empty_variable_is_not_set() -> None:
    assert load_settings(None, {"CALSYNC_CRM_URL": "", "CALSYNC_CRM_API_KEY_FILE": ""}) == Settings()


def test_a_secret_may_come_from_a_file_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "api-key"
    file.write_text(f"{SECRET}\n", encoding="utf-8")
    settings = load_settings(None, {"CALSYNC_CRM_API_KEY_FILE": str(file)})
    assert settings.crm.api_key == SECRET
    assert settings.source("crm.api_key") == "environment"


WRONG_FILES = [
    pytest.param("crm:\n  ulr: https://x", "crm.ulr", 'did you mean "url"', "one of url, api_key", id="typo"),
    pytest.param("cmr: {}", "cmr", 'did you mean "crm"', "one of crm, graph", id="typo-of-a-section"),
    pytest.param("crm:", "crm", "is empty", "keys below it", id="empty-section"),
    pytest.param("crm: text", "crm", "is text", "keys below it", id="text-for-a-section"),
    pytest.param(
        "serve:\n  port: '80'", "serve.port", "is text", "a whole number from 1 to 65535", id="port-text"
    ),
    pytest.param(
        "serve: {port: 0}", "serve.port", "0 is not", "a whole number from 1 to 65535", id="port-zero"
    ),
    pytest.param("serve: {port: true}", "serve.port", "is yes or no", "a whole number", id="port-boolean"),
    pytest.param(
        "worker: {lease_seconds: .nan}", "worker.lease_seconds", "a number", "a number from 1", id="nan"
    ),
    pytest.param(
        "worker: {lease_seconds: .inf}", "worker.lease_seconds", "a number", "a number from 1", id="inf"
    ),
    pytest.param("log: {level: wraning}", "log.level", 'did you mean "warning"', "one of debug", id="enum"),
    pytest.param("log: {level: off}", "log.level", "put it in quotes", "one of debug", id="yaml-boolean"),
    pytest.param("crm: {url: crm.example.com}", "crm.url", "crm.example.com", "https://crm", id="no-scheme"),
    pytest.param("crm: {url: 'ftp://crm.example.com'}", "crm.url", "ftp", "https://crm", id="ftp"),
    pytest.param("crm: {url: 'https://'}", "crm.url", "https://", "https://crm", id="no-host"),
    pytest.param(
        "crm: {url: 'https://crm.example.com:x'}", "crm.url", "not accepted", "https://crm", id="bad-port"
    ),
    pytest.param("crm: {url: 'https://[::1'}", "crm.url", "not accepted", "https://crm", id="bad-host"),
    pytest.param("crm: {time_zone: Berlin}", "crm.time_zone", "Berlin", "Europe/Berlin", id="zone"),
    pytest.param("crm: {entities: []}", "crm.entities", "not accepted", "a list", id="no-entities"),
    pytest.param(
        "crm: {entities: [{label: C}]}", "crm.entities[0].entity_type", "missing", "Meeting", id="no-type"
    ),
    pytest.param(
        "crm: {entities: [{entity_type: Call, labl: C}]}",
        "crm.entities[0].labl",
        '"label"',
        "label",
        id="list",
    ),
    pytest.param(
        "graph: {url: 'http://graph.example.com'}", "graph.url", "http:", "this machine only", id="http-graph"
    ),
    pytest.param(
        "graph: {authority: 'http://10.0.0.1/x'}",
        "graph.authority",
        "http:",
        "this machine only",
        id="http-login",
    ),
    pytest.param("graph: {url: ''}", "graph.url", "not accepted", "https", id="empty-graph"),
    pytest.param(
        "graph: {url: 'http://localhost.example.com'}",
        "graph.url",
        "http:",
        "this machine",
        id="not-localhost",
    ),
    pytest.param("store: {url: 'mysql://x/y'}", "store.url", "this value", "postgresql://", id="mysql"),
]


@pytest.mark.parametrize(("text", "path", "message", "expected"), WRONG_FILES)
def test_a_wrong_file_names_path_and_expectation(
    tmp_path: Path, text: str, path: str, message: str, expected: str
) -> None:
    error = refusal(written(tmp_path, text), {})
    assert error.path == path
    assert message in str(error)
    assert expected in error.expected
    assert "calsync.yaml" in str(error)
    assert "\n" not in str(error)


def test_the_line_of_a_wrong_value_is_named(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "crm:\n  entities:\n    - entity_type: Meeting\n    - entity_type: Call\n      label: 'a b'\n",
    )
    error = refusal(file, {})
    assert error.path == "crm.entities[1].label"
    assert f"in line 5 of {file}" in str(error)


BROKEN_FILES = [
    pytest.param(b"crm:\n  url: [1\n", "line 3", "no valid YAML", id="unclosed"),
    pytest.param(b"crm:\n\turl: x\n", "line 2", "no valid YAML", id="tab"),
    pytest.param(b"crm:\n  url: a\nlog:\n  level: info\n  level: debug\n", "line 5", "twice", id="key-twice"),
    pytest.param(b"- crm\n", "calsync.yaml", "is a list", id="list"),
    pytest.param(b"crm: \xff\xfe\n", "calsync.yaml", "UTF-8", id="encoding"),
    pytest.param(b"crm: \x01\n", "calsync.yaml", "character", id="control-character"),
    pytest.param(b"crm:\n  api_key: !" + SECRET.encode() + b"\n", "line 2", "quotes", id="secret-as-tag"),
    pytest.param(b"crm:\n  api_key: *" + SECRET.encode() + b"\n", "line 2", "quotes", id="secret-as-alias"),
]


@pytest.mark.parametrize(("content", "path", "message"), BROKEN_FILES)
def test_a_broken_file_names_the_line(tmp_path: Path, content: bytes, path: str, message: str) -> None:
    file = tmp_path / "calsync.yaml"
    file.write_bytes(content)
    error = refusal(file, {})
    assert path in error.path
    assert message in str(error)
    assert SECRET not in str(error)
    assert "\n" not in str(error)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    assert "No such file" in str(refusal(tmp_path / "none.yaml", {}))
    assert "Is a directory" in str(refusal(tmp_path, {}))


WRONG_VARIABLES = [
    pytest.param({"CALSYNC_SERVE_PORT": "http"}, "CALSYNC_SERVE_PORT", "a whole number", id="port"),
    pytest.param({"CALSYNC_CRM_URL": "crm"}, "CALSYNC_CRM_URL", "https://crm", id="address"),
    pytest.param({"CALSYNC_LEASE_SECONDS": "nan"}, "CALSYNC_LEASE_SECONDS", "a number from 1", id="nan"),
    pytest.param({"CALSYNC_SECRET_KEYS": SECRET}, "CALSYNC_SECRET_KEYS", "at least 32", id="key-without-id"),
    pytest.param({"CALSYNC_SECRET_KEYS": f"{SECRET}:a"}, "CALSYNC_SECRET_KEYS", "", id="key-for-id"),
    pytest.param(
        {"CALSYNC_SECRET_KEYS": f"a:{SECRET[:20]}"}, "CALSYNC_SECRET_KEYS", "at least 32", id="short-key"
    ),
    pytest.param(
        {"CALSYNC_STORE_URL": f"mysql://u:{SECRET}@h"}, "CALSYNC_STORE_URL", "postgresql", id="store"
    ),
    pytest.param(
        {"CALSYNC_CRM_URL": f"https://u:{SECRET}@h"}, "CALSYNC_CRM_URL", "https://crm", id="password"
    ),
    pytest.param(
        {"CALSYNC_CLIENT_SECRET": SECRET * 30}, "CALSYNC_CLIENT_SECRET", "client secret", id="too-long"
    ),
    pytest.param(
        {"CALSYNC_CRM_API_KEY": SECRET, "CALSYNC_CRM_API_KEY_FILE": "/x"},
        "CALSYNC_CRM_API_KEY_FILE",
        "",
        id="both",
    ),
    pytest.param({"CALSYNC_CRM_API_KEY_FILE": "/nowhere/key"}, "/nowhere/key", "", id="missing-secret-file"),
]


@pytest.mark.parametrize(("environ", "path", "expected"), WRONG_VARIABLES)
def test_a_wrong_variable_is_named_and_no_secret_shown(
    environ: dict[str, str], path: str, expected: str
) -> None:
    error = refusal(None, environ)
    assert error.path == path
    assert expected in error.expected
    assert SECRET[:12] not in str(error)


SECRETS_IN_FILES = [
    pytest.param({"store": {"secret_keys": {"a": SECRET[:20]}}}, id="short-key"),
    pytest.param({"store": {"secret_keys": {SECRET: "a"}}}, id="key-and-id-exchanged"),
    pytest.param({"store": {"secret_keys": SECRET}}, id="key-without-id"),
    pytest.param({"store": {"secret_keys": {"a": [SECRET]}}}, id="key-in-a-list"),
    pytest.param({"store": {"url": f"oracle://u:{SECRET}@h/d"}}, id="store-address"),
    pytest.param({"crm": {"api_key": [SECRET]}}, id="api-key-in-a-list"),
    pytest.param({"crm": SECRET}, id="section-is-a-secret"),
    pytest.param({"serve": {"public_url": f"https://u:{SECRET}@h"}}, id="password-in-an-address"),
    pytest.param({"graph": {"client_secret": SECRET * 30}}, id="too-long"),
]


@pytest.mark.parametrize("document", SECRETS_IN_FILES)
def test_no_message_shows_a_secret(document: dict[str, object]) -> None:
    assert SECRET[:12] not in str(refusal(document, {}))


def test_no_repr_shows_a_secret() -> None:
    settings = load_settings(
        {
            "crm": {"api_key": SECRET, "secret_key": SECRET},
            "graph": {"client_secret": SECRET},
            "store": {"secret_keys": {"a": SECRET}, "url": f"postgresql://u:{SECRET}@h/d"},
        },
        {},
    )
    assert SECRET not in repr(settings)


def test_a_wrong_value_of_the_admin_page_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"^authority: .*on the admin page"):
        with_admin(Settings(), {"authority": "http://login.example.com"})


WARNINGS = [
    pytest.param({"CALSYNC_CRM_URL": "http://crm.example.com"}, "crm.url: plain http", id="http-crm"),
    pytest.param(
        {"CALSYNC_PUBLIC_URL": "http://calsync.example.com"}, "serve.public_url: plain http", id="http-public"
    ),
    pytest.param({"CALSYNC_CRM_APIKEY": "x"}, 'did you mean "CALSYNC_CRM_API_KEY"', id="unknown-variable"),
]


@pytest.mark.parametrize(("environ", "warning"), WARNINGS)
def test_what_is_accepted_but_should_be_known(environ: dict[str, str], warning: str) -> None:
    (found,) = load_settings(None, environ).warnings
    assert warning in found


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({"CALSYNC_CRM_URL": "http://localhost:8701"}, id="http-on-this-machine"),
        pytest.param({"CALSYNC_PORT": "tcp://10.0.0.1:8700"}, id="kubernetes-sets-this-for-a-service"),
        pytest.param({"CALSYNC_REQUIRE_SERVICES": "1"}, id="of-the-test-suite"),
    ],
)
def test_what_needs_no_warning(environ: dict[str, str]) -> None:
    assert load_settings(None, environ).warnings == ()


@pytest.mark.parametrize("path", BRIDGE_NEEDS)
def test_what_the_bridge_needs_is_asked_for_by_name(tmp_path: Path, path: str) -> None:
    settings = load_settings(written(tmp_path, WHOLE), {})
    section, key = path.split(".")
    part = getattr(settings, section)
    empty: object = {} if key == "secret_keys" else ""
    emptied = dataclasses.replace(settings, **{section: dataclasses.replace(part, **{key: empty})})
    with pytest.raises(ConfigurationError, match=rf"^{path}: is missing; set it .* CALSYNC_") as caught:
        require(emptied, *BRIDGE_NEEDS)
    assert caught.value.expected


ENTITY_FIELDS = [
    pytest.param({"description": ""}, set(), id="bare"),
    pytest.param({}, {"description"}, id="default"),
    pytest.param(
        {"location": "a", "reminder": "b", "sensitivity": "c", "show_as": "d", "online": "e"},
        {"description", "location", "reminder", "sensitivity", "show_as", "online"},
        id="everything",
    ),
    pytest.param({"marker": "a", "join_url": "b"}, {"description"}, id="bookkeeping-is-no-field"),
]


@pytest.mark.parametrize(("attributes", "optional"), ENTITY_FIELDS)
def test_fields_that_an_entity_can_hold(attributes: dict[str, str], optional: set[str]) -> None:
    entity = EntitySettings(entity_type="Meeting", **attributes)  # type: ignore[arg-type]
    assert entity.fields() == {"subject", "span", "attendees", "responses"} | optional

"""The signatures of all recorded deliveries, made again from the raw body and the hook's recorded secret."""

from __future__ import annotations

import base64

import pytest

from calsync_plugin.sandbox.crm.delivery import signatures
from calsync_plugin.sandbox.crm.php_json import encode
from tests.contract.crm.recordings import recordings

SECRETS = {
    entry.response["body"]["id"]: entry.response["body"]["secretKey"]
    for entry in recordings()
    if not entry.is_delivery and entry.response["status"] == 201
}
RECORDED = [
    pytest.param(request, id=f"{entry.name}-{place}")
    for entry in recordings()
    if entry.is_delivery
    for place, request in enumerate(entry.data["requests"])
]


def test_there_are_forty() -> None:
    assert len(RECORDED) == 40


@pytest.mark.parametrize("delivery", RECORDED)
def test_signature_is_the_recorded_one(delivery: dict[str, object]) -> None:
    headers = delivery["headers"]
    assert isinstance(headers, dict)
    hook_id = base64.b64decode(headers["Signature"]).split(b":")[0].decode()

    made = signatures(hook_id, SECRETS[hook_id], str(delivery["body_raw"]).encode())

    assert made == {name: headers[name] for name in ("Signature", "X-Signature")}


@pytest.mark.parametrize("delivery", RECORDED)
def test_body_is_encoded_as_php_does(delivery: dict[str, object]) -> None:
    assert encode(delivery["body"]).decode() == delivery["body_raw"]


def test_slashes_and_other_alphabets_are_escaped() -> None:
    assert encode({"a": "1/2 é 🎉"}) == b'{"a":"1\\/2 \\u00e9 \\ud83c\\udf89"}'

from typing import Any

import pytest

from api.credentials import MOST_KEYS, TwoCredentials, UnknownCredential, authorization_in
from community.errors import InvalidInput


@pytest.mark.parametrize("key", ["Authorization", "authorization", "AUTHORIZATION", "aUTHORIZATION"])
def test_a_token_is_taken_however_its_key_is_capitalised(key: str) -> None:
    assert authorization_in({key: "Bearer x", "any": "thing"}) == "Bearer x"


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"any": "thing", "other": {"thing": [1, None, {"x": True}]}},
        {"Authorization": None, "token": None},
        {"author": "x", "authority": "x", "client": "meilin", "lang": "zh", "协议": "一"},
    ],
)
def test_what_is_no_credential_is_passed_over(payload: dict[str, Any]) -> None:
    assert authorization_in(payload) is None


def test_the_same_twice_is_the_same() -> None:
    assert authorization_in({"Authorization": "Bearer x", "authorization": "Bearer x"}) == "Bearer x"
    with pytest.raises(TwoCredentials):
        authorization_in({"Authorization": "Bearer x", "authorization": "Bearer y"})


@pytest.mark.parametrize(
    "payload",
    [
        {"token": "x"},
        {"Token": "x"},
        {"authToken": "x"},
        {"auth": "x"},
        {"auth": {"any": 1}},
        {"bearer": "x"},
        {"jwt": "x"},
        {"JWT": 5},
        {"access_token": "x"},
        {"x-auth-token": "x"},
        {"X-API-Key": "x"},
        {"apiKey": ""},
        {"api_key": "x"},
        {"cookie": "meilin_session=x"},
        {"session": "x"},
        {"meilin_session": "x"},
        {"password": "x"},
        {"passphrase": "x"},
        {"pwd": "x"},
        {"client_secret": "x"},
        {"authentication": "x"},
        {"authorisation": "Bearer x"},
        {"authorization ": "Bearer x"},
        {"Proxy-Authorization": "Bearer x"},
        {"headers": {"Authorization": "Bearer x"}},
        {"headers": {"authorization": "Bearer x"}},
        {"headers": [{"x": {"token": "x"}}]},
        {"context": {"headers": {"x-jwt": "x"}}},
        {"any": "Bearer x"},
        {"any": ["bearer x"]},
        {"any": " Bearer x"},
        {"any": "BEARER\tx"},
        {"Authorization": 42},
        {"Authorization": ["Bearer x"]},
        {"Authorization": {"Bearer": "x"}},
        {"Authorization": "Bearer x", "token": "y"},
    ],
    ids=str,
)
def test_what_is_meant_as_a_credential_is_never_passed_over(payload: dict[str, Any]) -> None:
    with pytest.raises(UnknownCredential):
        authorization_in(payload)


def deep(levels: int) -> Any:
    return {"a": deep(levels - 1)} if levels else 1


@pytest.mark.parametrize(
    "payload",
    [
        deep(6),
        deep(300),
        {"a": [[[[[[1]]]]]]},
        {f"k{n}": n for n in range(MOST_KEYS + 1)},
        {"a": [0] * 60_000},
    ],
    ids=["deep", "deeper", "lists", "keys", "long"],
)
def test_what_is_beyond_all_measure_is_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        authorization_in(payload)


def test_what_is_within_it_is_taken() -> None:
    assert authorization_in(deep(5)) is None
    assert authorization_in({f"k{n}": n for n in range(MOST_KEYS)}) is None

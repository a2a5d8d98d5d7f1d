"""What people may write as a list of endpoints, and what they are told of mistakes."""

import pytest

from pipeline.generation.teacher.addresses import UnusableAddressError
from pipeline.generation.teacher.endpoint_list import EndpointListError, read_endpoint_list

A = "http://10.0.0.1:8000/v1"
B = "http://10.0.0.2:8000/v1"


def test_addresses_have_weights_and_keys_in_their_order() -> None:
    first, second, third = read_endpoint_list(
        f"{A}*2,  {B}/\n https://host/v1*0.5", "sk-first none sk-third"
    )

    assert (first.base_url, first.weight, first.api_key.get_secret_value()) == (A, 2, "sk-first")
    assert (second.base_url, second.weight, second.api_key.get_secret_value()) == (B, 1, "")
    assert (third.base_url, third.weight) == ("https://host/v1", 0.5)
    assert third.api_key.get_secret_value() == "sk-third"


@pytest.mark.parametrize(("keys", "each"), [("sk-all", "sk-all"), ("", ""), ("none", "")])
def test_one_key_is_for_all(keys: str, each: str) -> None:
    listed = read_endpoint_list(f"{A} {B}", keys)

    assert [one.api_key.get_secret_value() for one in listed] == [each, each]


@pytest.mark.parametrize(
    ("addresses", "keys", "message"),
    [
        pytest.param(" , ", "", "names no endpoint", id="empty"),
        pytest.param(f"{A}*0", "", "entry 1, has the weight '0'", id="zero"),
        pytest.param(f"{A} {B}*-1", "", "entry 2, has the weight '-1'", id="negative"),
        pytest.param(f"{A}*nan", "", "weight 'nan'", id="not a number"),
        pytest.param(f"{A}*inf", "", "weight 'inf'", id="infinite"),
        pytest.param(f"{A}*two", "", "weight 'two'", id="word"),
        pytest.param(f"{A}*", "", "weight ''", id="no weight"),
        pytest.param(f"{A} {B} {A}/", "", f"{A} twice, as entries 1 and 3", id="twice"),
        pytest.param("http://HOST/v1 http://host:80/v1", "", "twice", id="spelt differently"),
        pytest.param(f"{A} {B}", "a b c", "3 keys for the 2 endpoints", id="too many keys"),
        pytest.param(f"{A} {B} http://c/v1", "a b", "2 keys for the 3", id="too few keys"),
    ],
)
def test_list_that_cannot_be_used_is_refused(addresses: str, keys: str, message: str) -> None:
    with pytest.raises(EndpointListError, match=message.replace("*", r"\*")):
        read_endpoint_list(addresses, keys)


@pytest.mark.parametrize(
    ("addresses", "message"),
    [
        ("10.0.0.1:8000/v1", "PACALOOM_ENDPOINTS, entry 1, is no address"),
        (f"{A} ftp://host/v1", "PACALOOM_ENDPOINTS, entry 2, is no address"),
        (f"{A} http://host:99999/v1", "entry 2, is no address"),
        ("http://name:secret@host/v1", "entry 1, has a user name or password"),
        ("http://name:1*secret@host/v1", "entry 1, has a user name or password"),
        ("http://host/v1?key=secret*2", "entry 1, has a . or # in it"),
    ],
)
def test_address_that_cannot_be_asked_is_named_and_not_quoted(addresses: str, message: str) -> None:
    with pytest.raises(UnusableAddressError, match=message) as caught:
        read_endpoint_list(addresses, "sk-3f9a7c1e5b2d8064")

    assert "secret" not in str(caught.value)
    assert "sk-3f9a" not in str(caught.value)


def test_key_that_is_none_is_named_and_not_quoted() -> None:
    with pytest.raises(UnusableAddressError, match="PACALOOM_ENDPOINT_KEYS") as caught:
        read_endpoint_list(f"{A} {B}", "sk-one 열쇠")

    assert "열쇠" not in str(caught.value)

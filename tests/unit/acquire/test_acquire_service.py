"""Credentials and addresses come from the environment."""

import pytest

from skred.acquire.service import CDSE_BASE_URL, service_from
from skred.core.errors import InputError

ACCOUNT = {"SH_CLIENT_ID": "me", "SH_CLIENT_SECRET": "hush-hush"}


def test_copernicus_data_space_is_the_default():
    service = service_from(ACCOUNT)
    assert service.base_url == CDSE_BASE_URL
    assert not service.simulated


def test_a_printed_service_shows_no_credentials():
    assert "hush-hush" not in repr(service_from(ACCOUNT))
    assert "'me'" not in repr(service_from(ACCOUNT))


@pytest.mark.parametrize("missing", ["SH_CLIENT_ID", "SH_CLIENT_SECRET"])
def test_missing_credentials_say_what_to_set_and_where_to_get_an_account(missing):
    with pytest.raises(InputError, match=missing) as caught:
        service_from({name: value for name, value in ACCOUNT.items() if name != missing})
    assert "https://" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "hush-hush" not in str(caught.value)


def test_a_service_on_this_machine_is_simulated_whatever_the_event_says():
    local = {"SH_BASE_URL": "http://127.0.0.1:8000/", "SH_TOKEN_URL": "http://127.0.0.1:8000/token"}
    service = service_from(ACCOUNT | local)
    assert service.simulated
    assert service.label == "offline"
    assert service.base_url == "http://127.0.0.1:8000"
    assert service.identity != service_from(ACCOUNT).identity


def test_another_start_on_the_same_port_is_another_service_and_a_new_secret_of_a_real_account_is_not():
    local = {"SH_BASE_URL": "http://127.0.0.1:8000/", "SH_TOKEN_URL": "http://127.0.0.1:8000/token"}
    new = {"SH_CLIENT_SECRET": "another"}
    one, again, other = (service_from(ACCOUNT | local | more).identity for more in ({}, {}, new))
    assert one == again != other
    assert "hush-hush" not in one
    assert service_from(ACCOUNT).identity == service_from(ACCOUNT | new).identity


@pytest.mark.parametrize(
    "addresses",
    [
        {"SH_BASE_URL": "http://example.org", "SH_TOKEN_URL": "https://example.org/token"},
        {"SH_BASE_URL": "https://example.org", "SH_TOKEN_URL": "http://example.org/token"},
        {"SH_BASE_URL": "https://example.org"},
    ],
)
def test_an_address_that_would_show_the_login_is_refused(addresses):
    with pytest.raises(InputError, match="SH_"):
        service_from(ACCOUNT | addresses)


@pytest.mark.parametrize("name", ["SH_BASE_URL", "SH_TOKEN_URL"])
@pytest.mark.parametrize(
    "address",
    [
        "https://me:hush-hush@example.org",
        "https://hush-hush@example.org/path",
        "http://me:hush-hush@127.0.0.1:8000",
        "https://example.org?key=hush-hush",
        "https://example.org/#hush-hush",
        "https://example.org:hush-hush",
        "https://[hush-hush",
        "hush-hush",
    ],
)
def test_an_address_with_more_than_an_address_in_it_is_refused_and_not_repeated(name, address):
    good = {"SH_BASE_URL": "https://example.org", "SH_TOKEN_URL": "https://example.org/token"}
    with pytest.raises(InputError, match=name) as caught:
        service_from(ACCOUNT | good | {name: address})
    assert "hush-hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("base_url", "token_url"),
    [
        (
            "https://services.sentinel-hub.com",
            "https://services.sentinel-hub.com/auth/realms/main/protocol/openid-connect/token",
        ),
        ("https://hub.example.org:8443/sentinel", "https://login.example.org/token"),
    ],
)
def test_another_service_is_named_by_the_environment(base_url, token_url):
    service = service_from(ACCOUNT | {"SH_BASE_URL": base_url + "/", "SH_TOKEN_URL": token_url})
    assert (service.base_url, service.token_url, service.label) == (base_url, token_url, base_url)
    assert not service.simulated

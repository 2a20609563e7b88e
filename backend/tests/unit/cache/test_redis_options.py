from pathlib import Path

import pytest

from app.cache import keys
from app.cache.connection import redis_options
from app.core.config import Settings


def settings(**values: object) -> Settings:
    return Settings(_env_file=None, **values)  # type: ignore[call-arg,arg-type]


@pytest.mark.parametrize(
    "values, url",
    [
        ({"redis_url": "redis://one:1/2", "redis_host": "two"}, "redis://one:1/2"),
        ({"redis_host": "h"}, "redis://h:6379/0"),
        ({"redis_host": "h", "redis_port": 1, "redis_db": 3, "redis_password": "p@:/ss"}, "redis://:p%40%3A%2Fss@h:1/3"),
        ({"redis_host": "h", "redis_ssl": True}, "rediss://h:6379/0"),
        ({"redis_host": "::1"}, "redis://[::1]:6379/0"),
        ({}, "unix:///embedded"),
    ],
)
def test_the_address_is_composed_of_the_settings(values: dict[str, object], url: str) -> None:
    assert redis_options(settings(**values), embedded_url="unix:///embedded").url == url


def test_certificate_files_and_pool_size_are_taken_over() -> None:
    options = redis_options(settings(redis_url="rediss://h", redis_ssl_ca_path="/ca.pem", redis_max_connections=7))
    assert (options.ca_file, options.max_connections) == (Path("/ca.pem"), 7)


def test_every_key_starts_with_the_application_and_the_workspace() -> None:
    made = [
        keys.session_key("T1:C1:1.2"),
        keys.person_key("T1", "U1"),
        keys.workspace_key("T1"),
        keys.limit_key("T1", "questions", "U1"),
    ]
    assert all(key.startswith("sales-agent:T1:") for key in made)
    assert len(set(made)) == len(made)

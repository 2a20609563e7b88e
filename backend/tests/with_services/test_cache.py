"""The cache with a real server: what it keeps, and that nobody notices when the server is gone."""

import asyncio
import contextlib
import ssl
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.cache.cache import BLOCKED_SECONDS, Cache
from app.cache.connection import LONGEST_CALL_SECONDS, OPEN_SECONDS, RedisConnection, RedisOptions
from app.embedded.services import THROW_AWAY, EmbeddedServices
from tests.with_services.redis_faults import SteppingClock, black_hole, forward_to

KEY = "sales-agent:T1:test:1"


@contextlib.asynccontextmanager
async def cache_at(url: str, clock: SteppingClock | None = None, **options: Path) -> AsyncIterator[tuple[Cache, RedisConnection]]:
    connection = RedisConnection.open(RedisOptions(url, **options), clock=clock)  # type: ignore[arg-type]
    yield Cache(connection), connection
    await connection.close()


async def test_a_value_is_found_until_it_is_taken_or_deleted(redis_url: str) -> None:
    async with cache_at(redis_url) as (cache, _):
        assert await cache.get(KEY) is None
        assert await cache.set(KEY, "記憶".encode(), 60)
        assert await cache.get(KEY) == "記憶".encode()
        assert await cache.take(KEY) == "記憶".encode()
        assert await cache.take(KEY) is None
        await cache.set(KEY, b"again", 60)
        await cache.delete(KEY)
        assert await cache.get(KEY) is None
        assert (cache.hit_count, cache.miss_count) == (2, 3)
        assert cache.hit_rate == pytest.approx(0.4)


async def test_what_is_blocked_stays_away_whoever_still_has_the_old_value(redis_url: str) -> None:
    async with cache_at(redis_url) as (cache, connection):
        await cache.add(KEY, b"first", 60)
        await cache.add(KEY, b"second", 60)
        assert await cache.get(KEY) == b"first"
        await cache.block(KEY)
        await cache.add(KEY, b"first", 60)
        assert await cache.get(KEY) is None
        assert 0 < await connection.run(lambda client: client.ttl(KEY)) <= BLOCKED_SECONDS


async def test_every_value_has_a_lifetime(redis_url: str) -> None:
    async with cache_at(redis_url) as (cache, connection):
        await cache.set(KEY, b"x", 60)
        assert 0 < await connection.run(lambda client: client.ttl(KEY)) <= 60


@pytest.fixture
def home_of_a_server() -> Iterator[Path]:
    """Directly in the temporary folder: pytest's own folders are closed to the user a root's servers run as."""
    with tempfile.TemporaryDirectory(prefix="sa-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


async def test_a_server_killed_and_started_again_goes_unnoticed(home_of_a_server: Path) -> None:
    clock = SteppingClock()
    services = EmbeddedServices(home_of_a_server, THROW_AWAY)
    services._own(services._sockets)
    try:
        services.start_redis()
        async with cache_at(services.redis_url, clock) as (cache, connection):
            await cache.set(KEY, b"old", 60)
            services.stop()
            for _ in range(10):
                assert await cache.get(KEY) is None
            assert not cache.is_up
            assert connection.error_count == 3, "after three failures nobody tries any more"
            assert connection.skipped_count == 7
            services.start_redis()
            assert await cache.get(KEY) is None, "still resting"
            clock.step(OPEN_SECONDS + 0.1)
            assert await cache.set(KEY, b"new", 60)
            assert await cache.get(KEY) == b"new"
            assert cache.is_up
    finally:
        services.stop()


async def test_a_server_that_swallows_everything_is_given_up_after_three_calls() -> None:
    async with black_hole() as url, cache_at(url, SteppingClock()) as (cache, connection):
        async with asyncio.timeout(20 * LONGEST_CALL_SECONDS):  # 1,000 calls would take 100 s without the circuit
            for _ in range(1000):
                assert await cache.get(KEY) is None
        assert connection.error_count == 3


async def test_what_could_not_be_replaced_is_not_found_afterwards(redis_url: str) -> None:
    clock = SteppingClock()
    async with forward_to(redis_url) as wire, cache_at(wire.url, clock) as (cache, _):
        await cache.set(KEY, b"first", 60)
        wire.is_cut = True
        assert not await cache.set(KEY, b"second", 60)
        for _ in range(3):
            await cache.get(KEY)
        wire.is_cut = False
        clock.step(OPEN_SECONDS + 0.1)
        assert await cache.get(KEY) is None, "the first value is out of date"
        await cache.set(KEY, b"third", 60)
        assert await cache.get(KEY) == b"third"


async def test_a_full_server_refuses_writing_and_still_reads(redis_url: str) -> None:
    async with cache_at(redis_url) as (cache, connection):
        await cache.set(KEY, b"kept", 60)
        before = await connection.run(lambda client: client.config_get("maxmemory*"))
        try:
            await connection.run(lambda client: client.config_set("maxmemory-policy", "noeviction"))
            await connection.run(lambda client: client.config_set("maxmemory", 1))
            for number in range(5):
                assert not await cache.set(f"{KEY}{number}", b"x", 60)
            assert cache.is_up, "a refusal is an answer"
            assert await cache.get(KEY) == b"kept"
        finally:
            for name in ("maxmemory", "maxmemory-policy"):
                await connection.run(lambda client, name=name: client.config_set(name, before[name]))


async def test_a_call_that_is_interrupted_does_not_confuse_the_next_one(redis_url: str) -> None:
    async with cache_at(redis_url) as (cache, _):
        for number in range(50):
            await cache.set(f"{KEY}:{number}", str(number).encode(), 60)
        right = 0
        for round_ in range(20):
            tasks = [asyncio.create_task(cache.get(f"{KEY}:{number}")) for number in range(50)]
            for _ in range(round_ % 5):
                await asyncio.sleep(0)
            for task in tasks[::2]:
                task.cancel()
            found = await asyncio.gather(*tasks, return_exceptions=True)
            for number in range(1, 50, 2):  # nothing, when this machine was busy for 100 ms; never what another one asked for
                assert found[number] in {None, str(number).encode()}
                right += found[number] is not None
        assert right > 0


async def test_tls_with_our_own_authority_and_a_client_certificate(redis_url: str, tmp_path: Path) -> None:
    ca, server, client = certificates(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server / "cert.pem", server / "key.pem")
    context.load_verify_locations(ca / "cert.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    async with forward_to(redis_url, tls=context) as wire:
        files = {"ca_file": ca / "cert.pem", "certificate_file": client / "cert.pem", "key_file": client / "key.pem"}
        async with cache_at(wire.url, **files) as (cache, _):
            for _ in range(3):  # the handshake may take longer than one call is allowed to on a busy machine
                if await cache.set(KEY, b"sealed", 60):
                    break
            assert await cache.get(KEY) == b"sealed"
        async with cache_at(wire.url, certificate_file=client / "cert.pem", key_file=client / "key.pem") as (stranger, _):
            assert not await stranger.set(KEY, b"x", 60), "an authority we do not know"
        async with cache_at(wire.url, ca_file=ca / "cert.pem") as (nobody, _):
            assert not await nobody.set(KEY, b"x", 60), "no client certificate"


def certificates(folder: Path) -> tuple[Path, Path, Path]:
    """An authority, a server for ``localhost`` and a client."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
    made = []
    for name in ("authority", "localhost", "client"):
        key = authority_key if name == "authority" else ec.generate_private_key(ec.SECP256R1())
        subject = authority if name == "authority" else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(authority)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.now(UTC) - timedelta(days=1))
            .not_valid_after(datetime.now(UTC) + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=name == "authority", path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        )
        place = folder / name
        place.mkdir()
        (place / "cert.pem").write_bytes(builder.sign(authority_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        (place / "key.pem").write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        made.append(place)
    return made[0], made[1], made[2]


async def test_a_cancellation_is_not_lost_at_any_step_of_a_call(redis_url: str) -> None:
    for steps in range(10):
        async with cache_at(redis_url) as (cache, _):
            call = asyncio.create_task(cache.take(KEY))
            for _ in range(steps):
                await asyncio.sleep(0)
            was_done = not call.cancel()
            await asyncio.wait([call])
            assert was_done or call.cancelled(), steps

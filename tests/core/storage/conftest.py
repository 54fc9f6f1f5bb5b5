"""A store on disk, and one that speaks S3 over HTTP."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from core.storage.disk import DiskStore
from core.storage.s3 import Access, S3Store
from core.storage.store import Store


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Moto's server, on a port of its own."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def access(endpoint: str) -> Access:
    """A bucket of the test's own."""
    found = Access(
        bucket=f"files-{secrets.token_hex(4)}",
        endpoint=endpoint,
        region="us-east-1",
        access_key="key",
        secret_key="secret",
    )
    boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    ).create_bucket(Bucket=found.bucket)
    return found


@pytest.fixture(params=["disk", "s3"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Either."""
    if request.param == "disk":
        yield DiskStore(tmp_path)
    else:
        yield S3Store(request.getfixturevalue("access"))

"""Objects in a bucket of S3, or of whatever speaks like it.

boto3 blocks, so each call runs in a thread of ours. Retries and their budget are botocore's
(``standard`` mode); a breaker spares a store that is down.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterable, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from uuid import UUID

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from core.breaker import Breaker, CircuitOpen
from core.storage.keys import Key, folder_of_tenant
from core.storage.store import CHUNK, Found, Missing, StorageAway, Written

T = TypeVar("T")

PART: Final = 8 << 20
"""Bytes that are sent at a time; S3 takes no fewer than 5 MiB save in the end."""
AT_ONCE: Final = 16
_GONE: Final = frozenset({"NoSuchKey", "NoSuchUpload", "404"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where a bucket is and who we are there; without keys boto3 finds them as it does (the
    machine's role, say)."""

    bucket: str
    endpoint: str | None = None
    region: str | None = None
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)

    def client(self) -> Any:
        """A client; threads may share it. Nothing connects before it is used."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(
                connect_timeout=3,
                read_timeout=20,
                retries={"mode": "standard", "max_attempts": 3},
                max_pool_connections=AT_ONCE,
                # Not every store that speaks S3 knows the newer checksums.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                s3={"addressing_style": "path"} if self.endpoint else {},
            ),
        )


class S3Store:
    """The objects of one bucket; each is encrypted where it lies as the bucket says."""

    def __init__(self, access: Access) -> None:
        self._bucket = access.bucket
        self._client = access.client()
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="s3")
        self.breaker = Breaker()

    async def put(self, key: Key, body: AsyncIterable[bytes]) -> Written:
        """In one request if it is short, else in parts; at most ``PART`` bytes are in memory."""
        digest, size = hashlib.sha256(), 0
        waiting = bytearray()
        upload: _Upload | None = None
        try:
            async for chunk in body:
                digest.update(chunk)
                size += len(chunk)
                waiting += chunk
                while len(waiting) >= PART:
                    upload = upload or await self._begin(key)
                    await self._send(upload, bytes(waiting[:PART]))
                    del waiting[:PART]
            if upload is None:
                await self._call(self._client.put_object, Key=str(key), Body=bytes(waiting))
            else:
                if waiting:
                    await self._send(upload, bytes(waiting))
                parts = {"Parts": upload.parts}
                await self._call(
                    self._client.complete_multipart_upload, **upload.name, MultipartUpload=parts
                )
        except BaseException:
            if upload is not None:
                await asyncio.shield(self._abandon(upload))
            raise
        return Written(size, digest.hexdigest())

    async def read(self, key: Key) -> AsyncIterator[bytes]:
        """Raises: Missing, StorageAway."""
        found = await self._call(self._client.get_object, Key=str(key))
        return self._pieces(found["Body"])

    async def delete(self, key: Key) -> None:
        """Remove an object, if it is there."""
        await self._call(self._client.delete_object, Key=str(key))

    async def listed(self, tenant_id: UUID, under: str = "") -> AsyncIterator[Found]:
        """A thousand at a time; S3 lists by key."""
        root = f"{folder_of_tenant(tenant_id)}/"
        asked: dict[str, Any] = {"Prefix": f"{root}{under}/" if under else root}
        while True:
            page = await self._call(self._client.list_objects_v2, **asked)
            for each in page.get("Contents", ()):
                key = Key(tenant_id, each["Key"].removeprefix(root))
                yield Found(key, each["Size"], each["LastModified"])
            if not page["IsTruncated"]:
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    async def clear(self, tenant_id: UUID, under: str = "") -> None:
        """Remove all objects of a tenant, and the parts of what was never finished."""
        keys = [str(each.key) async for each in self.listed(tenant_id, under)]
        for start in range(0, len(keys), 1000):
            doomed = [{"Key": key} for key in keys[start : start + 1000]]
            await self._call(self._client.delete_objects, Delete={"Objects": doomed, "Quiet": True})
        folder = folder_of_tenant(tenant_id)
        prefix = f"{folder}/{under}/" if under else f"{folder}/"
        begun = await self._call(self._client.list_multipart_uploads, Prefix=prefix)
        for each in begun.get("Uploads", ()):
            await self._abandon(_Upload(each["Key"], each["UploadId"]))

    async def _begin(self, key: Key) -> _Upload:
        begun = await self._call(self._client.create_multipart_upload, Key=str(key))
        return _Upload(str(key), begun["UploadId"])

    async def _send(self, upload: _Upload, part: bytes) -> None:
        number = len(upload.parts) + 1
        sent = await self._call(
            self._client.upload_part, **upload.name, PartNumber=number, Body=part
        )
        upload.parts.append({"PartNumber": number, "ETag": sent["ETag"]})

    async def _abandon(self, upload: _Upload) -> None:
        try:
            await self._call(self._client.abort_multipart_upload, **upload.name)
        except (Missing, StorageAway):
            return  # the bucket's lifecycle removes it

    async def _pieces(self, body: Any) -> AsyncIterator[bytes]:
        try:
            while chunk := await self._run(lambda: body.read(CHUNK)):
                yield chunk
        finally:
            body.close()

    async def _call(self, method: Callable[..., Any], **asked: Any) -> Any:
        return await self._run(lambda: method(Bucket=self._bucket, **asked))

    async def _run(self, call: Callable[[], T]) -> T:
        try:
            self.breaker.enter()
        except CircuitOpen:
            raise StorageAway from None
        try:
            answer = await asyncio.get_running_loop().run_in_executor(self._threads, call)
        except ClientError as refusal:
            self._heard(refusal)
            raise
        except (BotoCoreError, HTTPClientError, OSError) as problem:
            self.breaker.failed()
            raise StorageAway from problem
        self.breaker.succeeded()
        return answer

    def _heard(self, refusal: ClientError) -> None:
        """Raises: Missing, StorageAway; what else the store says is a mistake of ours."""
        if refusal.response["ResponseMetadata"].get("HTTPStatusCode", 500) >= 500:
            self.breaker.failed()
            raise StorageAway from refusal
        self.breaker.succeeded()
        if refusal.response["Error"]["Code"] in _GONE:
            raise Missing from refusal


@dataclass(frozen=True, slots=True)
class _Upload:
    """An object that is being sent in parts."""

    key: str
    id: str
    parts: list[dict[str, Any]] = field(default_factory=list)

    @property
    def name(self) -> dict[str, str]:
        """As S3 is told which."""
        return {"Key": self.key, "UploadId": self.id}

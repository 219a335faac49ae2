"""Files in a folder or a bucket, as they are at this moment.

What makes files of a bucket's objects remembers every listing, with the sizes of the files. Those who live long, API
server and triggerer, would never see what a task writes, and of a file that has grown they would read a part.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from uuid import uuid4

from predictive_scaling.errors import InvalidSetting

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath


def opened(address: str) -> ObjectStoragePath:
    """Open an address, such as file:///var/lib/scaling or s3://conn@bucket/prefix, without a memory of listings."""
    from airflow.sdk import ObjectStoragePath

    path = ObjectStoragePath(address)
    # Airflow's own methods use the first, all others the second; without a connection they are not the same.
    for filesystem in (path.fs, path.__wrapped__.fs):
        filesystem.dircache.use_listings_cache = False
        filesystem.dircache.clear()
    return path


def storage_root(address: str) -> ObjectStoragePath:
    """Open the root that the setting `storage` names."""
    try:
        return opened(address)
    except (ValueError, ImportError, TypeError) as error:
        msg = f"[predictive_scaling] storage = {address!r} cannot be used: {error}"
        raise InvalidSetting(msg) from error


def put_file(path: ObjectStoragePath, content: bytes) -> None:
    """Write the whole file or none of it: object stores do so by themselves, a local file is renamed into place."""
    if path.protocol not in {"file", ""}:
        path.write_bytes(content)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid4().hex}")
    draft.write_bytes(content)
    os.replace(draft.path, path.path)  # noqa: PTH105 - these are not pathlib's own paths

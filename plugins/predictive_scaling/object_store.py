"""Files in a folder or a bucket, by name, as they are at this moment.

What makes files of a bucket's objects remembers every listing, with the sizes of the files. Those who live long, API
server and triggerer, would never see what a task writes, and of a file that has grown they would read a part. And a
bucket takes its time over each question: a file is asked for once, without a look whether it is there, and the files
of many fleets are asked for side by side.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, TypeVar
from uuid import uuid4

from predictive_scaling.errors import InvalidSetting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow.sdk import ObjectStoragePath

T = TypeVar("T")
R = TypeVar("R")
AT_ONCE: Final = 10
"""As many as the connections that a client of AWS keeps."""


def opened(address: str) -> ObjectStoragePath:
    """Open an address, such as file:///var/lib/scaling or s3://conn@bucket/prefix, without a memory of listings."""
    from airflow.sdk import ObjectStoragePath

    path = ObjectStoragePath(address)
    # Airflow's own methods use the first, all others the second; without a connection they are not the same.
    for filesystem in (path.fs, path.__wrapped__.fs):
        filesystem.dircache.use_listings_cache = False
        filesystem.dircache.clear()
    return path


class ObjectStore:
    """The files under one root, by names such as sizes/web.json; a reader sees a whole one or none."""

    def __init__(self, root: ObjectStoragePath) -> None:
        self._address, self._path, self._files = str(root), PurePosixPath(root.path), root.fs
        self._is_local = root.protocol in {"file", ""}

    @classmethod
    def at(cls, address: str) -> ObjectStore:
        """Open the root that the setting `storage` names."""
        try:
            return cls(opened(address))
        except (ValueError, ImportError, TypeError) as error:
            msg = f"[predictive_scaling] storage = {address!r} cannot be used: {error}"
            raise InvalidSetting(msg) from error

    def address(self, name: str) -> str:
        """Give the address of a file."""
        return f"{self._address}/{name}"

    def read(self, name: str) -> bytes | None:
        """Give a file's content, None where there is no such file."""
        try:
            # Without a start some would ask for the size first, to fetch what is large in parts.
            content: bytes = self._files.cat_file(self._at(name), start=0)
        except FileNotFoundError:
            return None
        return content

    def put(self, name: str, content: bytes) -> None:
        """Write a whole file: object stores do so by themselves, a local one is renamed into place."""
        if not self._is_local:
            self._files.pipe_file(self._at(name), content)
            return
        folder, _, last = self._at(name).rpartition("/")
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103
        draft = f"{folder}/.{last}.{uuid4().hex}"
        try:
            self._files.pipe_file(draft, content)
            os.replace(draft, self._at(name))  # noqa: PTH105
        except BaseException:
            with suppress(OSError):
                os.remove(draft)  # noqa: PTH107
            raise

    def drop(self, name: str) -> None:
        """Remove a file, unless another task has done so by now."""
        with suppress(FileNotFoundError):
            self._files.rm_file(self._at(name))

    def names(self, folder: str, ending: str) -> list[str]:
        """Name the files of a folder that end so, without folder and ending, in order."""
        try:
            found = self._files.ls(self._at(folder), detail=False)
        except FileNotFoundError:
            return []
        return sorted(name.rpartition("/")[2].removesuffix(ending) for name in found if name.endswith(ending))

    def names_below(self, folder: str, ending: str) -> list[str]:
        """Name the files of a folder and of all folders in it: one question, however many these are."""
        found = self._files.find(self._at(folder))
        start = len(self._at(folder)) + 1
        return sorted(name[start:].removesuffix(ending) for name in found if name.endswith(ending))

    def each(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Do the same with all items, several at once where answers are waited for; give what comes, in their order."""
        if self._is_local:
            return [work(item) for item in items]
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="storage") as pool:
            return list(pool.map(work, items))

    def _at(self, name: str) -> str:
        return str(self._path / name)

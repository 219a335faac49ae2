"""The routes of the built files. They say nothing of any fleet, but nobody who is not logged in needs them either."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from airflow.api_fastapi.core_api.security import requires_authenticated
from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import Response

BUILT: Final = Path(__file__).parent / "built"
TYPES: Final = {".js": "text/javascript", ".svg": "image/svg+xml"}

router = APIRouter(dependencies=[Depends(requires_authenticated())], include_in_schema=False)


@router.get("/{file}")
def get_built_file(file: str) -> Response:
    """Give a built file, which the browser keeps for as long as it has not changed."""
    found = next((path for path in BUILT.glob("*") if path.name == file), None)
    if found is None:
        raise HTTPException(404, f"no file {file!r}: the page has not been built; run `make page`")
    return Response(
        found.read_bytes(), media_type=TYPES.get(found.suffix), headers={"X-Content-Type-Options": "nosniff"}
    )

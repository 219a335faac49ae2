"""The address of a database, read so that no password is ever told."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError


def address_of(text: str) -> sa.URL:
    """Read an address; what is left of a password after an @ of its own would pass for a host, and be told as one."""
    if text.count("@") > 1:
        msg = "the address has more than one @: write %40 for each of a name or password"
        raise ArgumentError(msg)
    try:
        return sa.make_url(text)
    except ValueError:  # which quotes what it took for a number
        msg = "the port in the address is no number: write for example postgresql://NAME:PASSWORD@HOST:5432/DATABASE"
        raise ArgumentError(msg) from None

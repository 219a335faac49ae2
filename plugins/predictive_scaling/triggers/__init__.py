"""Triggers: what a deferred task waits for, in the triggerer, holding no worker slot."""

from __future__ import annotations

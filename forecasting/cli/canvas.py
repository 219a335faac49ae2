"""The sheet a picture is drawn on, and the file it becomes: PNG, or one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import html
import io
from pathlib import Path
from typing import Any

from forecasting.errors import InvalidRequest


def canvas(rows: int = 1) -> tuple[Any, Any]:
    """Give a figure and its axes, one below the other."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        msg = "--plot needs matplotlib: pip install 'airflow-predictive-scaling[plot]'"
        raise InvalidRequest(msg) from error
    figure = Figure(figsize=(12, 4.5 * rows), layout="constrained")
    return figure, figure.subplots(rows)


def write(figure: Any, path: str, title: str) -> None:
    """Write the figure to a file, whose ending says as what."""
    ending = Path(path).suffix.lower()
    if ending not in {".png", ".html"}:
        msg = f"--plot {path!r} ends in {ending!r}: name a .png or .html file"
        raise InvalidRequest(msg)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120)
    try:
        Path(path).write_bytes(picture.getvalue() if ending == ".png" else _page(picture.getvalue(), title))
    except OSError as error:
        msg = f"--plot {path!r} cannot be written ({error.strerror}): name a file in a folder that exists"
        raise InvalidRequest(msg) from error


def _page(picture: bytes, title: str) -> bytes:
    name = html.escape(title)
    data = base64.b64encode(picture).decode()
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{name}</title>\n'
        f"<style>body {{ margin: 2rem; font-family: sans-serif }} img {{ max-width: 100% }}</style>\n"
        f'<h1>{name}</h1>\n<img alt="{name}" src="data:image/png;base64,{data}">\n</html>\n'
    ).encode()

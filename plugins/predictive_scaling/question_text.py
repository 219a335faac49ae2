"""What a person reads who is asked: why, what it costs, and a picture of the coming hours, in Markdown."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from forecasting.approval import Answer, Matter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta

    from forecasting.approval import Hour, Question

WIDTH: Final = 40
DONE: Final = "█"
WAITS: Final = "░"


def body_of(question: Question, page: str, lasts: timedelta) -> str:
    """Write the whole question."""
    picture = "\n".join(_lines(question.hours))
    holds, due = f"{lasts.total_seconds() / 3600:g} hours", f"{question.due_at:%Y-%m-%d %H:%M} UTC"
    by_itself = "it is approved" if question.safe is Answer.APPROVED else "it is rejected"
    who = f" Asked: {', '.join(question.by)}." if question.by else ""
    return (
        f"**Why:** {'; '.join(question.reasons)}.\n\n{_table(question)}\n\n"
        f"```text\nUTC. {DONE} is done meanwhile, {WAITS} {_what_waits(question)}\n{picture}\n```\n\n"
        f"An answer holds for {holds}. Without one by {due}, {by_itself}.{who}\n\n"
        f"[The fleet and its whole plan]({page})"
    )


def _what_waits(question: Question) -> str:
    return "would be taken away" if question.matter is Matter.LOWER else "waits for the answer"


def _table(question: Question) -> str:
    word, most = ("fewest", min) if question.matter is Matter.LOWER else ("most", max)
    asked, held = (str(most((getattr(each, name) for each in question.hours), default=0)) for name in ("asked", "held"))
    rows = [(f"{word} instances in 24 hours", asked, held)]
    if question.dollars_a_day is not None and question.dollars_held is not None:
        rows.append(("cost of 24 hours", f"${question.dollars_a_day:,.2f}", f"${question.dollars_held:,.2f}"))
    body = "\n".join(f"| {name} | {approved} | {otherwise} |" for name, approved, otherwise in rows)
    return f"| | approved | otherwise |\n|---|---|---|\n{body}"


def _lines(hours: Sequence[Hour]) -> Iterator[str]:
    """Draw a bar for each hour at which something changes."""
    top = max((max(hour.held, hour.asked) for hour in hours), default=0) or 1
    for (held, asked), same in groupby(hours, key=lambda hour: (hour.held, hour.asked)):
        low, high = (round(size * WIDTH / top) for size in sorted((held, asked)))
        bar = f"{DONE * low}{WAITS * (high - low)}"
        told = f"{held}" if held == asked else f"{held}, approved {asked}"
        yield f"{next(same).at:%a %H:%M} {bar.ljust(WIDTH)} {told}"

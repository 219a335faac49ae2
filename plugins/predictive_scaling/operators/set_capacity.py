"""The operator that sets a fleet's sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from predictive_scaling.operators.one_fleet import OneFleetOperator, whole_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class SetCapacityOperator(OneFleetOperator):
    """Set desired, min or max, within the fleet file's bounds, and verify; what is not given stays as it is."""

    template_fields: Sequence[str] = (*OneFleetOperator.template_fields, "desired", "min_size", "max_size")

    def __init__(
        self,
        *,
        desired: int | str | None = None,
        min_size: int | str | None = None,
        max_size: int | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.desired = desired
        self.min_size = min_size
        self.max_size = max_size

    def execute(self, context: Context) -> dict[str, Any]:
        """Set them."""
        from predictive_scaling.fleets import Sizes
        from predictive_scaling.set_capacity import set_capacity

        with self._at(context) as (spec, at):
            sizes = Sizes(
                min_size=whole_number("min", self.min_size),
                max_size=whole_number("max", self.max_size),
                desired=whole_number("desired", self.desired),
            )
            done = set_capacity(spec, at, sizes, self.reason, why_not=self._why_not(spec))
        self._tell(done)
        return {"fleet": self.fleet, "asked": sizes.as_json(), "done": done}

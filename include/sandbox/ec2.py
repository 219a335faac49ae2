"""EC2 as moto has it, except that instances are launched in virtual time."""

from __future__ import annotations

import moto.ec2.models.instances
import moto.ec2.models.launch_templates

from sandbox.patches import replaces
from sandbox.world import WORLD

replaces(moto.ec2.models.instances, "utcnow")(WORLD.clock.now_naive)
replaces(moto.ec2.models.launch_templates, "utcnow")(WORLD.clock.now_naive)

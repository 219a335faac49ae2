"""Launch templates as AWS has them: a new version begins as a copy of another, and an image may be a parameter's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.responses.launch_templates import LaunchTemplates
from moto.ssm.models import ssm_backends

from sandbox.patches import replaces

if TYPE_CHECKING:
    from moto.core.responses import ActionResult

PARAMETER = "resolve:ssm:"
_moto_new_version = LaunchTemplates.create_launch_template_version


@replaces(LaunchTemplates)
def create_launch_template_version(self: LaunchTemplates) -> ActionResult:
    """Add a version; what is not given is taken over from the source version."""
    result: ActionResult = _moto_new_version(self)
    source = self._get_param("SourceVersion")
    if source:
        name, number = self._get_param("LaunchTemplateName"), self._get_param("LaunchTemplateId")
        backend = self.ec2_backend
        template = backend.get_launch_template_by_name(name) if name else backend.get_launch_template(number)
        newest = template.versions.pop()
        kept = template.get_version(source).data
        template.versions.append(newest)
        newest.data.update({key: value for key, value in kept.items() if key not in newest.data})
    return result


def image_of(image: str, account: str, region: str) -> str:
    """Look up an image that is written as a parameter of Systems Manager."""
    if not image.startswith(PARAMETER):
        return image
    name = image.removeprefix(PARAMETER)
    found: dict[str, Any] = ssm_backends[account][region].get_parameters([name])
    if name not in found:
        code = "InvalidParameterValue"
        message = f"The parameter {name} of image {image} does not exist"
        raise EC2ClientError(code, message)
    return str(found[name].value)

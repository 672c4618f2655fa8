"""The flow `release`, which Prefect's pages show as a form, and the process that serves it beside a server."""

from pathlib import Path
from typing import Annotated, Any, cast

from prefect import flow, serve
from prefect.deployments.runner import RunnerDeployment
from prefect.types.entrypoint import EntrypointType
from pydantic import Field

from flows import release as releasing
from flows.server import wait_for

SERVED = "release"
Typed = Annotated[str, Field(pattern=r"\S")]


# Prefect's form shows what the docstring says of each parameter, and nothing else.
@flow(name="release", flow_run_name="release {run_or_version}", log_prints=False)
def release(run_or_version: Typed, reason: Typed, by: Typed, store: Typed) -> dict[str, Any]:
    """Approve the candidate that a gate stopped, and let the recipe's name mean it.

    Args:
        run_or_version: a run that a gate stopped, `latest`, or its candidate (`NAME@candidate`)
        reason: why the version may be used though the gate failed; it stays beside the version
        by: who approves
        store: the folder of the store
    """
    return releasing.release(run_or_version, reason, Path(store), by)


def serve_beside(store: str, api: str) -> None:
    """Serve the flow as the deployment `release` of a server, until this process is terminated."""
    wait_for(api, 120)
    deployment = release.to_deployment(
        SERVED, parameters={"store": store}, entrypoint_type=EntrypointType.MODULE_PATH
    )
    serve(cast(RunnerDeployment, deployment), print_starting_message=False)

"""The pages of artifacts on Prefect's server: made once a run and key, then renewed in place."""

from typing import cast
from uuid import UUID

from prefect.artifacts import create_markdown_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactUpdate

from flows.engine import Artifact


class ArtifactPages:
    """Those of one flow run; a key has a page for each run, which Prefect shows as its history."""

    def __init__(self) -> None:
        self._ids: dict[str, UUID] = {}

    def put(self, artifact: Artifact) -> str:
        """Show it and return the id of its page."""
        known = self._ids.get(artifact.key)
        if known is not None:
            change = ArtifactUpdate(data=artifact.markdown, description=artifact.title)
            get_client(sync_client=True).update_artifact(known, change)
            return str(known)
        made = create_markdown_artifact(
            key=artifact.key, markdown=artifact.markdown, description=artifact.title
        )
        self._ids[artifact.key] = cast(UUID, made)
        return str(made)

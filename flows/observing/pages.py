"""Link what a run shows in Prefect's pages: each artifact names its run and versions and leads on.

An artifact is a page of its own, and what a run makes of a dataset and a student stands on six of
them. Links are relative, so that they hold whatever address the pages have; they open a new tab.
"""

from collections.abc import Callable
from typing import NamedTuple

from flows.engine import Artifact
from flows.observing.identity import Identity
from schemas.markdown import code


class _Page(NamedTuple):
    artifact: Artifact
    address: str
    """Id of its page; empty where there are no pages."""

    @property
    def label(self) -> str:
        """Word for a link: Prefect's pages show a backslash in a link's text as one."""
        return self.artifact.key.split("-")[0]


class Pages:
    """The artifacts of one run. Each time something is added, all of them are shown anew."""

    def __init__(self, show: Callable[[Artifact], str]) -> None:
        """Show nothing yet.

        Args:
            show: Publishes; the same key replaces what was there. Returns the id of the page.
        """
        self._show = show
        self._pages: dict[str, _Page] = {}

    def add(self, artifact: Artifact, identity: Identity) -> str:
        """Show one more, and link the others to it."""
        self._pages[artifact.key] = _Page(artifact, "")
        address = self._show(self._complete(artifact, identity))
        self._pages[artifact.key] = _Page(artifact, address)
        if address:
            self.renew(identity, but=artifact.key)
        return address

    def renew(self, identity: Identity, but: str = "") -> None:
        """Show all but one anew, because more is known of the run."""
        for page in self._pages.values():
            if page.address and page.artifact.key != but:
                self._show(self._complete(page.artifact, identity))

    def _complete(self, artifact: Artifact, identity: Identity) -> Artifact:
        run = f"[Run {identity.run[:8]}](../../runs/flow-run/{identity.run})"
        known = [f"{run} of {code(identity.flow)}"]
        known += [f"dataset {code(identity.dataset)}"] if identity.dataset else []
        known += [f"model {code(identity.model)}"] if identity.model else []
        others = [
            f"[{page.label}](./{page.address})"
            for page in self._pages.values()
            if page.address and page.artifact.key != artifact.key
        ]
        lines = [" · ".join(known), f"See also: {' · '.join(others)}" if others else ""]
        return artifact._replace(
            markdown="\n\n".join([*filter(None, lines), "---", artifact.markdown])
        )

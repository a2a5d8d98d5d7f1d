"""Where the registry of names, versions and champions is."""

from flows.settings import Settings
from training.evaluation.registry import Registry


def open_registry(settings: Settings) -> Registry:
    """Open the registry; its file is made when it is first written to."""
    return Registry(settings.outputs / "registry.sqlite")

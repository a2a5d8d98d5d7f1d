"""Read how an endpoint's model is named on the command line: ``URL#MODEL``."""

from typing import NamedTuple
from urllib.parse import urlsplit

from schemas.errors import UserError

_EXAMPLE = "http://127.0.0.1:8080/v1#my-model"


class EndpointReferenceError(UserError):
    """A name of an endpoint's model that is none."""


class EndpointReference(NamedTuple):
    """A model behind an address."""

    base_url: str
    """Without a slash at its end; mostly it ends in ``/v1``."""
    model: str

    @property
    def root_url(self) -> str:
        """Where a server keeps what is not OpenAI's protocol."""
        return self.base_url.removesuffix("/v1")


def is_endpoint(reference: str) -> bool:
    """Tell an endpoint's model from a folder, a name and a hub id."""
    return reference.startswith(("http://", "https://"))


def read_reference(reference: str) -> EndpointReference:
    """Part address and model.

    Raises:
        EndpointReferenceError: One of them is missing, or there is a password in the address;
            which is not quoted then.
    """
    address, _, model = reference.partition("#")
    # Before anything is quoted.
    if "@" in address.split("://", 1)[-1].split("/", 1)[0]:
        raise EndpointReferenceError(
            "The address of a model has a user name or password in it, which would get into "
            "reports: take it out and give the key in OPENAI_API_KEY."
        )
    if not model or not _has_host(address):
        raise EndpointReferenceError(
            f"Wanted an endpoint's model as {_EXAMPLE}, address and then name, found "
            f"{reference!r}. A server lists its names at /v1/models."
        )
    return EndpointReference(address.rstrip("/"), model)


def _has_host(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and not parts.query and (parts.port is None or parts.port > 0)
    except ValueError:  # a port that is no number, or brackets that do not close
        return False

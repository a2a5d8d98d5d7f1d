"""Get a model file from the Hugging Face hub by plain HTTPS, continuing a cut transfer.

``huggingface_hub.hf_hub_download`` would do too, but retries for about a minute before it admits
that there is no network, keeps a second cache, and shows a progress bar of its own. One ranged GET
needs none of that, and the sha256 is checked by the caller in any case.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from embedded.models import HubFile
from embedded.sources import SourceError, Target

if TYPE_CHECKING:
    import httpx2

HUB_URL = "https://huggingface.co"

# Without a network the first source must give up before anyone wonders; once bytes flow, a
# stalled line gets longer, and a cut one is taken up again while it makes headway.
_CONNECT_TIMEOUT_S = 5.0
_READ_TIMEOUT_S = 30.0
_MAX_FRUITLESS_TRIES = 3


def download_from_hub(source: HubFile, target: Target, hub_url: str = HUB_URL) -> None:
    """Continue ``target.path`` to the whole file.

    Raises:
        SourceError: The hub cannot be reached, refuses, or keeps cutting the connection.
        OSError: The target cannot be written.
    """
    import httpx2

    url = f"{hub_url}/{source.repository}/resolve/main/{source.file}"
    timeout = httpx2.Timeout(_READ_TIMEOUT_S, connect=_CONNECT_TIMEOUT_S)
    fruitless = 0
    with httpx2.Client(timeout=timeout, follow_redirects=True) as client:
        while (before := _size(target.path)) < target.size_bytes:
            try:
                _continue(client, url, target)
            except httpx2.ConnectError as error:
                raise SourceError(f"{url}: no connection ({error})") from error
            except httpx2.HTTPError as error:
                fruitless = 0 if _size(target.path) > before else fruitless + 1
                if fruitless >= _MAX_FRUITLESS_TRIES:
                    raise SourceError(
                        f"{url}: cut off after {_size(target.path)} of {target.size_bytes} bytes "
                        f"({type(error).__name__}: {error})"
                    ) from error


def _continue(client: "httpx2.Client", url: str, target: Target) -> None:
    """Ask for what is missing and append it."""
    start = _size(target.path)
    headers = {"Range": f"bytes={start}-", "Accept-Encoding": "identity"} if start else {}
    with client.stream("GET", url, headers=headers) as answer:
        if answer.status_code not in (200, 206):
            raise SourceError(f"{url}: the hub answers {answer.status_code}")
        # 200 to a ranged request means that the server starts over.
        append = answer.status_code == 206
        done = start if append else 0
        with target.path.open("ab" if append else "wb") as file:
            # As the network delivers: of larger pieces a cut connection would lose the last one.
            for chunk in answer.iter_raw():
                done += len(chunk)
                if done > target.size_bytes:
                    raise SourceError(
                        f"{url}: more than the {target.size_bytes} bytes that were wanted"
                    )
                file.write(chunk)
                target.progress(done, target.size_bytes, "from the hub")
    if done < target.size_bytes:
        raise SourceError(f"{url}: ends after {done} of {target.size_bytes} bytes")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0

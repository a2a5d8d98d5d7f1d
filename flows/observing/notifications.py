"""Send news to people, through the addresses of ``PACALOOM_NOTIFY``: chat, mail, webhooks.

Apprise knows a hundred services and asks none but those that are named. It is imported when there
is something to send (0.1 s). A service that does not answer costs a run 15 s at most.
"""

import importlib
import logging
import re
import time
import warnings
from threading import Thread, get_ident
from typing import TYPE_CHECKING

from flows.observing.news import News
from flows.settings import Settings
from schemas.errors import UserError

if TYPE_CHECKING:
    from apprise import Apprise

_TIMEOUT_S = 15.0


class NotifyError(UserError):
    """What ``PACALOOM_NOTIFY`` says cannot be used."""


class Notifier:
    """Knows who is to be told."""

    def __init__(self, addresses: tuple[str, ...], timeout_s: float = _TIMEOUT_S) -> None:
        """Ask nobody yet.

        Args:
            addresses: As Apprise spells them.
            timeout_s: For all of them together.
        """
        self._addresses = addresses
        self._timeout_s = timeout_s

    @property
    def services(self) -> tuple[str, ...]:
        """What may be shown of the addresses: their order and the kind of service."""
        return tuple(
            f"address {place} ({_name_service(address)})"
            for place, address in enumerate(self._addresses, start=1)
        )

    def check(self) -> None:
        """Look whether Apprise understands each address; nothing is sent.

        Raises:
            NotifyError: One of them it does not.
        """
        if self._addresses:
            _load()
        for service, address in zip(self.services, self._addresses, strict=True):
            if not _open(address):
                raise NotifyError(
                    f"PACALOOM_NOTIFY, {service}: wanted an address as Apprise spells it, such as "
                    "slack://TOKEN_A/TOKEN_B/TOKEN_C or mailto://USER:PASSWORD@gmail.com, found "
                    "another. Addresses are separated by spaces."
                )

    def send(self, news: News) -> list[str]:
        """Send to all side by side; return a line for each that did not take it."""
        if self._addresses:
            _load()
        sendings = [_Sending(address, news) for address in self._addresses]
        for sending in sendings:
            sending.start()
        deadline = time.monotonic() + self._timeout_s
        for sending in sendings:
            sending.join(max(0.0, deadline - time.monotonic()))
        return [
            f"Could not notify {service}: {sending.failure}. "
            "Try `./pacaloom notify --test` when it is mended."
            for service, sending in zip(self.services, sendings, strict=True)
            if sending.failure
        ]


def make_notifier(settings: Settings) -> Notifier:
    """Make a notifier of those that the settings name; of none when they name none."""
    addresses = settings.notify.get_secret_value().split() if settings.notify else ()
    return Notifier(tuple(addresses))


class _Sending(Thread):
    """One message to one address. A daemon: a service that hangs must not hold the process."""

    def __init__(self, address: str, news: News) -> None:
        super().__init__(daemon=True)
        self._address = address
        self._news = news
        self.failure = "no answer in time"
        """Why it was not sent; empty when it was. Says nothing of the address."""

    def run(self) -> None:
        try:
            self.failure = self._send()
        except Exception as error:  # noqa: BLE001 - a service's own code; the run must not suffer
            self.failure = type(error).__name__

    def _send(self) -> str:
        messenger = _open(self._address)
        if not messenger:
            return "Apprise does not understand it"
        complaints = _Complaints()
        logger = logging.getLogger("apprise")
        logger.addHandler(complaints)
        try:
            sent = messenger.notify(
                title=self._news.title,
                body=self._news.body,
                notify_type="failure" if self._news.is_failure else "info",
                body_format="text",
            )
        finally:
            logger.removeHandler(complaints)
        return "" if sent else complaints.reason


class _Complaints(logging.Handler):
    """Hears why a message was not sent, and passes on what cannot hold a secret."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.reason = "it was not sent"
        self._thread = get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread != self._thread:
            return
        text = record.getMessage()
        status = re.search(r"error[= ](\d{3})\b", text)
        if status:
            self.reason = f"it answered with HTTP status {status[1]}"
        elif "onnection" in text:
            self.reason = "no connection"


def _load() -> None:
    """Import Apprise's plugins in peace: one imports ``imghdr``, which Python 3.11 warns of.

    Not in the threads that send: what warns is decided for all of them.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "'imghdr' is deprecated", DeprecationWarning)
        importlib.import_module("apprise.plugins.email")


def _open(address: str) -> "Apprise":
    """Return what sends to one address; empty, so false, when Apprise does not understand it."""
    from apprise import Apprise, AppriseAsset

    # It repeats addresses, and they hold tokens.
    logger = logging.getLogger("apprise")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    # No pictures: messages would name an address that chat programs load them from.
    asset = AppriseAsset(
        app_id="Pacaloom",
        app_desc="Pacaloom",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        image_path_mask="",
    )
    messenger = Apprise(asset=asset)
    messenger.add(address)
    return messenger


def _name_service(address: str) -> str:
    found = re.match(r"([a-z][a-z0-9]{1,20}):/", address, re.IGNORECASE)
    return found[1].lower() if found else "unknown"

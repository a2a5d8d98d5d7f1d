"""Words of the page, in English until its script says them in Korean."""

import json
from datetime import datetime
from pathlib import Path

from pydantic import RootModel

from pipeline.publishing.index_page.contents import Link
from pipeline.publishing.index_page.markup import Html, join, tag

Words = RootModel[dict[str, dict[str, str]]]


def read_words() -> dict[str, dict[str, str]]:
    """Read all words: language → key → text."""
    path = Path(__file__).parent / "words.json"
    return Words.model_validate_json(path.read_bytes()).root


class Speaker:
    """Says words by their key."""

    def __init__(self, words: dict[str, dict[str, str]]) -> None:
        self._words = words

    def say(self, key: str, name: str = "span") -> Html:
        """Say a word in an element of its own, which the script translates."""
        return tag(name, {"data-say": key}, self._words["en"][key])

    def text(self, key: str) -> str:
        """Say a word for an attribute."""
        return self._words["en"][key]

    def to_json(self) -> Html:
        """Write all words so that they may stand inside a script element."""
        text = json.dumps(self._words, ensure_ascii=False, separators=(",", ":"))
        return Html(text.replace("<", "\\u003c"))


def show_time(moment: datetime) -> Html:
    """Show a time in UTC, which the script turns into the reader's."""
    return tag(
        "time",
        {"datetime": moment.isoformat(timespec="seconds")},
        f"{moment:%Y-%m-%d %H:%M} UTC",
    )


def show_links(speaker: Speaker, links: tuple[Link, ...]) -> Html:
    """Link to the pages of an entry."""
    return join(
        [
            tag("a", {"class": "link", "href": link.href}, speaker.say(f"link-{link.kind}"))
            for link in links
        ]
    )

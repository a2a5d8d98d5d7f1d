"""The rule on data that could belong to a living person.

Numbers with a checksum count only when it holds, and what documentation sets aside for examples
(example.com, 010-1234-5678, 555 numbers, the test cards of payment firms) is nobody's. Evidence is
masked, because rejections are published with their reasons.
"""

import re
from collections.abc import Callable
from datetime import date
from itertools import pairwise

from pipeline.curation.rules.rule import Example, Rule
from pipeline.curation.rules.view import RecordView

_EMAIL = re.compile(r"(?<![\w.+-])([a-z0-9._%+-]+)@((?:[a-z0-9-]+\.)+[a-z]{2,})", re.IGNORECASE)
_NOBODYS_DOMAIN = re.compile(
    r"(?:.*\.)?(?:example|test|sample|domain|company|yourcompany|yourdomain|email|mail|invalid)"
    r"(?:\.[a-z]{2,})+",
    re.IGNORECASE,
)
_OFFICE_MAILBOX = re.compile(
    r"(?:info|support|contact|help|admin|hr|sales|no-?reply|webmaster|office|service|press|jobs"
    r"|recruit|team|hello|privacy|user\w*|test\w*|example|name|your\.?\w*)",
    re.IGNORECASE,
)
_MOBILE = re.compile(r"(?<!\d)(01[016789])[-. ]?(\d{3,4})[-. ]?(\d{4})(?!\d)")
_US_PHONE = re.compile(r"(?<![\d-])\(?([2-9]\d{2})\)?[-. ]\s?([2-9]\d{2})[-. ](\d{4})(?![\d-])")
_RESIDENT = re.compile(r"(?<!\d)(\d{2})(\d{2})(\d{2})[- ]?([1-8])(\d{6})(?!\d)")
_CARD = re.compile(r"(?<![\d.])[3-6]\d{3}(?:[- ]?\d{4}){2}[- ]?\d{1,4}(?![\d.])")
_TEST_CARDS = frozenset(
    {"4111111111111111", "4242424242424242", "5555555555554444", "5105105105105100"}
    | {"4012888888881881", "6011111111111117"}
)
_RESIDENT_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)


def _email(text: str) -> str | None:
    for found in _EMAIL.finditer(text):
        mailbox, domain = found.groups()
        if not (_NOBODYS_DOMAIN.fullmatch(domain) or _OFFICE_MAILBOX.fullmatch(mailbox)):
            return f"an e-mail address, {mailbox[0]}***@{domain}"
    return None


def _mobile(text: str) -> str | None:
    for found in _MOBILE.finditer(text):
        if not _is_made_up(found[2] + found[3]):
            return f"a Korean mobile number, {found[1]}-****-{found[3][-2:]:*>4}"
    return None


def _us_phone(text: str) -> str | None:
    for found in _US_PHONE.finditer(text):
        if "555" not in (found[1], found[2]) and not _is_made_up(found[2] + found[3]):
            return f"a phone number, {found[1]}-***-{found[3][-2:]:*>4}"
    return None


def _is_made_up(digits: str) -> bool:
    """Tell numbers that people write when they mean any number: 1234-5678, 9876-5432, 0000-0000."""
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(digits)}
    halves = {digits[: len(digits) // 2], digits[len(digits) // 2 :]}
    return len(steps) == 1 or len(halves) == 1 or "0000" in digits or "1234" in digits


def _resident_number(text: str) -> str | None:
    for found in _RESIDENT.finditer(text):
        if is_resident_number("".join(found.groups())):
            return f"a resident registration number, {found[1]}****-{found[4]}******"
    return None


def is_resident_number(digits: str) -> bool:
    """Check the birth date and the checksum of 13 digits of a 주민등록번호.

    Numbers given since October 2020 end in random digits, so one in eleven of those passes.
    """
    century = {"1": 1900, "2": 1900, "5": 1900, "6": 1900}.get(digits[6], 2000)
    try:
        date(century + int(digits[:2]), int(digits[2:4]), int(digits[4:6]))
    except ValueError:
        return False
    total = sum(
        weight * int(digit) for weight, digit in zip(_RESIDENT_WEIGHTS, digits, strict=False)
    )
    return (11 - total % 11) % 10 == int(digits[12])


def _card(text: str) -> str | None:
    for found in _CARD.finditer(text):
        digits = re.sub(r"\D", "", found[0])
        if digits not in _TEST_CARDS and has_luhn_checksum(digits) and len(set(digits)) > 2:
            return f"a card number, {digits[0]}*** … {digits[-2:]:*>4}"
    return None


def has_luhn_checksum(digits: str) -> bool:
    """Check the checksum of payment card numbers (ISO/IEC 7812-1)."""
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    single = (int(digit) for digit in digits[::-2])
    return (sum(number // 10 + number % 10 for number in doubled) + sum(single)) % 10 == 0


_KINDS: tuple[Callable[[str], str | None], ...] = (
    _resident_number,
    _card,
    _email,
    _mobile,
    _us_phone,
)


def _personal_data(record: RecordView) -> str | None:
    for part, text in (
        ("instruction", record.instruction),
        ("input", record.input),
        ("output", record.output),
    ):
        for find in _KINDS:
            found = find(text)
            if found:
                return f"the {part} holds {found}"
    return None


PERSONAL_RULES = (
    Rule(
        "personal-data",
        ("en", "ko"),
        "fatal",
        "It may belong to somebody, and a student repeats what it was taught.",
        _personal_data,
        examples=(
            Example("en", "Write a short note.", "Write to john.smith84@gmail.com soon."),
            Example("ko", "짧은 쪽지를 쓰세요.", "010-2847-3915로 연락해 주세요."),
        ),
        near_misses=(
            Example("en", "Write a short note.", "Write to info@plums.org or me@example.com."),
            Example("ko", "짧은 쪽지를 쓰세요.", "010-1234-5678로 연락해 주세요."),
        ),
    ),
)

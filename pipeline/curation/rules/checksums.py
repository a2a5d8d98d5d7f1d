"""Checksums of numbers that belong to persons, and signs that a number was only made up.

Linear in the digits.
"""

from datetime import date
from itertools import pairwise

_RESIDENT_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
# What payment firms print for testing.
_TEST_CARDS = frozenset(
    {"4111111111111111", "4242424242424242", "5555555555554444", "5105105105105100"}
    | {"4012888888881881", "6011111111111117", "378282246310005", "371449635398431"}
    | {"378734493671000", "5610591081018250", "30569309025904", "38520000023237"}
    | {"6011000990139424", "3530111333300000", "3566002020360505", "5200828282828210"}
    | {"4000056655665556", "2223003122003222", "6011000400000000", "4000000000000002"}
)


def is_made_up(digits: str) -> bool:
    """Tell numbers that people write when they mean any number: 1234-5678, 9876-5432, 0000-0000."""
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(digits)}
    halves = {digits[: len(digits) // 2], digits[len(digits) // 2 :]}
    return len(steps) == 1 or len(halves) == 1 or "0000" in digits or "1234" in digits


def is_resident_number(digits: str) -> bool:
    """Check the birth date and the checksum of 13 digits of a 주민등록번호 or 외국인등록번호.

    Numbers given since October 2020 end in random digits, so one in eleven of those passes.
    """
    century = 1900 if digits[6] in "1256" else 2000
    try:
        date(century + int(digits[:2]), int(digits[2:4]), int(digits[4:6]))
    except ValueError:
        return False
    total = sum(
        weight * int(digit) for weight, digit in zip(_RESIDENT_WEIGHTS, digits, strict=False)
    )
    # Foreigners' numbers, 5 to 8, count on from 13.
    first = 13 if digits[6] in "5678" else 11
    return (first - total % 11) % 10 == int(digits[12])


def has_luhn_checksum(digits: str) -> bool:
    """Check the checksum of payment card numbers (ISO/IEC 7812-1)."""
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    single = (int(digit) for digit in digits[::-2])
    return (sum(number // 10 + number % 10 for number in doubled) + sum(single)) % 10 == 0


def is_test_card(digits: str) -> bool:
    """Tell cards for testing, and numbers of so few digits, or so even steps, that they are."""
    return digits in _TEST_CARDS or len(set(digits)) <= 3 or "00000" in digits or "12345" in digits


def has_iban_checksum(account: str) -> bool:
    """Check the remainder of an account number without spaces (ISO 13616: 1 modulo 97)."""
    moved = account[4:] + account[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1

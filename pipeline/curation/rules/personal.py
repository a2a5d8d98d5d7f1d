"""The rule on data that could belong to a living person.

Numbers with a checksum count only when it holds, and what documentation sets aside for examples
(example.com, 010-1234-5678, 555 numbers, the test cards of payment firms) is nobody's. Evidence is
masked, because rejections are published with their reasons. A text without "@" and without nine
digits close together is passed after two searches; linear in the texts.
"""

import re
from collections.abc import Callable

from pipeline.curation.rules.checksums import (
    has_iban_checksum,
    has_luhn_checksum,
    is_made_up,
    is_resident_number,
    is_test_card,
)
from pipeline.curation.rules.rule import Example, Rule
from pipeline.curation.rules.view import RecordView

_LONGEST_MAILBOX = 64
_MAILBOX = re.compile(r"[a-z0-9._%+-]+\Z", re.IGNORECASE | re.ASCII)
_DOMAIN = re.compile(
    r"(?=[a-z0-9.-]{4,253})((?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24})", re.IGNORECASE | re.ASCII
)
_NOBODYS_DOMAIN = re.compile(
    r"(?:.*\.)?(?:example|test|sample|domain|company|yourcompany|yourdomain|email|mail|invalid|xyz)"
    r"(?:\.[a-z]{2,}){1,3}",
    re.IGNORECASE,
)
_NOBODYS_MAILBOX = re.compile(
    r"(?:info|support|contact|help|admin|hr|sales|no-?reply|webmaster|office|service|press|jobs"
    r"|recruit|team|hello|privacy|user\w*|test\w*|example|name|your\.?\w*|abc\w{0,6}"
    r"|(?:john|jane|joe)[._-]?doe|(?:hong[._-]?)?gil[._-]?dong(?:[._-]?hong)?|git)",
    re.IGNORECASE,
)

_FEWEST_CHARACTERS = 9
# Nine digits with no more than three other characters between two of them.
_DIGITS = re.compile(r"[0-9](?:[^0-9\n]{0,3}[0-9]){8}")
_MOBILE = re.compile(
    r"(?<!\d)(?<!\d-)(?:\+?82[-. )]{0,2}\(?0?(1[016789])|\(?0(1[016789]))[-. )]{0,2}"
    r"(\d{3,4})[-. ]?(\d{4})(?!\d)",
    re.ASCII,
)
_LANDLINE = re.compile(
    r"(?<!\d)(?<!\d-)(?:\+82[-. ]{0,2}\(?0?(2|[3-6][1-5]|70)|\(?0(2|[3-6][1-5]|70))[-. )]{1,2}"
    r"(\d{3,4})[-. ](\d{4})(?![\d-])",
    re.ASCII,
)
_US_PHONE = re.compile(
    r"(?<!\d)(?<!\d-)(?:\+?1[-. ]?)?\(?([2-9]\d{2})\)?[-. ]\s?([2-9]\d{2})[-. ](\d{4})(?![\d-])"
    r"|\+1([2-9]\d{2})([2-9]\d{2})(\d{4})(?!\d)",
    re.ASCII,
)
_TOLL_FREE = frozenset({"800", "833", "844", "855", "866", "877", "888", "900"})
_ABROAD = re.compile(
    r"(?<![\w+])\+(?!82)([2-9]\d{0,2})[-. ]?(\(?\d{1,5}\)?(?:[-. ]?\d{2,5}){1,4})(?!\d)", re.ASCII
)
_BRITISH_MOBILE = re.compile(r"(?<!\d)0(7\d{3}) ?(\d{3}) ?(\d{3})(?![\d-])", re.ASCII)
# Ranges that Ofcom keeps for drama: 020 7946 0xxx, 07700 900xxx, 01632 960xxx.
_BRITISH_DRAMA = re.compile(r"(?:2079460|7700900|1632960|1[1-6]1496)")
_RESIDENT = re.compile(r"(?<!\d)(\d{2})(\d{2})(\d{2})\s?[-–]?\s?([1-8])(\d{6})(?!\d)", re.ASCII)
_SOCIAL_SECURITY = re.compile(
    r"(?<!\d)(?<!\d-)(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])", re.ASCII
)
_SAMPLE_SOCIAL_SECURITY = frozenset({"078051120", "219099999", "111111111"})
_CARD = re.compile(
    r"(?<![\d.=*^×])(?<!\d-)(?<![=*^×] )(?:(?:[3-69]\d{3}|2[2-7]\d\d)(?:[- ]?\d{4}){3}"
    r"|3[0-9]\d{2}[- ]?\d{6}[- ]?\d{4,5})(?!\.\d|[\d-])",
    re.ASCII,
)
_IBAN = re.compile(
    r"(?<![\w])([A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?)(?!\w)", re.ASCII
)
_SAMPLE_IBANS = re.compile(
    r"GB(?:29NWBK60161331926819|82WEST12345698765432|33BUKB20201555555555)"
    r"|DE(?:89370400440532013000|91100000000123456789)|FR(?:1420041010050500013M02606|7630006\d+)"
    r"|NL91ABNA0417164300|CH9300762011623852957|BE68539007547034|ES9121000418450200051332"
)
_ACCOUNT = re.compile(
    r"(?:은행|뱅크|농협|수협|신협|우체국|새마을금고|계좌(?: ?번호)?)[^\d\n]{0,12}"
    r"(\d{2,6}-\d{2,6}-\d{2,8}(?:-\d{1,3})?)(?![\d-])",
    re.ASCII,
)


def _email(text: str) -> str | None:
    at = text.find("@")
    while at >= 0:
        before = _MAILBOX.search(text[max(0, at - _LONGEST_MAILBOX) : at])
        after = _DOMAIN.match(text, at + 1)
        if before and after:
            mailbox, domain = before[0].lstrip(".%+-"), after[1]
            if mailbox and not (
                _NOBODYS_DOMAIN.fullmatch(domain) or _NOBODYS_MAILBOX.fullmatch(mailbox)
            ):
                return f"an e-mail address, {mailbox[0]}***@{domain}"
        at = text.find("@", at + 1)
    return None


def _mobile(text: str) -> str | None:
    for found in _MOBILE.finditer(text):
        if not is_made_up(found[3] + found[4]):
            prefix = found[1] or found[2]
            return f"a Korean mobile number, 0{prefix}-****-{found[4][-2:]:*>4}"
    return None


def _landline(text: str) -> str | None:
    for found in _LANDLINE.finditer(text):
        if not is_made_up(found[3] + found[4]):
            return f"a Korean telephone number, 0{found[1] or found[2]}-***-{found[4][-2:]:*>4}"
    return None


def _us_phone(text: str) -> str | None:
    for found in _US_PHONE.finditer(text):
        area, exchange, line = found.group(1, 2, 3) if found[1] else found.group(4, 5, 6)
        is_nobodys = "555" in (area, exchange) or area in _TOLL_FREE
        if not is_nobodys and not is_made_up(exchange + line):
            return f"a phone number, {area}-***-{line[-2:]:*>4}"
    return None


def _phone_abroad(text: str) -> str | None:
    for found in _ABROAD.finditer(text):
        digits = _digits_of(found[2])
        if (
            8 <= len(found[1] + digits) <= 15
            and not is_made_up(digits)
            and not _BRITISH_DRAMA.match((found[1] + digits).removeprefix("44"))
        ):
            return f"a phone number, +{found[1][:2]} *** {digits[-2:]:*>4}"
    return None


def _british_mobile(text: str) -> str | None:
    for found in _BRITISH_MOBILE.finditer(text):
        digits = "".join(found.groups())
        if not is_made_up(digits[1:]) and not _BRITISH_DRAMA.match(digits):
            return f"a phone number, 07*** {digits[-2:]:*>6}"
    return None


def _resident_number(text: str) -> str | None:
    for found in _RESIDENT.finditer(text):
        if is_resident_number("".join(found.groups())):
            return f"a resident registration number, {found[1]}****-{found[4]}******"
    return None


def _social_security(text: str) -> str | None:
    for found in _SOCIAL_SECURITY.finditer(text):
        digits = _digits_of(found[0])
        if digits not in _SAMPLE_SOCIAL_SECURITY and not is_made_up(digits):
            return f"a social security number, ***-**-{digits[-2:]:*>4}"
    return None


def _card(text: str) -> str | None:
    for found in _CARD.finditer(text):
        digits = _digits_of(found[0])
        if has_luhn_checksum(digits) and not is_test_card(digits):
            return f"a card number, {digits[0]}*** … {digits[-2:]:*>4}"
    return None


def _account(text: str) -> str | None:
    for found in _IBAN.finditer(text):
        account = found[1].replace(" ", "")
        if has_iban_checksum(account) and not _SAMPLE_IBANS.fullmatch(account):
            return f"a bank account, {account[:2]}** … {account[-2:]:*>4}"
    for found in _ACCOUNT.finditer(text):
        digits = _digits_of(found[1])
        if 10 <= len(digits) <= 14 and not is_made_up(digits):
            return f"a bank account, {digits[-2:]:*>6}"
    return None


def _digits_of(text: str) -> str:
    return "".join(character for character in text if character.isdigit())


_NUMBERS: tuple[Callable[[str], str | None], ...] = (
    _resident_number,
    _social_security,
    _card,
    _account,
    _mobile,
    _landline,
    _us_phone,
    _phone_abroad,
    _british_mobile,
)


def _personal_data(record: RecordView) -> str | None:
    if "@" not in record.all_text and not _DIGITS.search(record.all_text):
        return None
    for part, text in (
        ("instruction", record.instruction),
        ("input", record.input),
        ("output", record.output),
    ):
        found = _email(text) if "@" in text else None
        if found is None and len(text) >= _FEWEST_CHARACTERS and _DIGITS.search(text):
            found = next(filter(None, (find(text) for find in _NUMBERS)), None)
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

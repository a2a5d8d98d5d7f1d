import pytest

from pipeline.curation.rules.checksums import (
    has_iban_checksum,
    has_luhn_checksum,
    is_resident_number,
)
from pipeline.curation.rules.personal import PERSONAL_RULES
from pipeline.curation.rules.view import RecordView
from tests.curation.making import make_record

(RULE,) = PERSONAL_RULES


def evidence(output: str, instruction: str = "Write a short note.") -> str | None:
    return RULE.find(RecordView(make_record(instruction, "en", output=output)))


@pytest.mark.parametrize(
    "output",
    [
        "Write to john.smith84@gmail.com soon.",
        "메일은minsu.kim88@naver.com으로 보내세요.",
        "연락처: 010-2847-3915",
        "010 2847 3915로 전화 주세요.",
        "01028473915로 전화 주세요.",
        "+82-10-2847-3915",
        "+82 10 2847 3915",
        "사무실은 031-736-5019입니다.",
        "집 전화는 02) 736-5019예요.",
        "Call (212) 736-5019.",
        "Call 212.736.5019 or +1 212-736-5019.",
        "Text +12127365019 now.",
        "Ring +44 7911 482 593 in London.",
        "电话 +86 138 2847 3915",
        "850101-1234566",
        "외국인등록번호는 850101-5234569이다.",
        "Card 4539 1488 0343 6467",
        "카드 번호는 4539-1488-0343-6467입니다.",
        "My number is 536-22-8471.",
        "Pay to GB94 BARC 1020 1530 0934 59.",
        "국민은행 482902-04-719385로 보내 주세요.",
        "계좌번호: 110-482-719385 (신한)",
    ],
)
def test_what_may_belong_to_somebody_is_found(output: str) -> None:
    assert evidence(output)


@pytest.mark.parametrize(
    "output",
    [
        "Write to info@plums.org, me@example.com or jane.doe@plums.org.",
        "홍길동 hong@example.co.kr, gildong.hong@jadu.kr",
        "010-1234-5678, 010-0000-0000, 010-1111-1111",
        "+82-10-1234-5678",
        "대표 번호는 02-120, 1588-0000, 02-1234-5678입니다.",
        "Call (212) 555-0143, 800-275-2273 or 123-456-7890.",
        "Ring +44 20 7946 0958.",
        "850101-1234567 and 851301-1234566",
        "Order 4539 1488 0343 6468, test card 4242 4242 4242 4242",
        "3782 822463 10005",
        "123-45-6789, 078-05-1120, 000-12-3456, 987-65-4321",
        "Pay to DE89 3704 0044 0532 0130 00.",
        "GB94 BARC 1020 1530 0934 58",
        "계좌번호: 123-456-789012",
        "2^35 = 34359738368 and 3^30 = 205891132094649",
        "ISBN 978-89-460-1234-5, 사업자등록번호 123-45-67890",
        "1234567890 12345 2024-01-05 12:30:45",
        "@decorator def f(a): return a @ b.c.d",
    ],
)
def test_what_is_nobodys_passes(output: str) -> None:
    assert evidence(output) is None


def test_every_column_is_read() -> None:
    number = "010-2847-3915"

    assert "instruction" in str(evidence("네.", f"{number}로 보낼 문자를 쓰세요."))
    in_input = make_record("정리하세요.", "ko", input_text=number, output="네.")
    assert "input" in str(RULE.find(RecordView(in_input)))


@pytest.mark.parametrize(
    ("output", "secrets"),
    [
        ("minsu.kim88@naver.com", ["minsu", "kim88"]),
        ("010-2847-3915", ["2847", "3915"]),
        ("+44 7911 482 593", ["7911", "482", "593"]),
        ("850101-1234566", ["850101", "1234566"]),
        ("4539 1488 0343 6467", ["4539", "1488", "0343", "6467"]),
        ("536-22-8471", ["536", "8471"]),
        ("국민은행 482902-04-719385", ["482902", "719385"]),
    ],
)
def test_evidence_is_masked(output: str, secrets: list[str]) -> None:
    found = evidence(output)

    assert found
    assert not any(secret in found for secret in secrets)


def test_checksums_equal_published_examples() -> None:
    # ISO/IEC 7812-1's example number, the ECBS's example IBAN, and each one digit off.
    assert has_luhn_checksum("79927398713")
    assert not has_luhn_checksum("79927398710")
    assert has_iban_checksum("GB29NWBK60161331926819")
    assert not has_iban_checksum("GB29NWBK60161331926818")


def test_resident_number_needs_date_and_checksum() -> None:
    # 8·2+5·3+0·4+1·5+0·6+1·7+1·8+2·9+3·2+4·3+5·4+6·5 = 137, and (11 - 137 % 11) % 10 = 6.
    assert is_resident_number("8501011234566")
    assert not is_resident_number("8501011234567")
    assert not is_resident_number("8513011234566")


def test_foreigners_number_counts_on_from_thirteen() -> None:
    # As above with 5·8 for 1·8: 169, and (13 - 169 % 11) % 10 = 9.
    assert is_resident_number("8501015234569")
    assert not is_resident_number("8501015234567")


@pytest.mark.parametrize("piece", ["1", "1-", "1 ", "+1", "a@", "a.", "@a.", "%", "010-", "GB12 "])
def test_long_texts_of_one_piece_are_read_in_linear_time(piece: str) -> None:
    assert evidence(piece * (150_000 // len(piece))) is None

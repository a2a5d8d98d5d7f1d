"""Keys are drawn here and not written out, so that scanners of repositories stay quiet."""

import random
import string
from collections.abc import Callable

import pytest

from pipeline.curation.rules.credentials import CREDENTIAL_RULES
from pipeline.curation.rules.view import RecordView
from tests.curation.making import make_record

(RULE,) = CREDENTIAL_RULES
MIXED = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
Draw = Callable[[int, str], str]

KINDS: dict[str, Callable[[Draw], str]] = {
    "openai": lambda draw: f"sk-{draw(48, MIXED)}",
    "openai-project": lambda draw: f"sk-proj-{draw(60, MIXED + '-_')}",
    "anthropic": lambda draw: f"sk-ant-api03-{draw(80, MIXED)}",
    "aws": lambda draw: f"AKIA{draw(14, string.ascii_uppercase)}73",
    "aws-secret": lambda draw: f"aws_secret_access_key = {draw(36, MIXED)}4/71",
    "github": lambda draw: f"ghp_{draw(36, MIXED)}",
    "google": lambda draw: f"AIza{draw(35, MIXED)}",
    "slack": lambda draw: f"xoxb-{draw(12, '0123456789')}-{draw(24, MIXED)}",
    "hugging-face": lambda draw: f"hf_{draw(34, MIXED)}",
    "kakao": lambda draw: f"Authorization: KakaoAK {draw(32, HEX)}",
    "bearer": lambda draw: f"Authorization: Bearer {draw(40, MIXED)}",
    "json": lambda draw: f'{{"api_key": "{draw(32, HEX)}"}}',
    "jwt": lambda draw: f"eyJhbGciOiJIUzI1NiJ9.eyJ{draw(60, MIXED)}.{draw(43, MIXED)}",
    "pem": lambda draw: f"-----BEGIN RSA PRIVATE KEY-----\n{draw(64, MIXED)}\n",
    "postgres": lambda draw: f"postgresql://shop:{draw(9, MIXED)}7@10.0.3.4:5432/all",
    "mongo": lambda draw: f"mongodb+srv://shop:P@w{draw(5, MIXED)}!@cluster0.mongodb.net",
    "ado": lambda draw: f"Server=tcp:db.plums.org;User ID=sa;Password={draw(9, MIXED)}7;",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sentence", ["Use {} for it.", "설정값은 {}입니다."])
def test_drawn_secret_is_found_and_masked(kind: str, sentence: str) -> None:
    chance = random.Random(kind)  # noqa: S311 - no secret is meant

    drawn: list[str] = []

    def draw(count: int, letters: str) -> str:
        drawn.append("".join(chance.choice(letters) for _ in range(count)))
        return drawn[-1]

    secret = KINDS[kind](draw)
    found = RULE.find(RecordView(make_record("x", "ko", output=sentence.format(secret))))

    assert found
    assert not any(piece in found for piece in drawn)


@pytest.mark.parametrize(
    "output",
    [
        "Set OPENAI_API_KEY=sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx first.",
        "키는 sk-abcdefghijklmnopqrstuvwxyz123456처럼 생겼습니다.",
        'api_key = "YOUR_API_KEY"',
        'client = OpenAI(api_key="sk-...")',
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "hf_your_token_here_put_it_in_the_file_now",
        "postgres://user:password@db.plums.org/all",
        "postgres://postgres:postgres@localhost:5432/all",
        "mysql://root:<비밀번호>@db.jadu.kr/all",
        "mysql://root:${DB_PASSWORD}@db.plums.org/all",
        "redis://shop:k9Tz4pW1@cache.example.com",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA...\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PUBLIC KEY-----\nMFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAK8f7",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIn0"
        ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
        "The commit is 9fceb02d0ae598e95dc970b74767f19372d61af8.",
        "token = tokenizer.encode_plus_2024_v3(text)",
        "A sk-learn pipeline for task-risk-management-framework-2",
        "비밀번호는 열 자 이상이어야 합니다. 예: Xk9#mP2$vL5",
        "ssh://git@github.com:22/plums",
    ],
)
def test_placeholder_and_documentation_pass(output: str) -> None:
    assert RULE.find(RecordView(make_record("x", "en", output=output))) is None


@pytest.mark.parametrize(
    "piece",
    ["sk-", "eyJa.", "://a:b@", "token=", "-----BEGIN PRIVATE KEY-----", "discord", ";pwd="],
)
def test_long_texts_of_one_piece_are_read_in_linear_time(piece: str) -> None:
    output = f"jdbc: /webhooks/ {piece * (150_000 // len(piece))}"

    RULE.find(RecordView(make_record("x", "en", output=output)))

"""The rule on keys and passwords that open somebody's door.

A kind of key is looked for only in texts with a word of its length and where its fixed beginning
stands, so a record without any costs a split. What documentation prints (sk-xxxx, YOUR_API_KEY,
AWS's EXAMPLE keys, jwt.io's token, postgres:postgres@localhost) opens nothing. Evidence names the
kind and no more than its beginning, because rejections are published. Linear in the texts.
"""

import re
from itertools import pairwise
from typing import NamedTuple

from pipeline.curation.rules.rule import Example, Rule
from pipeline.curation.rules.view import RecordView, holds_any

_SHORTEST_KEY = 20


class _Kind(NamedTuple):
    name: str
    mark: str
    """Stands in every key of the kind."""
    pattern: re.Pattern[str]
    """Group 1 is the secret itself."""


def _kind(name: str, mark: str, pattern: str) -> _Kind:
    return _Kind(name, mark, re.compile(pattern, re.ASCII))


_KEYS = (
    _kind("an Anthropic API key", "sk-ant-", r"(?<![\w-])sk-ant-([\w-]{20,200})"),
    _kind("an OpenAI API key", "sk-", r"(?<![\w-])sk-(?!ant-)([\w-]{20,200})"),
    _kind("a Stripe API key", "k_live_", r"(?<!\w)[sr]k_live_([A-Za-z0-9]{16,})"),
    _kind("an AWS access key", "AKIA", r"(?<!\w)AKIA([A-Z0-9]{16})(?!\w)"),
    _kind("an AWS session key", "ASIA", r"(?<!\w)ASIA([A-Z0-9]{16})(?!\w)"),
    _kind("a GitHub token", "gh", r"(?<!\w)gh[pousr]_([A-Za-z0-9]{30,})"),
    _kind("a GitHub token", "github_pat_", r"(?<!\w)github_pat_(\w{22,})"),
    _kind("a GitLab token", "glpat-", r"(?<!\w)glpat-([\w-]{20,})"),
    _kind("a Google API key", "AIza", r"(?<!\w)AIza([\w-]{35})(?![\w-])"),
    _kind("a Google OAuth token", "ya29.", r"(?<!\w)ya29\.([\w-]{20,})"),
    _kind("a Google OAuth secret", "GOCSPX-", r"(?<!\w)GOCSPX-([\w-]{20,})"),
    _kind("a Slack token", "xox", r"(?<!\w)xox[abeoprs]-([A-Za-z0-9-]{16,})"),
    _kind("a Slack webhook", "hooks.slack", r"hooks\.slack\.com/services/(T\w+/B\w+/\w{16,})"),
    _kind("a Discord webhook", "/webhooks/", r"discord\w{0,10}\.com/api/webhooks/\d+/([\w-]{30,})"),
    _kind("a Hugging Face token", "hf_", r"(?<!\w)hf_([A-Za-z0-9]{30,})"),
    _kind("an npm token", "npm_", r"(?<!\w)npm_([A-Za-z0-9]{36})"),
    _kind("a PyPI token", "pypi-", r"(?<!\w)pypi-([\w-]{40,})"),
    _kind("a SendGrid key", "SG.", r"(?<!\w)SG\.([\w-]{16,}\.[\w-]{16,})"),
    _kind("a Telegram bot token", ":AA", r"(?<!\w)(\d{8,10}:AA[\w-]{30,})"),
    _kind("a Groq API key", "gsk_", r"(?<!\w)gsk_([A-Za-z0-9]{30,})"),
    _kind("a Kakao API key", "KakaoAK", r"KakaoAK\s+([0-9a-f]{32})(?!\w)"),
    _kind("a Twilio account", "AC", r"(?<!\w)AC([0-9a-f]{32})(?!\w)"),
    _kind("an Azure account key", "AccountKey=", r"AccountKey=([A-Za-z0-9+/]{60,})"),
    _kind(
        "a Discord token", ".", r"(?<![\w-])([MNO][\w-]{23,25}\.[\w-]{6}\.[\w-]{27,40})(?![\w-])"
    ),
    _kind("a bearer token", "earer ", r"[Bb]earer\s+(?!eyJ)([\w.~+/-]{20,200})"),
    _kind(
        "a private key",
        "PRIVATE KEY",
        r"-{5}BEGIN [A-Z ]{0,20}PRIVATE KEY(?: BLOCK)?-{5}((?:[^-.]|-(?!-)){40,400})",
    ),
)
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]{8,2000}\.(eyJ[\w-]{8,8000}\.[\w-]{16,2000})", re.ASCII)
# {"sub":"1234567890" begins the token that jwt.io and most tutorials show.
_SAMPLE_CLAIMS = "eyJzdWIiOiIxMjM0NTY3ODkwI"
_ASSIGNED = re.compile(
    r"(?:secret|token|(?:api|access|auth|service|app)[_-]?key)[\w-]{0,20}[\"']?\s{0,3}[:=]\s{0,3}"
    r"[\"']?(?!eyJ)([\w./+=-]{20,200})(?![\w(\[])"
    r"|(?:secret|token)[\w-]{0,20}[\"']?\s{0,3}[:=]\s{0,3}[\"'](?!eyJ)([^\s\"']{10,200})[\"']",
    re.IGNORECASE | re.ASCII,
)
_ASSIGNED_MARKS = (
    "ecret",
    "ECRET",
    "oken",
    "OKEN",
    "_key",
    "_KEY",
    "-key",
    "-Key",
    "piKey",
    "ceKey",
    "ppKey",
    "ssKey",
)
_MOST_CHANGES_OF_A_WORD = 5
_FEWEST_DIGITS = 3

_IN_URL = re.compile(
    r"://([^\s:/@?#\"'<>]{0,64}):([^\s/\"'<>]{3,100})@([a-z0-9.-]{1,253})",
    re.IGNORECASE | re.ASCII,
)
_IN_PAIRS = re.compile(
    r"(?:;|\?|&|\"|')\s{0,3}(?:password|pwd)=([^\s;&\"']{3,100})", re.IGNORECASE | re.ASCII
)
_CONNECTS = re.compile(r"jdbc:|\b(?:server|data source|host|uid|user id|user)\s?=", re.IGNORECASE)
# A password in a configuration or a call. In prose it is mostly one that was asked for.
_CONFIGURED = re.compile(
    r"(?:passw(?:or)?d|pwd)[\"']?(?:=|: ?| = | is )[\"']?([^\s\"',;<>가-힣]{8,64})"
    r"|(?:비밀 ?번호|비번|패스워드|암호)(?:는|은)?(?: ?[:=] ?| )([^\s\"',;<>가-힣]{8,64})"
    r"|sshpass -p ?[\"']?([^\s\"']{8,64})"
    r"|(?:mysqli|login|connect|auth)\([^()\n]{1,120}, ?[\"']([^\s\"']{8,64})[\"']",
    re.IGNORECASE | re.ASCII,
)
_CONFIGURES = ("assw", "ASSW", "sshpass", "mysqli(", "login(", "비밀", "비번", "패스워드", "암호")
# Without one of these, and without a word as long as a key, no text holds a secret.
_SIGNS = ("://", "wd=", "WD=", *_ASSIGNED_MARKS, *_CONFIGURES)
_ASKS_FOR_PASSWORD = re.compile(
    r"generat|suggest|strong|strength|random|invent|valid|check|polic|secure pass|만들|생성|추천"
    r"|안전한|강력|검사|규칙",
    re.IGNORECASE,
)
_SAMPLE_PASSWORD = re.compile(
    r"(?:\W|_)*(?:(?:my|your|db|database|user|the|new|super|some|app|test|example|sample|dummy|fake)"
    r"[\W_]*)*(?:pass(?:word|wd|phrase)?|pw|pwd|secret|username|user|root|admin|token|postgres|mysql"
    r"|guest|changeme|change[\W_]me|foo|bar|foobar|test|example|here|key|hunter2|비밀번호|암호)"
    r"(?:\d{0,4}|[\W_]*here)(?:\W|_)*",
    re.IGNORECASE,
)
_BLANK = re.compile(r"[<>{}\[\]$%]|\*{3}|\.{3}|x{4}|X{4}|…|#{3}")
_SAMPLE_HOST = re.compile(
    r"(?:.{0,200}\.)?(?:example|test|invalid)(?:\.[a-z]{2,6}){0,2}|hostname|host|server|your.{0,60}",
    re.IGNORECASE,
)
_LOCAL_HOST = re.compile(r"localhost|127\.0\.0\.1|0\.0\.0\.0|db|postgres|mysql|redis|mongo")
_SAMPLE_WORDS = re.compile(
    r"your|example|placeholder|dummy|sample|fake|redacted|insert|replace|secret[_-]?key|api[_-]?key"
    r"|goes|here|token|x{4}|0{6}|1234567|abcdef",
    re.IGNORECASE,
)


def is_random(secret: str) -> bool:
    """Tell a drawn secret from one that somebody made up or spelled in words.

    Drawn ones mix letters with digits or capitals with small letters, repeat few characters, and
    seldom have one letter follow the other as in "abcd" or "1234".
    """
    letters = [character for character in secret if character.isalnum()]
    if _SAMPLE_WORDS.search(secret) or len(set(letters)) < min(10, len(letters) * 0.6):
        return False
    steps = sum(ord(after) - ord(before) in (0, 1) for before, after in pairwise(letters))
    has_digit = any(character.isdigit() for character in letters)
    has_letter = any(character.isalpha() for character in letters)
    is_mixed = secret != secret.lower() and secret != secret.upper()
    return has_letter and (has_digit or is_mixed) and steps <= len(letters) / 3


def _find_key(text: str) -> str | None:
    for kind in _KEYS:
        if kind.mark in text:
            for found in kind.pattern.finditer(text):
                if is_random(found[1][:200]):
                    return f"{kind.name}, {kind.mark}…"
    return None


def _find_token(text: str) -> str | None:
    if "eyJ" not in text:
        return None
    for found in _JWT.finditer(text):
        if not found[1].startswith(_SAMPLE_CLAIMS):
            return "a JSON web token, eyJ…"
    return None


def _find_password(text: str) -> str | None:
    if "://" in text and "@" in text:
        for found in _IN_URL.finditer(text):
            user, password, host = found.groups()
            if _opens(user, password, host):
                return "a password in a connection string"
    if ("assword=" in text or "wd=" in text or "WD=" in text) and _CONNECTS.search(text):
        for found in _IN_PAIRS.finditer(text):
            if _opens("", found[1], ""):
                return "a password in a connection string"
    return None


def _opens(user: str, password: str, host: str) -> bool:
    """Tell whether a password could be in use: no blank, no word of tutorials, no sample host."""
    if _BLANK.search(password) or _SAMPLE_PASSWORD.fullmatch(password) or password == user:
        return False
    if _SAMPLE_HOST.fullmatch(host):
        return False
    # On one's own machine only a password that was taken trouble over is one.
    return not _LOCAL_HOST.fullmatch(host) or (len(password) >= 8 and not password.isalpha())


def _find_configured(text: str) -> str | None:
    if not holds_any(text, _CONFIGURES):
        return None
    for found in _CONFIGURED.finditer(text):
        password = next(filter(None, found.groups()))
        if _is_drawn(password) and _opens("", password, ""):
            return "a password in a configuration"
    return None


def _is_drawn(password: str) -> bool:
    """Tell a password with capitals, small letters and digits in no order, and no call as f(x)."""
    kinds = (str.isupper, str.islower, str.isdigit)
    if not all(any(map(kind, password)) for kind in kinds) or _SAMPLE_WORDS.search(password):
        return False
    changes = sum(
        [kind(before) for kind in kinds] != [kind(after) for kind in kinds]
        for before, after in pairwise(password)
    )
    is_call = any(sign in password for sign in "()[]")
    return not is_call and (not password.isalnum() or changes >= _MOST_CHANGES_OF_A_WORD)


def _find_assigned(text: str) -> str | None:
    if "=" not in text and ":" not in text:
        return None
    if not holds_any(text, _ASSIGNED_MARKS):
        return None
    for found in _ASSIGNED.finditer(text):
        value = found[1] or found[2]
        digits = sum(character.isdigit() for character in value)
        # A name such as load_user_settings_v2 has few digits.
        if digits >= _FEWEST_DIGITS and is_random(value):
            return "a secret that is assigned a value"
    return None


def _find(text: str) -> str | None:
    # No key is shorter than this, and few words of prose are as long.
    if len(max(text.split(), key=len, default="")) >= _SHORTEST_KEY:
        found = _find_key(text) or _find_token(text)
        if found:
            return found
    return _find_assigned(text) or _find_password(text)


def _may_hold_secret(record: RecordView) -> bool:
    return (
        record.longest_output_word >= _SHORTEST_KEY
        or len(max(record.task_text.split(), key=len, default="")) >= _SHORTEST_KEY
        or holds_any(record.all_text, _SIGNS)
    )


def _credentials(record: RecordView) -> str | None:
    if not _may_hold_secret(record):
        return None
    for part, text in (
        ("instruction", record.instruction),
        ("input", record.input),
        ("output", record.output),
    ):
        found = _find(text) if text else None
        if found is None and (found := _find_configured(text)):
            found = None if _ASKS_FOR_PASSWORD.search(record.instruction) else found
        if found:
            return f"the {part} holds {found}"
    return None


CREDENTIAL_RULES = (
    Rule(
        "credentials",
        ("en", "ko"),
        "fatal",
        "Whoever reads the data could use it, and a student repeats what it was taught.",
        _credentials,
        # Connection strings: examples of real key forms would alarm the scanners of repositories.
        examples=(
            Example("en", "Connect to my database.", "postgres://shop:q7Lw0zR3@db.plums.org/all"),
            Example("ko", "접속 주소를 쓰세요.", "mysql://jadu:k9Tz4pW1@db.jadu.kr/shop입니다."),
        ),
        near_misses=(
            Example("en", "Connect to my database.", "postgres://user:password@localhost/shop"),
            Example("ko", "키를 설정하세요.", "API_KEY=YOUR_API_KEY라고 씁니다."),
        ),
    ),
)

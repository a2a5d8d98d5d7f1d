"""Take out of a text what says nothing about its language: code, addresses, paths, tags.

Decomposed and full-width letters are made plain on the way. Cost: linear; texts without a sign of
code or addresses are only searched for one.
"""

import re
import unicodedata

from pipeline.curation.language_marks import count_english, opens_english
from pipeline.curation.scripts import LATIN_WORD

# What says nothing about the language around it: fenced and inline code, addresses, paths, names
# of files and accounts, tags.
# Bounds keep the time linear.
_FOREIGN_BODY = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]+`|(?:https?://|ftp://|www\.)\S+|\b[\w.+-]{1,64}@[\w-]+\.[\w.-]+"
    r"|</?[a-zA-Z][^>\n]{0,400}>|\b[A-Za-z]:\\\S+|(?<!\S)\.{0,2}/[\w.-]+/[\w./-]+|(?<!\S)[@#][A-Za-z_]\w+"
    r"|\b\w+\.(?:md|txt|docx?|pdf|pptx?|xlsx?|py|js|ts|csv|jsonl?|html?|ya?ml)\b"
    r"|(?<![\w-])[\w-]++\.(?:com|org|net|io|kr)\b",
    re.DOTALL,
)
_FOREIGN_SIGN = re.compile(r"[`@<\\/#]|\w\.\w")
# Spaces are named one by one: \s would run over line ends, and its time grow with their cube.
_CODE_LINE = re.compile(
    r"""^[ \t]*(?:
        (?:def|class|import|from|return|const|let|var|function|public|private|static|void|int
           |if|for|while|else|elif|try|except|print|async|await|package|using)\b.*[:;(){}=.].*$
      | import\ [\w.]+(?:,\ ?[\w.]+)*(?:\ as\ \w+)?[ \t]*$
      | [ \t]+(?:return\ .*|break|continue|pass)$
      | (?:git|pip3?|npm|docker|kubectl|sudo|apt|curl|wget|ls|cat|grep|ssh)\ (?:\S+\ )*?--?\w.*$
      | (?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|FROM|WHERE|JOIN|GROUP\ BY|ORDER\ BY)\b.*$
      | [\w.\[\]"']+[ \t]*(?:[-+*/%|&^]?=)[ \t]*\S.*$
      | [\w.]+\(.*\)[ \t]*[;{:]?[ \t]*$
      | .*[^\u0370-\u03ff\n][;{}][ \t]*$
      | [ \t]*(?:\#|//|--|\$|>>>)[ \t].*$
    )""",
    re.VERBOSE | re.MULTILINE,
)
_CODE_SIGN = re.compile(
    r"[=(){};#$>]|//|\s-|^[ \t]*(?:import|from|return|SELECT|INSERT|UPDATE|DELETE|FROM|WHERE)\b",
    re.MULTILINE,
)
# "for i in range(10): 이 줄을 설명해 줘" is a request; "x += 1  # 하나 더" is code.
_REQUEST_ON_CODE_LINE = re.compile(r"[^#\n]*[가-힣][.?!~ \t]*\Z")
_FULL_WIDTH = re.compile(r"[Ａ-Ｚａ-ｚ]+")


def strip_foreign_bodies(text: str) -> str:
    """Take out what says nothing about the language, and undo decomposed and full-width letters."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
        text = _FULL_WIDTH.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    if _FOREIGN_SIGN.search(text):
        text = _FOREIGN_BODY.sub(" ", text)
    if _CODE_SIGN.search(text):
        text = _CODE_LINE.sub(_keep_request, text)
    return text


def _keep_request(line: re.Match[str]) -> str:
    """Keep "Convert this to Rust: let x = 1;", which ends as code does."""
    words = LATIN_WORD.findall(line[0])
    is_english = opens_english(words) and not words[0].isupper() and count_english(words) >= 2
    return line[0] if is_english or _REQUEST_ON_CODE_LINE.fullmatch(line[0]) else " "


def has_code_sign(text: str) -> bool:
    """Tell whether a text may be code or hold some."""
    return _CODE_SIGN.search(text) is not None

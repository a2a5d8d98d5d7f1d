"""What a Korean instruction asks for: its predicate in the dictionary form, and its noun.

The first sentence that asks decides: an order (써 줘, 쓰시오, 쓸 것, 쓰기), a wish (필요합니다)
or a question; where none does, one that tells what is done to an object (목록을 작성합니다). Its
last predicate counts, without auxiliaries: 만들어 줄 수 있나요 is 만들다. The noun is

- the object (시를 써 줘: 시 / 쓰다), marked or not, but not that of a clause within;
- else, also for clauses that ask (얼마인지 계산해), the topic or subject: 기름값 / 계산하다;
- of a question with a noun for its predicate the topic: 수도는 무엇인가요 is 수도 / 무엇이다.

Of a noun phrase the last word counts, with what is written together with it: 축하 인사를 is 인사.
Morphemes are those of Kiwi.
"""

from collections.abc import Sequence
from itertools import islice

from kiwipiepy import Kiwi

from pipeline.publishing.statistics.korean_morphemes import Morpheme, cut_sentences, read_morphemes
from pipeline.publishing.statistics.korean_nouns import find_noun, join_noun
from pipeline.publishing.statistics.phrasing import NOTHING, Asked, Read

# Hangul is counted as two columns wide, and words are easier to read than lists of strings.
# ruff: noqa: SIM905

_MOST_SENTENCES = 12
_LETTERS_READ = 2000
_WORDS_COUNTED = 400

_ORDERS = frozenset(
    "세요 으세요 오 으오 ᆸ시오 읍시오 시오 으시오 라 어라 아라 여라 으라 소서 려무나 렴 거라 "
    "너라".split()
)
_QUESTIONS = frozenset(
    "나요 ᆫ가 은가 는가 ᆯ까 을까 ᆸ니까 습니까 니 으니 냐 으냐 느냐 나 던가 ᆫ가요 은가요 "
    "는가요 ᆯ까요 을까요 대 ᆯ래 을래 ᆯ래요 을래요".split()
)
_CASUAL = frozenset("어 아 어요 아요 야 지 지요 죠 에요 예요".split())
"""Endings that tell, order or ask, by the verb and the sign that follow."""
_INTERROGATIVES = frozenset("무엇 뭐 얼마 언제 어디 누구 몇 무슨 어느 어떻 왜".split())
_STATEMENTS = frozenset("다 ᆫ다 는다 습니다 ᆸ니다 ᆷ 음 단다 ᆫ단다".split())
_NO_ORDERS = frozenset("었 았 였 려고 으려고".split())
_WISHES = frozenset("필요하다 부탁하다 부탁드리다 원하다 바라다".split())
_ACTIONS = frozenset(
    "작성 분류 요약 번역 설명 정리 계산 비교 추천 생성 분석 작문 제안 나열 추출 변환 수정 교정 "
    "출력 구현 풀이 해석 정의 구분 소개 서술 묘사 평가 판단 판정 검토 완성 답변 선택 제시 조사 "
    "예측 창작 편집 검색".split()
)
"""Nouns that order what they name at the end of a sentence: 독후감 작성."""
_ENDINGS = frozenset({"EF", "EP", "EC", "JX", "ETN", "ETM"})


class KoreanReader:
    """Reads Korean instructions, 0.5 ms each."""

    def __init__(self) -> None:
        """Load Kiwi without its dictionary of names, which takes 0.8 s and 300 MB."""
        self._kiwi = Kiwi(num_workers=1, load_default_dict=False, load_multi_dict=False)

    def read(self, instruction: str) -> Read:
        """Find what is asked for; words are all morphemes but signs, with their parts of speech."""
        morphemes = read_morphemes(self._kiwi, instruction[:_LETTERS_READ])
        sentences = list(islice(cut_sentences(morphemes), _MOST_SENTENCES))
        found = (_read_sentence(sentence) for sentence in sentences)
        asked = next((one for one in found if one.verb), NOTHING)
        if not asked.verb:
            found = (_read_description(sentence) for sentence in sentences)
            asked = next((one for one in found if one.verb), NOTHING)
        words = [f"{one.form}/{one.tag}" for one in morphemes if not one.is_sign]
        return Read(asked, words[:_WORDS_COUNTED])


def _read_sentence(sentence: Sequence[Morpheme]) -> Asked:
    asks = bool(sentence) and sentence[-1].form == "?"
    words = [one for one in sentence if not one.is_sign]
    if not words:
        return NOTHING
    if words[-1].tag == "EC":
        # Without a full stop Kiwi expects the sentence to go on.
        words[-1] = words[-1]._replace(tag="EF")
    if words[-1].form in _ACTIONS and words[-1].is_noun:
        return Asked(f"{words[-1].form}하다", find_noun(words[:-1]))
    end = _find_predicate(words)
    if end < 0:
        return NOTHING
    verb, start = _name_predicate(words, end)
    if not (_asks(words, end, asks=asks) or verb in _WISHES):
        return NOTHING
    names_noun = words[end].tag in {"VCP", "VCN"} or verb in _WISHES
    return Asked(verb, find_noun(words[:start], prefers_subject=names_noun))


def _read_description(sentence: Sequence[Morpheme]) -> Asked:
    """Read what is to be done where it is told like a rule: 목록을 작성합니다, 작성해야 합니다."""
    words = [one for one in sentence if not one.is_sign]
    end = _find_predicate(words) if words else -1
    if end < 0 or words[end].tag not in {"VV", "XSV"}:
        return NOTHING
    own = words[_after_last_clause(words, end) :]
    if any(one.tag == "JKS" or one.form in _NO_ORDERS for one in own):
        return NOTHING
    has_object = any(one.tag == "JKO" for one in words[:end])
    verb, start = _name_predicate(words, end)
    return Asked(verb, find_noun(words[:start])) if has_object else NOTHING


def _find_predicate(words: Sequence[Morpheme]) -> int:
    """Find the last predicate, before its endings and auxiliaries; -1 where none ends this."""
    place = len(words) - 1
    if words[place].form in {"것", "거"} and place and words[place - 1].tag == "ETM":
        place -= 1
    elif words[place].tag not in {"EF", "ETN"} and words[place].form != "요":
        return -1
    while place >= 0:
        one = words[place]
        if one.is_predicate and not _is_auxiliary(words, place):
            return place
        if not (one.tag in _ENDINGS or one.is_predicate or one.form in {"수", "줄", "것"}):
            return -1
        place -= 1
    return -1


def _is_auxiliary(words: Sequence[Morpheme], place: int) -> bool:
    """Tell 줄 수 있다, 써 보다, 쓰는 것이 좋다 from predicates of their own."""
    one, before = words[place], words[place - 1] if place else None
    if before is None:
        return False
    if one.tag == "VX" or (one.form == "되" and before.form == "게"):
        return True
    return one.form in {"있", "없"} and before.form in {"수", "줄"}


def _name_predicate(words: Sequence[Morpheme], place: int) -> tuple[str, int]:
    """Name a predicate in its dictionary form, and say where it begins."""
    one = words[place]
    if one.tag.startswith(("XSV", "XSA")) or one.tag in {"VCP"}:
        noun, start = join_noun(words, place)
        if one.tag == "VCP":
            before = words[start - 1] if start else None
            asks_which = before is not None and before.form in {"몇", "무슨", "어느", "어떤"}
            return (
                (f"{before.form} {noun}이다", start - 1)
                if asks_which and before
                else (f"{noun}이다", start)
            )
        return f"{noun}{one.form}다", start
    if one.form == "하" and place >= 2 and words[place - 1].form in {"을", "를"}:
        noun, start = join_noun(words, place - 1)
        if noun in _ACTIONS:
            return f"{noun}하다", start
    return f"{one.form}다", place


def _asks(words: Sequence[Morpheme], place: int, *, asks: bool) -> bool:
    """Tell whether a sentence with its predicate at a place orders or asks."""
    rest = words[place + 1 :]
    endings = [one.form for one in rest if one.tag == "EF"]
    ending = endings[-1] if endings else ""
    if any(one.form in _NO_ORDERS for one in rest) and not asks:
        return False
    if asks or ending in _ORDERS or ending in _QUESTIONS:
        return True
    if not ending:
        return any(one.tag in {"ETN", "ETM"} for one in rest[-2:])
    if ending in _STATEMENTS:
        return False
    gives = any(one.tag == "VX" and one.form in {"주", "보"} for one in rest)
    if gives:
        return True
    if ending not in _CASUAL:
        return False
    own = words[_after_last_clause(words, place) : place + 1]
    if any(one.form in _INTERROGATIVES for one in own):
        return True
    is_deed = words[place].tag in {"VV", "XSV"}
    return is_deed and not any(one.tag == "JKS" for one in own)


def _after_last_clause(words: Sequence[Morpheme], place: int) -> int:
    """Return where the clause of a predicate begins."""
    ends = (here + 1 for here in range(place - 1, -1, -1) if words[here].tag == "EC")
    return next(ends, 0)

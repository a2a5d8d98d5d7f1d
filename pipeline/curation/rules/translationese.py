"""The rule on Korean that reads like English word by word.

Each turn below is Korean and may stand where it says something; a text is turned away when they
crowd: turns of two kinds at least, and points enough for its length. Turns that grammars name as
wrong (double passives, "하는 것이 가능하다") count twice, weak ones half. What stands in quotation
marks does not count.

The bounds were read off 48,000 natural Korean texts (film reviews, questions, commands), of which
none reaches them, and 5,400 answers of 64 models, of which one in 500 does. A turn is looked for
only where its stem stands in the text, so a record without any costs some forty substring tests.
Linear in the output.
"""

import re
from typing import NamedTuple

from pipeline.curation.rules.rule import Example, Rule, quote
from pipeline.curation.rules.view import RecordView

_FEWEST_POINTS = 3.0
_FEWEST_KINDS = 2
_LETTERS_PER_POINT = 50.0


# From the commonest on, in running text: what a turn's search begins with is its rarest letter.
_COMMON = (
    " 이다는의에을가고하로은지것기어있를서사대인한도리자그들보라해수정스여게아나들과주적중만면"
)


class _Turn(NamedTuple):
    stem: str
    """Stands wherever the pattern matches."""
    points: float
    pattern: re.Pattern[str]
    is_voice: bool
    """A pronoun that poems and stories use for a reason."""
    letter: str
    """The rarest letter of the stem: looking for one letter takes a third of the time."""


def _turn(stem: str, points: float, pattern: str, *, is_voice: bool = False) -> _Turn:
    letter = max(stem, key=lambda one: _COMMON.find(one) % (len(_COMMON) + 1))
    return _Turn(stem, points, re.compile(pattern), is_voice, letter)


_PASSIVE = r" ?(?:지(?!만|는 않|요)|진|질|집|져|졌)"
_NOUNS = (
    "정보 자료 책 결과 것 방법 요소 문제 아이디어 생각 물건 나라 단어 음식 나무 도구 기능 제품 "
    "데이터 사실 의견 이유 활동 변화 기술 노력 영향 필요 능력 프로그램 링크 앱 사진 영화"
)
_THINGS = "|".join(f"(?<= {noun}들)" for noun in _NOUNS.split())
# A pattern begins with letters, and looks behind for what must stand before them: so the search
# jumps from one place to the next instead of trying each letter.
_TURNS = (
    # Passives of passives.
    _turn("되어", 2, rf"되어{_PASSIVE}"),
    _turn("여", 2, rf"여(?<=[보쓰놓모쌓]여){_PASSIVE}"),
    _turn("혀", 2, rf"혀(?<=[잊닫막갇읽잡뽑묻먹꼽찍얹밟]혀){_PASSIVE}"),
    _turn("겨", 2, rf"겨(?<=[담믿찢쫓안뜯]겨){_PASSIVE}"),
    _turn("불려", 2, rf"불려{_PASSIVE}"),
    _turn("나뉘어", 2, rf"나뉘어{_PASSIVE}"),
    _turn("가져", 2, r"가져(?:지는|진다|집니다)"),
    # Infinitives and gerunds.
    _turn("가능", 2, r"것(?<=[는할될] 것)[이은도을] 불?가능"),
    _turn(
        "는 것을 ",
        1,
        r"는 것을 (?:허[용락]|돕|도[울와]|확실|계획|시도|원하|원할|즐[기긴깁]|필요|피하)",
    ),
    _turn("는 것에 의", 1, r"는 것에 의"),
    _turn("것이 ", 1, r"것이 (?<=[는할] 것이 )(?:필요|요구)"),
    _turn("필요로", 1, r"필요로 (?<=[을를] 필요로 )"),
    _turn("에 있", 1, r"에 있(?<=[함킴]에 있)"),
    _turn("지나치지", 2, r"아무리 [가-힣]{1,6}해도 지나치지 않"),
    _turn("는 중", 1, r"고 있는 중"),
    _turn("않으면 안", 1, r"지 않으면 안 (?:되|된|될|됩)"),
    _turn("하여금", 1, r"로 하여금"),
    _turn("게 만", 0.5, r"게 만[드들든](?<!하게 만.)"),
    # To have.
    _turn("지고 있", 1, r"가지고 있(?<=[을를도] 가지고 있)"),
    _turn("갖고 있", 1, r"갖고 있(?<=[을를도] 갖고 있)"),
    _turn(" 가", 1, r" 가(?<=[을를] 가)(?:진|집|졌|지[는며])"),
    _turn(" 갖", 1, r" 갖(?<=[을를] 갖)(?:는|습|게 되)"),
    # Prepositions and relatives.
    _turn("들 중", 2, r"가장 [가-힣 ]{1,30}들 중(?:의|에서)? ?(?:하나|한)"),
    _turn(" 중", 1, r"가장 [가-힣 ]{1,30}[^들 ] 중(?:의|에서)? ?(?:하나|한 )"),
    _turn("에 의", 1, r"에 의(?:해|하여|한)"),
    _turn("에 있어", 1, r"에 있어서?(?:의|는|도)?[ ,]"),
    _turn("에게 있어", 1, r"에게 있어서?(?:의|는|도)?[ ,]"),
    _turn("불구하고", 1, r"불구하고"),
    _turn("로부터", 1, r"로부터"),
    _turn("에서의 ", 1, r"에서의 "),
    _turn("로의 ", 1, r"로의 (?<=[으에]로의 )"),
    _turn(" 통", 0.5, r" 통(?<=[을를] 통)(?:해|하여)"),
    _turn("보다 ", 1, r"보다 (?<![^ ,\n]보다 )(?:나은|많은|더|효율|효과|쉽|쉬|빠|높|큰|좋)"),
    _turn("왜냐", 1, r"왜냐하면"),
    _turn("틀림", 1, r"임에 틀림"),
    _turn("다름 아", 1, r"에 다름 아니"),
    _turn("위치", 0.5, r"에 위치(?:해 있|하고 있|한)"),
    _turn("주어", 0.5, r"주어(?:진|졌|지[는며고])"),
    _turn("필요가 있", 0.5, r"필요가 있"),
    # Articles and plurals.
    _turn("하나의 ", 1, r"하나의 (?<![가-힣]하나의 )(?<!또 하나의 )"),
    _turn("명의 ", 0.5, r"명의 (?<=[한두세네몇섯\d] 명의 )"),
    _turn("개의 ", 0.5, r"개의 (?<=[한두세네몇섯\d] 개의 )"),
    _turn("많은 ", 1, r"많은 [가-힣]{1,8}들(?![어었여으])"),
    _turn("수의 ", 1, r"수의 [가-힣]{1,8}들(?![어었여으])"),
    _turn("여러 ", 1, r"여러 [가-힣]{1,8}들(?![어었여으])"),
    _turn("모든 ", 1, r"모든 [가-힣]{1,8}들(?![어었여으])"),
    _turn("다양한 ", 1, r"다양한 [가-힣]{1,8}들(?![어었여으])"),
    _turn("들", 0.5, rf"들(?=[은이을의에과도로 ,.])(?:{_THINGS})"),
    # Pronouns.
    _turn("그것", 1, r"그것(?<![가-힣]그것)(?:은|이|을|의|들|에)"),
    _turn("이것", 0.5, r"이것(?<![가-힣]이것)(?:은|이|들)"),
    _turn("그들", 0.5, r"그들(?<![가-힣]그들)(?:은|이|을|의|에게)"),
    _turn("그녀", 0.5, r"그녀(?<![가-힣]그녀)(?:는|가|를|의|에게|와)", is_voice=True),
    _turn("당신", 1, r"당신(?<![가-힣]당신)(?!네|도)", is_voice=True),
)
_VOICES = re.compile(
    r"노랫말|노래|가사|시를|시 |소설|이야기|동화|대본|대사|연인|애인|부부|연극|영화"
)
_ABOUT_STYLE = re.compile(r"번역투|번역체|직역|어색한|자연스럽|피동|교열|윤문|호칭|대명사")
_QUOTED = re.compile(r"\"[^\"\n]*\"|“[^“”\n]*”|'[^'\n]*'|‘[^‘’\n]*’|「[^「」\n]*」|『[^『』\n]*』")


def _translationese(record: RecordView) -> str | None:
    text = record.output_prose
    enough = max(_FEWEST_POINTS, len(text) / _LETTERS_PER_POINT)
    standing = [
        _Standing(turn, turn.points * text.count(turn.stem))
        for turn in _TURNS
        if turn.letter in text and turn.stem in text
    ]
    if sum(most for _, most in standing) < enough or _ABOUT_STYLE.search(record.instruction):
        return None
    points, shown = _weigh(record, standing, enough)
    if points < enough or len(shown) < _FEWEST_KINDS:
        return None
    return f"{points:g} points in {len(text)} letters, as {quote(', '.join(shown))}"


class _Standing(NamedTuple):
    turn: _Turn
    most: float
    """Points if the pattern matches wherever the stem stands."""


def _weigh(record: RecordView, standing: list[_Standing], enough: float) -> tuple[float, list[str]]:
    """Add up the points of the turns, and take an example of each kind.

    Turns that could count most come first, to stop as soon as the rest cannot be enough.
    """
    text = _QUOTED.sub("", record.output_prose)
    points, left = 0.0, sum(most for _, most in standing)
    shown: list[str] = []
    for turn, most in sorted(standing, key=lambda one: -one.most):
        if points + left < enough:
            break
        left -= most
        if turn.is_voice and (turn.stem in record.task_text or _VOICES.search(record.instruction)):
            continue
        places = [found.span() for found in turn.pattern.finditer(text)]
        if places:
            points += turn.points * len(places)
            start, end = places[0]
            word = max(text.rfind(" ", 0, start) + 1, start - 8)
            shown.append(text[word:end].strip())
    return points, shown


TRANSLATIONESE_RULES = (
    Rule(
        "translationese",
        ("ko",),
        "serious",
        "Korean bent to English grammar; the student would learn to write so.",
        _translationese,
        examples=(
            Example(
                "ko",
                "물을 아끼는 법을 알려 주세요.",
                "당신이 물을 절약하는 것이 가능한 여러 방법들이 있습니다. 그것은 당신에 의해 쉽게 "
                "실천되어질 수 있습니다.",
            ),
        ),
        near_misses=(
            Example(
                "ko",
                "물을 아끼는 법을 알려 주세요.",
                "이를 닦을 때는 컵에 물을 받아 쓰세요. 빨래는 모아서 한 번에 돌리세요. 그럼에도 "
                "불구하고 요금이 많이 나오면 물이 새는 곳이 없는지 살펴보세요.",
            ),
        ),
    ),
)

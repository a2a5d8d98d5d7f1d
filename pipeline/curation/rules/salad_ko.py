"""Korean words without grammar: particles without nouns, chains of conjunctions, heaps of nouns.

Korean grammar stands at the ends of words, so what a sentence cannot lack, and what it cannot have
twice, is seen without a dictionary: a heap of nouns has no ending, a noun of a thing makes no verb
(양말하다), particles follow a noun and one another only in an order. Linear in the text.

Tried and dropped: calling a heap what has certain endings (은, 에서) in under 12 % of its words
(26 false alarms in 43,000 real instructions; with the uncertain ones counted, 4).
"""

import re

from pipeline.curation.rules.keyboard import CODE_SIGN
from pipeline.curation.rules.rule import quote
from pipeline.curation.rules.view import holds_any

_HANGUL_WORD = re.compile(r"[가-힣]+")
_PARTICLE_ONLY = re.compile(
    r"(?:은는|을를|이가|으로써|으로서|에서의?|에게서?|부터|까지|처럼|만큼|조차|마저|한테|보다"
    r"|에서부터"
    r"|은커녕|이나마|라도|이라도|의에서|하고|는은|가이|를을|로서|로써|밖에|든지|은|는|을|를)+"
)
_BEGIN_PARTICLES = frozenset("은는이가을를으에부까처만조한보의하로라밖든")
# Only what no noun ends in: 가을에, 회의를 and 평가를 are sound.
_DOUBLES = tuple(
    "을를 은는 이를가 를이가 를은 를가 를에 는을 는를 에를 에을 의을 의은 를에서 는에서 이가를 "  # noqa: SIM905
    "에서을 에서이 로을 에가 를의 와을 은에서 을에서".split()
)
_DOUBLED_PARTICLE = re.compile(rf"[가-힣](?:{'|'.join(_DOUBLES)})(?![가-힣])")
_FEWEST_SYLLABLES = 15
_MOST_SHAKEN = 4

# Four of these in a row join nothing: 그러나 그래서 또한 즉; 되다 않다 이다 하였다.
_JOINTS = (
    r"(?:그러나|그래서|그런데|그리고|그러므로|그러니까|그러면|그렇지만|하지만|따라서|또한|또는|혹은|게다가|더구나|오히려|역시|다만|즉"
    r"|및|왜냐하면|비록|만약|만일|때문|때문에|위하여|위해|대하여|대해|관하여|통하여|의하여)"
)
_LIGHT_VERBS = (
    r"(?:(?:하|되|않|이|아니|있|없|같)다|하였다|했다|됐다|되었다|이었다|였다|했음|됐음|있음|없음|하는|되는|하던|되던|한다|된다"
    r"|하고|되고|하며|되며|하여|되어|함|됨|할|될|한|된)"
)
_CHAIN = re.compile(
    rf"(?<![가-힣])(?:{_JOINTS}\s+){{3,}}{_JOINTS}(?![가-힣])"
    rf"|(?<![가-힣])(?:{_LIGHT_VERBS}\s+){{4,}}{_LIGHT_VERBS}(?![가-힣])"
)
_CHAIN_MARKS = ("그러", "그래", "그런", "그리", "하다", "되다", "않다", "이다", "따라서", "또한")

# Things of which nobody makes a verb with 하다; what is worn (모자하다), cooked (밥하다) or played
# (토끼하다) does make one.
_THINGS = (
    "양말|신발|구두|운동화|바지|치마|외투|단추|주머니|옷장|이불|베개|침대|소파|책상|의자|서랍|책장|냉장고|세탁기|청소기|전자레인지"
    "|주전자|냄비|프라이팬|숟가락|젓가락|접시|컵|그릇|도마|연필|볼펜|지우개|공책|필통|칠판|달력|시계|우산|열쇠|자물쇠|사다리|망치"
    "|벽돌|지붕|계단|창문|천장|기둥|현관|굴뚝|울타리|우체국|도서관|신호등|횡단보도|자전거|버스|트럭|기차|비행기|포도|딸기|수박|참외"
    "|복숭아|자두|바나나|감자|고구마|양파|배추|당근|오이|고등어|오징어|구름|무지개|번개|모래|바다|호수|손가락|발가락|무릎|팔꿈치|삼각형"
    "|오각형|월요일|화요일|수요일|목요일|금요일|토요일|일요일"
)
_THING_VERB = re.compile(
    rf"(?<![가-힣])(?:{_THINGS})"
    r"(?:합니|하시오|하십시오|하세요|하였|했[다습어던]|한다|하[다자지면]|하여|해서|해요|하게|하는|하도록)"
)
_VERB_MARKS = ("하", "합", "해", "했", "한다")

# What words of a sentence end in. Nouns end in some of these too, so that heaps have a few.
_ENDING = re.compile(
    r"(?:은|는|이|가|을|를|에|의|로|도|만|과|와|서|게|고|며|면|다|요|까|죠|네|지|어|아|여|해|한|할"
    r"|된|될|던|인|니|려|러|라|자|세|오|줘|줄|써|란|께|히|적|한테|부터|까지|처럼|보다|마다|든지|든"
    r"|듯|것|수|때|번|개|명|년|월|일|원|법|점|중|대한|위한|및|야|돼|구|데|음|함|됨|랑|던|큼|씩)$"
)
_CERTAIN_ENDING = re.compile(
    r"(?:은|는|을|를|에|도|죠|면|거나|에서|에게|한테|으로|까지|부터|처럼|마다|니다|[아어에해]요|하[고며여]|했|한다|이다|였다|있다|없다|된다|는다"
    r"|세요|시오|지만|는데|면서|라고|적인|있는|없는|하는|대한|위한)$"
)
_LAST_OF_SENTENCE = re.compile(
    r"(?:[다요까죠네지냐니나래자줘봐어아여해군걸게와고데며면야돼대워져구]|[아어여해하가오으려거주]라|[?!.])$"
)
_NO_HEAP = re.compile(r"[,，、:：\n·/→|>=_\-#♡★☆]")
_HEAP_WANTED = re.compile(r"단어|낱말|키워드|목록|나열|이름|태그|재료|검색|제목|품목|종류|명사")
_FEWEST_HEAPED = 9
_WORDS_AN_ENDING = 3

_CLOSED_BY_N = "".join(map(chr, range(ord("간"), ord("힣"), 28)))
"""Syllables that end in ㄴ: before 다 they end a sentence."""
# "… 웃는다 그래서 창문 고등어 미분.": after its verb a sentence is over.
_AFTER_THE_END = re.compile(
    rf"(?<=[가-힣])(?:[{_CLOSED_BY_N}]다|니다|이다|였다|었다|았다|했다)(?:\s+그래서|\s+그리고|\s+그러나)?"
    r"((?:\s+[가-힣]+){1,4})\s*\.(?=\s|\Z)"
)
_LONGEST_ENDED = 200
_LATE_ADVERBS = frozenset("정말 진짜 너무 아주 꼭 제발 완전 그냥 역시 참 좀 제가 내가 우리".split())  # noqa: SIM905
"""What is said after the verb in talk."""


def find_korean_salad(text: str, given: str, wish: str) -> str | None:
    """Say why a Korean text cannot be read.

    Args:
        text: Prose, in Korean or mostly so.
        given: Words that it may repeat.
        wish: What the task asks for; words alone may be wanted.
    """
    words = _HANGUL_WORD.findall(text)
    if len(words) < 3:
        return None
    found = (
        _find_bare_particles(text, words)
        or _find_chain(text)
        or _find_thing_verb(text)
        or _find_heap(text, words, given, wish)
        or _find_second_end(text)
    )
    return None if found and CODE_SIGN.search(text) else found


def _find_bare_particles(text: str, words: list[str]) -> str | None:
    if len(text) >= _FEWEST_SYLLABLES and len({*text}) <= _MOST_SHAKEN + 3:
        letters = "".join(words)
        if len(letters) >= _FEWEST_SYLLABLES and len({*letters}) <= _MOST_SHAKEN:
            return f"shakes few syllables: {quote(text)}"
    particles = [word for word in words if word[0] in _BEGIN_PARTICLES and len(word) > 1]
    particles = [word for word in particles if _PARTICLE_ONLY.fullmatch(word)]
    if len(particles) >= 3:
        return f"has particles without nouns: {quote(' '.join(particles))}"
    doubled = _DOUBLED_PARTICLE.findall(text) if holds_any(text, _DOUBLES) else []
    if len(doubled) >= 2:
        return f"has particles on particles: {quote(' '.join(doubled))}"
    return None


def _find_chain(text: str) -> str | None:
    chain = _CHAIN.search(text) if holds_any(text, _CHAIN_MARKS) else None
    return f"chains words of grammar: {quote(chain[0])}" if chain else None


def _find_thing_verb(text: str) -> str | None:
    verb = _THING_VERB.search(text)
    return f"makes a verb of a thing: {quote(verb[0])}" if verb else None


def _find_heap(text: str, words: list[str], given: str, wish: str) -> str | None:
    if len(words) < _FEWEST_HEAPED or _LAST_OF_SENTENCE.search(text) or _NO_HEAP.search(text):
        return None
    if sum(_ENDING.search(word) is not None for word in words) * _WORDS_AN_ENDING > len(words):
        return None
    if _HEAP_WANTED.search(wish) or all(word in given for word in words):
        return None
    certain = sum(_CERTAIN_ENDING.search(word) is not None for word in words)
    return None if certain > 1 else f"is words without grammar: {quote(text)}"


def _find_second_end(text: str) -> str | None:
    """Find nouns after the verb that ended a sentence, in a text of a sentence or two."""
    if len(text) > _LONGEST_ENDED or _NO_HEAP.search(text) or '"' in text or "“" in text:
        return None
    late = _AFTER_THE_END.search(text)
    if late is None or any(
        _CERTAIN_ENDING.search(word) or word in _LATE_ADVERBS for word in late[1].split()
    ):
        return None
    return f"goes on after its end: {quote(late[0])}"

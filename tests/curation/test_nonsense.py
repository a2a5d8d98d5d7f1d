import pytest

from pipeline.curation.rules.nonsense import NONSENSE_RULES
from pipeline.curation.rules.spelling import count_odd
from pipeline.curation.rules.view import RecordView
from schemas.records import Language
from tests.curation.making import make_record

(NONSENSE,) = NONSENSE_RULES
ASKED: dict[Language, str] = {
    "en": "Describe a quiet morning.",
    "ko": "조용한 아침을 묘사하세요.",
}


def judge(output: str, language: Language, instruction: str | None = None) -> str | None:
    record = make_record(instruction or ASKED[language], language, output=output)
    return NONSENSE.find(RecordView(record))


@pytest.mark.parametrize(
    "output",
    [
        pytest.param("The brilk tamvoose znoddled hupfwam past a kwerbic doolth.", id="made-up"),
        pytest.param("Theki tchenwas coldan dthe kett lewas hu mmingof tly.", id="spaces-moved"),
        pytest.param("poiuytr lkjhgfd mnbvcxz qwertyuiop", id="rows-of-keys"),
        pytest.param("Of the and morning is of was quiet the of have birds.", id="pairs"),
        pytest.param(
            "The tea teaing was teaed by teaish teas for the teaest tea of tea.", id="one-stem"
        ),
        pytest.param(
            "lamp river ceiling carpet seven gravel window onion", id="no-word-of-grammar"
        ),
        pytest.param("The birds can be sing every morning.", id="wrong-form"),
    ],
)
def test_english_noise_is_found(output: str) -> None:
    assert judge(output, "en") is not None


@pytest.mark.parametrize(
    "output",
    [
        pytest.param("창고 연못 7 포장지 나팔 은하수 왼팔 명사 등불 기둥 손톱", id="heap-of-nouns"),
        pytest.param("아침은 그리고 그래서 그러나 또한 하지만 즉", id="conjunctions"),
        pytest.param("아침이 하다 되다 않다 이다 없다 하였다", id="verbs-without-matter"),
        pytest.param("안개가 조용히 책상합니다. 새들이 노래합니다.", id="verb-of-a-thing"),
        pytest.param("은는 에서의 을를 조용한 으로써", id="particles-alone"),
        pytest.param("아침을를 창문은는 새들이를가 조용하다.", id="particles-doubled"),
        pytest.param("새벽이 밝았다 그래서 주전자 돌담 기린.", id="goes-on-after-its-verb"),
        pytest.param("뷃쒉 훫뿕 졟쀓 밝은 아침", id="impossible-syllables"),
        pytest.param("ㅁㄴㅇㄹ ㅂㅈㄷㄱ ㅋㅌㅊㅍ", id="loose-jamo"),
    ],
)
def test_korean_noise_is_found(output: str) -> None:
    assert judge(output, "ko") is not None


@pytest.mark.parametrize(
    "output",
    [
        pytest.param("Nguyen Thi Hoa, Wojciech Szczęsny, Yuki Sato, Franz Liszt", id="names"),
        pytest.param("The Lord of the Rings: The Return of the King", id="title"),
        pytest.param("SKU: XKQ-2291-ZT, XKQ-2292-ZT, PLM-0017-QX", id="product-codes"),
        pytest.param("| id | qty |\n|----|-----|\n| a1 | 3 |", id="table"),
        pytest.param("def f(xs):\n    return [q for q in xs if q % 2]", id="code"),
        pytest.param("x = (-b ± sqrt(b^2 - 4ac)) / 2a", id="formula"),
        pytest.param("Nous vous remercions de votre commande pour la table.", id="french"),
        pytest.param("Mist. A kettle. Nothing. Then birds, birds, birds.", id="short-poem"),
        pytest.param("Photosynthesis needs chlorophyll, carbon dioxide and water.", id="terms"),
        pytest.param("It depends on what the word 'is' is.", id="quoted-words"),
        pytest.param("active, actor, acting, action, actual, act", id="family-of-words"),
    ],
)
def test_odd_but_sound_english_passes(output: str) -> None:
    assert judge(output, "en") is None


@pytest.mark.parametrize(
    "output",
    [
        pytest.param(
            "가을에 마을을 찾아 회의를 열고 평가를 마쳤다. 강의는 회의의 일부였다.", id="nouns"
        ),
        pytest.param("양말하고 신발하고 모자를 챙겼습니다. 구두 한 켤레도요.", id="and-in-talk"),
        pytest.param("사과, 배, 포도, 딸기, 수박, 참외, 자두, 감, 귤, 무화과", id="list"),
        pytest.param("ㅋㅋㅋㅋ 진짜 조용했어 ㅠㅠ 너무 좋더라!!!!", id="laughter"),
        pytest.param("김민준 이서연 박도윤", id="names"),
        pytest.param("그러나 그 아침은 다만 조용했고, 그래서 또한 좋았다.", id="conjunctions"),
        pytest.param("안개 낀 골목 / 새 한 마리 / 아직 아무도", id="poem"),
        pytest.param("밥하는 소리가 들리고, 누군가는 사과했다.", id="real-verbs"),
        pytest.param("삼성전자 3분기 영업 이익 10조 원 돌파", id="headline"),
        pytest.param("모델명은 XKQ-2291이고 가격은 3만 원입니다.", id="product-code"),
    ],
)
def test_odd_but_sound_korean_passes(output: str) -> None:
    assert judge(output, "ko") is None


@pytest.mark.parametrize(
    ("instruction", "output", "language"),
    [
        ("Invent words for a poem.", "The brilk tamvoose znoddled hupfwam a kwerbic.", "en"),
        ("Name a row of keyboard letters.", "qwertyui asdfghjk zxcvbnm", "en"),
        ("단어 열 개를 나열하세요.", "창고 연못 포장지 나팔 은하수 왼팔 등불 기둥 손톱 안개", "ko"),
        ("초성 퀴즈를 내세요.", "ㅁㄴㅇㄹ", "ko"),
    ],
)
def test_noise_that_is_asked_for_passes(instruction: str, output: str, language: Language) -> None:
    assert judge(output, language, instruction) is None


def test_spelling_knows_words_and_not_mashes() -> None:
    assert [count_odd(word) for word in ("morning", "wrestle", "psychology")] == [0, 0, 0]
    assert all(count_odd(word) >= 3 for word in ("zxqwv", "hsdfkw", "pqowelk"))

"""What each reason for a rejection means, in a line for people who never saw our rules."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from schemas.records import Reason


class Meaning(NamedTuple):
    """One reason in both languages."""

    en: str
    ko: str


MEANINGS: Mapping[Reason, Meaning] = MappingProxyType(
    {
        "unparseable": Meaning("the answer has no record in it", "답에서 레코드를 읽어 낼 수 없음"),
        "truncated": Meaning("cut off at the token limit", "토큰 상한에서 잘림"),
        "trailing-colon": Meaning(
            "the instruction ends where its material should begin",
            "지시문이 쌍점으로 끝나 내용이 빠짐",
        ),
        "conflicting-outputs": Meaning(
            "the same task with different answers", "같은 과제에 답이 서로 다름"
        ),
        "copies-source": Meaning("copies its source document", "바탕이 된 문서를 거의 그대로 옮김"),
        "broken-translation": Meaning("the translation went wrong", "번역이 잘못됨"),
        "not-evolved": Meaning(
            "no harder or newer than the task it was to rework",
            "고쳐 쓴 과제가 원래 과제와 다를 바 없음",
        ),
        "wrong-type": Meaning("a column that is no text", "글이 아닌 값이 든 열이 있음"),
        "empty-instruction": Meaning("no instruction", "지시문이 비어 있음"),
        "empty-output": Meaning("no output", "출력이 비어 있음"),
        "too-long": Meaning("longer than the limit", "길이 상한을 넘음"),
        "broken-text": Meaning("holds characters that are no text", "깨진 글자가 있음"),
        "exact-duplicate": Meaning(
            "the same task as a seed task or another record",
            "시드 과제나 다른 레코드와 똑같은 과제",
        ),
        "wrong-language-instruction": Meaning(
            "the instruction is in another language", "지시문이 다른 언어로 되어 있음"
        ),
        "wrong-language-output": Meaning(
            "the output is in another language", "출력이 다른 언어로 되어 있음"
        ),
        "instruction-too-short": Meaning(
            "too short to say what is to be done", "너무 짧아 무엇을 하라는지 알 수 없음"
        ),
        "instruction-too-long": Meaning(
            "mostly several tasks run together", "너무 긺. 대개 여러 과제가 뒤엉킨 것"
        ),
        "merged-instructions": Meaning(
            "several unrelated tasks in one", "서로 무관한 여러 과제가 한데 섞임"
        ),
        "missing-input": Meaning(
            "speaks of material that is not there", "지시문이 말하는 자료가 없음"
        ),
        "needs-image-or-file": Meaning(
            "needs a picture or file to be seen or made", "그림이나 파일이 있어야 할 수 있는 과제"
        ),
        "hallucinated-attachment": Meaning(
            "the output speaks of a file that nobody gave",
            "있지도 않은 파일이나 그림을 말하는 출력",
        ),
        "nonsense": Meaning("no reader could make sense of it", "뜻을 알 수 없는 글"),
        "output-repeats-instruction": Meaning(
            "the output only echoes the instruction", "출력이 지시문을 그대로 되풀이함"
        ),
        "output-repeats-input": Meaning(
            "the output only hands the input back", "출력이 입력을 그대로 되풀이함"
        ),
        "not-an-answer": Meaning(
            "a filler such as N/A in place of an answer", "N/A처럼 답이 아닌 출력"
        ),
        "empty-code": Meaning(
            "code was asked for, and there is none or it does nothing",
            "코드를 시켰으나 코드가 없거나 하는 일이 없음",
        ),
        "refusal": Meaning("the teacher declined to answer", "교사 모델이 답변을 거부함"),
        "self-reference": Meaning(
            "the teacher speaks of itself as a model", "교사 모델이 자신을 AI라고 말함"
        ),
        "placeholder": Meaning(
            "a blank such as [name] stands in the output", "[이름] 같은 빈자리가 출력에 남아 있음"
        ),
        "repetitive-output": Meaning("the output runs in a loop", "같은 말이 끝없이 되풀이됨"),
        "unfinished-output": Meaning("breaks off in mid-sentence", "문장이 도중에 끊김"),
        "prompt-leftover": Meaning(
            "parts of the prompt's format became text", "프롬프트의 서식이 글에 섞여 들어옴"
        ),
        "hallucinated-link": Meaning(
            "a link that the task does not hold", "과제에 없던 링크를 지어냄"
        ),
        "personal-data": Meaning(
            "holds an e-mail address, a phone number or an identity number",
            "전자우편 주소, 전화번호, 주민등록번호 등 개인정보가 있음",
        ),
        "credentials": Meaning("holds a key or a password", "키나 비밀번호가 있음"),
        "wrong-arithmetic": Meaning("states a sum that does not hold", "틀린 계산이 있음"),
        "broken-jamo": Meaning("syllables fell apart into letters", "음절이 낱자로 흩어져 있음"),
        "mixed-speech-levels": Meaning(
            "changes between Korean speech levels", "한 글에 해요체, 합쇼체, 해체가 뒤섞임"
        ),
        "translationese": Meaning("Korean bent to English grammar", "번역투"),
        "unsuitable-keyword": Meaning(
            "has a word of Alpaca's list, such as image or graph",
            "Alpaca의 금칙어(image, graph 등)가 있음",
        ),
        "write-a-program": Meaning(
            "begins with “Write a program” (Alpaca's rule)",
            "“Write a program”으로 시작함(Alpaca의 규칙)",
        ),
        "leading-punctuation": Meaning(
            "begins with a punctuation mark (Alpaca's rule)",
            "문장 부호로 시작함(Alpaca의 규칙)",
        ),
        "leading-non-ascii": Meaning(
            "begins with a letter outside ASCII (Alpaca's rule)",
            "ASCII가 아닌 글자로 시작함(Alpaca의 규칙)",
        ),
        "repeat": Meaning(
            "the instruction says nearly what a seed task or another record says",
            "지시문이 시드 과제나 다른 레코드와 거의 같음",
        ),
        "near-duplicate": Meaning(
            "instruction, input and output together are nearly another record's",
            "지시문, 입력, 출력을 합친 글이 다른 레코드와 거의 같음",
        ),
        "contaminated-exact": Meaning(
            "holds an evaluation item word for word", "평가 문항이 그대로 들어 있음"
        ),
        "contaminated-overlap": Meaning(
            "shares long passages with an evaluation item", "평가 문항과 긴 구절이 겹침"
        ),
        "contaminated-lineage": Meaning(
            "was made from an evaluation item", "평가 문항에서 만들어짐"
        ),
        "low-score": Meaning("the judge's score is too low", "심사 점수가 기준보다 낮음"),
        "outside-top-share": Meaning(
            "not in the share with the best scores", "점수가 상위 비율에 들지 못함"
        ),
        "outside-difficulty": Meaning(
            "too easy or too hard for the student", "학생 모델에게 너무 쉽거나 어려움"
        ),
        "not-judged": Meaning("the judge gave no score", "심사 점수를 받지 못함"),
        "rejected-by-reader": Meaning("a reader rejected it", "사람이 읽고 거절함"),
    }
)

WITHHELD: frozenset[Reason] = frozenset({"personal-data", "credentials"})
"""Reasons whose drafts are not shown: a card is read by many, and they may belong to somebody."""

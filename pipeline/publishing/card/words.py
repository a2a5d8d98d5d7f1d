"""The names of our closed lists in both languages."""

from collections.abc import Mapping
from types import MappingProxyType

from schemas.records import Language, Stage, TaskType

STAGE_NAMES: Mapping[Stage, Mapping[Language, str]] = MappingProxyType(
    {
        "schema": {"en": "schema", "ko": "형식"},
        "duplicate": {"en": "duplicates", "ko": "완전 중복"},
        "language": {"en": "language", "ko": "언어"},
        "rules": {"en": "rules", "ko": "규칙"},
        "novelty": {"en": "novelty", "ko": "참신성"},
        "near-duplicate": {"en": "near duplicates", "ko": "유사 중복"},
        "contamination": {"en": "contamination", "ko": "평가 문항 유출"},
        "judge": {"en": "judge", "ko": "심사"},
        "review": {"en": "review", "ko": "검토"},
    }
)

STAGE_QUESTIONS: Mapping[Stage, Mapping[Language, str]] = MappingProxyType(
    {
        "schema": {
            "en": "is it a whole record?",
            "ko": "레코드의 꼴을 갖추었는가",
        },
        "duplicate": {
            "en": "has the same task been seen already?",
            "ko": "똑같은 과제가 이미 있는가",
        },
        "language": {
            "en": "is it in the language asked for?",
            "ko": "요청한 언어로 썼는가",
        },
        "rules": {
            "en": "does the record by itself show a defect?",
            "ko": "레코드 자체에 드러나는 결함이 있는가",
        },
        "novelty": {
            "en": "does the instruction repeat another?",
            "ko": "지시문이 다른 지시문을 되풀이하는가",
        },
        "near-duplicate": {
            "en": "is the whole text almost another's?",
            "ko": "글 전체가 다른 레코드와 거의 같은가",
        },
        "contamination": {
            "en": "does it hold an evaluation item?",
            "ko": "평가 문항이 들어 있는가",
        },
        "judge": {
            "en": "does a judging model find it good enough?",
            "ko": "심사 모델의 점수가 기준에 이르는가",
        },
        "review": {
            "en": "did a reader reject it?",
            "ko": "사람이 읽고 거절했는가",
        },
    }
)

TASK_NAMES: Mapping[TaskType, Mapping[Language, str]] = MappingProxyType(
    {
        "classification": {"en": "classification", "ko": "분류"},
        "extraction": {"en": "extraction", "ko": "정보 추출"},
        "rewriting": {"en": "rewriting", "ko": "고쳐 쓰기"},
        "summarization": {"en": "summarization", "ko": "요약"},
        "translation": {"en": "translation", "ko": "번역"},
        "question-answering": {"en": "question answering", "ko": "질의응답"},
        "reasoning": {"en": "reasoning", "ko": "추론"},
        "arithmetic": {"en": "arithmetic", "ko": "계산"},
        "code": {"en": "code", "ko": "코드"},
        "creative-writing": {"en": "creative writing", "ko": "창작"},
        "practical-writing": {"en": "practical writing", "ko": "실용 글쓰기"},
        "brainstorming": {"en": "brainstorming", "ko": "아이디어 내기"},
        "explanation": {"en": "explanation", "ko": "설명"},
        "language": {"en": "language and grammar", "ko": "우리말과 맞춤법"},
        "unspecified": {"en": "unspecified", "ko": "정하지 않음"},
    }
)

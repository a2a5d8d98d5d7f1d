"""The kinds of task in the words of a prompt; few words, or a small model copies them."""

from schemas.records import Language, TaskType

KINDS: dict[Language, dict[TaskType, str]] = {
    "en": {
        "classification": "classification, with the labels named in the instruction",
        "extraction": "extraction of facts from the input",
        "rewriting": "rewriting of the input",
        "summarization": "summary of the input",
        "translation": "translation of the input",
        "question-answering": "question with a factual answer",
        "reasoning": "reasoning",
        "arithmetic": "arithmetic with an exact result",
        "code": "code",
        "creative-writing": "creative writing",
        "practical-writing": "practical writing",
        "brainstorming": "ideas for a purpose",
        "explanation": "explanation",
        "language": "language and grammar",
        "unspecified": "free choice",
    },
    "ko": {
        "classification": "분류 (지시에 보기를 모두 적음)",
        "extraction": "입력에서 정보 추출",
        "rewriting": "입력 고쳐 쓰기",
        "summarization": "입력 요약",
        "translation": "입력 번역",
        "question-answering": "사실을 묻는 질문",
        "reasoning": "추론",
        "arithmetic": "답이 하나인 계산",
        "code": "코드",
        "creative-writing": "창작",
        "practical-writing": "실용 글쓰기",
        "brainstorming": "아이디어 내기",
        "explanation": "쉬운 설명",
        "language": "우리말과 맞춤법",
        "unspecified": "자유",
    },
}

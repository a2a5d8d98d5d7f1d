"""How tasks are asked for: English imperatives and Korean requests, and what they are about.

Shared by the rules that have to tell a task from the material it works on.
"""

import re

IMPERATIVES = (
    r"(?:analy[sz]e|answer|arrange|brainstorm|build|calculate|categori[sz]e|choose|classify|combine"
    r"|compare|complete|compose|compute|conjugate|construct|convert|correct|count|create|decide"
    r"|define|describe|design|detect|determine|develop|discuss|divide|draft|edit|estimate|evaluate"
    r"|expand|explain|extract|fill|find|fix|generate|give|group|guess|identify|improve|invent"
    r"|infer|list|label|make|multiply|name|order|organi[sz]e|outline|paraphrase|pick|plan"
    r"|predict|proofread|propose|provide|punctuate|rank|rate|read|recommend|rephrase|replace|reply"
    r"|respond|reverse|revise|rewrite|score|select|shorten|simplify|solve|sort|spell|split|state"
    r"|suggest|summari[sz]e|tell|transform|translate|advise|change|draw|plan|report|share|show"
    r"|turn|unscramble|write)"
)
_LEAD_IN = (
    r"\W*(?:please |kindly |and |but |so |also,? |then,? |next,? |finally,? |lastly,? |besides,? "
    r"|secondly,? |on another note,? |by the way,? |given [^,.]{1,60}, )*"
)
IMPERATIVE = re.compile(rf"{_LEAD_IN}{IMPERATIVES}\b", re.IGNORECASE)
_ENGLISH_QUESTION = re.compile(
    rf"{_LEAD_IN}(?:what|who|whom|whose|when|where|why|how|which|is|are|was|were|do|does|did|can"
    rf"|could"
    r"|should|would|will)\b[^?]*\?",
    re.IGNORECASE,
)
_KOREAN_REQUEST = re.compile(
    r"(?:세요|십시오|시오|주십시오|줘요?|줄래요?|[주하해써라어려]라|[가-힣]기|할 것|궁금해"
    r"|[가-힣]\?|바랍니다|바라요|보자"
    r"|볼래"
    r"|까요?|나요|가요|은가|는가|인가|느냐|니|냐|지요|죠|뭐야|뭐지|무엇|얼마|누구|어디|언제)"
    r"[\s\"'”’)]*[.?!~]*\s*$"
)


def is_request(sentence: str) -> bool:
    """Tell a sentence that asks for something from one that states something."""
    first = sentence.split(None, 1)[0]
    if len(first) > 2 and first.isupper():  # SQL, not English
        return False
    return bool(
        IMPERATIVE.match(sentence)
        or _ENGLISH_QUESTION.match(sentence)
        or _KOREAN_REQUEST.search(sentence)
    )

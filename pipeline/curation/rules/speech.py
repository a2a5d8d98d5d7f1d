"""Tell the speech level of a Korean sentence by its ending (상대 높임법), where it is clear.

Endings that nouns share (이해, 단어, 여행지, 분야) count only where the letters before tell a verb,
and 해체 only before a sentence mark, as headings end anyhow. Constant time a sentence.
"""

import re
from typing import Literal

Level = Literal["합쇼체", "해요체", "해라체", "해체", "높임"]
"""``높임``: 하세요, 하십시오, 바랍니다, which texts of both polite levels take."""

_FINAL_N, _FINAL_R, _FINAL_B, _FINAL_BS, _FINAL_SS = 4, 8, 17, 18, 20
"""Final consonants ㄴ, ㄹ, ㅂ, ㅄ and ㅆ in Unicode's order."""
_LONGEST_ENDING = 8

# Thanks and greetings close texts of any level.
_SET_PHRASE = re.compile(
    r"(?:감사합니다|고맙습니다|부탁드립니다|죄송합니다|안녕하세요|안녕하십니까|계세요|가세요)$"
)
_REQUEST = re.compile(r"(?:세요|시오|바랍니다)$")
_PLAIN_ADJECTIVE = re.compile(
    r"(?:[이않많같좋쉽렵높낮크작짧길넓깊싸르늦젊밝맑낫옳적빠크쁘]|아니|(?:중요|필요|가능|충분|유명|다양|간단|편리"
    r"|안전|위험|유용|적당|분명|당연|확실|대단|심|비슷|특별|풍부|부족|강|편|흔|못|듯|만)하|드물|달콤하)다$"
)
_COMMAND = re.compile(r"(?:[해봐와가려져춰둬줘써켜내돼]라|[아어여거마]라|말라|지 말자)$")
_CASUAL = re.compile(
    # 했어, 있어, 싶어, 먹어, 찾아, 나아: after a final consonant, unless it is 단어 or 육아.
    r"(?:(?P<stem>(?![단언국용영숙은연농장광붕상악인본일랍령색])[가-힣])어"
    r"|(?P<bright>(?![육발맹상영동])[가-힣])아"
    r"|(?<![이피올새오방저침남동서공손재유무살상항견화분박자통위대])해"
    r"|돼|봐|줘|둬|춰|꿔|(?<!파)(?<!타)(?<!샤)워|써|져|켜|펴|쳐|텨|셔|껴|쪄|(?<![격배우염고장])려|[나어아려]와"
    r"|(?<![분시평광심전해어아])야|지는? 마"
    r"|(?:[있없했었았겠같많않좋되하]|그렇|거|것이|뿐이|때문이|잖)지"
    r"|(?:[있없했었았겠좋많같하])네|[는겠었았있없하렇]군|(?:는|하|겠|었|았|렇)구나"
    r"|거든|더라|(?P<will>[가-힣])(?:게|래|걸)|어때)$"
)


def speech_level(sentence: str) -> Level | None:
    """Name the level of a sentence with its end mark; None where the ending does not tell."""
    stripped = sentence.strip()
    bare = stripped.rstrip(".!?。~… ")
    ending = bare[-_LONGEST_ENDING:]
    if len(bare) < 3 or _SET_PHRASE.search(ending):
        return None
    last = ending[-1]
    if _REQUEST.search(ending):
        return "높임"
    if last in "다까":
        return _level_of_statement(ending)
    if last in "요죠":
        return "해요체"
    if last == "라" and _COMMAND.search(ending):
        return "해라체"
    return "해체" if len(bare) < len(stripped) and _is_casual(bare) else None


def _level_of_statement(ending: str) -> Level | None:
    if ending.endswith(("니다", "니까")):
        return "합쇼체" if _final(ending[-3]) == _FINAL_B else None
    if ending[-1] == "까":
        return None
    is_plain = _final(ending[-2]) in (_FINAL_N, _FINAL_BS, _FINAL_SS)
    return "해라체" if is_plain or _PLAIN_ADJECTIVE.search(ending) else None


def _is_casual(bare: str) -> bool:
    found = _CASUAL.search(bare[-_LONGEST_ENDING:])
    if found is None or " " not in bare:
        return False
    stem = found["stem"] or found["bright"]
    if stem is not None:
        return _final(stem) > 0 or found[0] == "나아"
    return found["will"] is None or _final(found["will"]) == _FINAL_R


def _final(syllable: str) -> int:
    """Number the final consonant of a Hangul syllable; 0 for none, -1 for other characters."""
    return (ord(syllable) - ord("가")) % 28 if "가" <= syllable <= "힣" else -1

"""Closed lists of Korean grammar and everyday words, for the comparison of instructions.

Hand-made from school grammar and everyday synonyms, checked on one half of parakqc (see
``benchmarks/korean_similarity.py``). ``ㄴ``, ``ㄹ`` or ``ㅂ`` before an ending
stands for the final consonant of the syllable before it. A missing entry makes two forms of a word
look like two words, so that a paraphrase is kept; a wrong one may join two words that differ.
"""

from collections.abc import Mapping

# Hangul is counted as two columns wide, and words are easier to read than lists of strings.
# ruff: noqa: E501, SIM905

PARTICLES = frozenset(
    "은 는 이 가 을 를 의 에 에서 에게 께 께서 한테 한테서 에게서 로 으로 와 과 랑 이랑 하고 도 만 "
    "까지 부터 마다 보다 처럼 만큼 조차 마저 밖에 이나 나 이라도 라도 이든 든 이든지 든지 으로부터 "
    "로부터 로서 으로서 로써 으로써 대로 같이 야 이야 들 쯤 씩 짜리 님 이란 란 이라는 라는 이라고 "
    "라고 이며 며 이고 고 이요 요 에는 에도 엔 에선 께선 한텐 에만 까진 부턴 이면 면 이지 이라면 "
    "라면 치고 커녕 따라".split()
)
"""What follows a noun."""

ENDINGS = frozenset(
    "다 까 니 냐 나요 나 요 죠 지 지요 네 네요 군 군요 구나 거든 거든요 래 래요 라 자 세 게 고 며 "
    "면 면서 으면서 으면 니까 으니까 아서 어서 여서 서 러 으러 려고 으려고 도록 든지 든가 거나 지만 "
    "는데 ㄴ데 은데 던데 는데요 ㄴ데요 은데요 는지 ㄴ지 은지 ㄹ지 을지 던지 는지요 ㄴ지요 던 는 은 "
    "을 음 기 ㅂ니다 습니다 ㅂ니까 습니까 ㅂ시다 읍시다 십시오 으십시오 시오 으시오 세요 으세요 "
    "셔요 으셔요 소서 렴 으렴 려무나 거라 너라 어라 아라 여라 어 아 여 어요 아요 여요 에요 예요 "
    "이에요 이예요 입니다 입니까 인가요 인가 인지 인데 인데요 이니 이냐 이나요 이죠 이지요 일까 일까요 "
    "일지 ㄹ까 을까 ㄹ까요 을까요 ㄹ게 을게 ㄹ게요 을게요 ㄹ께 ㄹ께요 ㄹ래 을래 ㄹ래요 을래요 ㄹ려고 "
    "ㄹ려면 려면 으려면 다면 는다 ㄴ다 은다 는다면 ㄴ다면 다는 ㄴ다는 는다는 다고 ㄴ다고 는다고 "
    "으라고 자고 냐고 느냐 느냐고 ㄴ가 는가 은가 ㄴ가요 는가요 은가요 던가 던가요 더라 더라고 더라도 "
    "아도 어도 여도 아야 어야 여야 으시 셨 으셨 겠 았 었 였 ㅆ 더 ㄹ수록 을수록 ㄹ텐데 ㄹ거야 "
    "ㄹ꺼야 ㄹ거 을거 ㄹ건데 는게 ㄴ게 은게 는거 ㄴ거 은거 는건 ㄴ건 은건 는걸 ㄴ걸 은걸 거지 ㄹ때 "
    "을때 ㄹ수 을수 게요 구요 고요 을지요 ㄹ지요 ㄴ다니까 다니까 고자 자마자 다가 느라 "
    "느라고 므로 으므로 길 ㄹ땐 ㄹ때는 시는 으실 으신 하실 하신 주실 ㄴ답니다 답니다 랍니다 란다".split()
)
"""What follows a verb."""

HELPERS = frozenset(
    "줘 주 줄 준 줬 주시 줘요 달라 드리 드려 드릴 드렸 봐 보 볼 놔 놓 둬 두 둘 버려 버리 있 있는 있어 "
    "있을 있지 있나 있으 져 졌 진 질".split()
)
"""Verbs that are written to a connective form before them: 알려주다, 켜두다, 켜져 있다."""

DOERS = frozenset(
    "하 해 했 한 할 합 하여 하려 해야 하지 하면 하고 하게 하는 하기 하시 하실 하신 하셨 하십 해서 해주 해줘 해보 해봐 되 "
    "돼 된 될 됐 되어 되는 시키 시켜 시킨 시킬 당하 당해".split()
)
"""Verbs that make one of a noun: 검색하다."""

WHOLE = frozenset(
    "식기 동기 소나기 무기 용기 인기 필요 수요 개요 중요 주요 공지 영하 지하 다양 광고 편지 먼지 미세먼지 "
    "회의 지도 온도 습도 속도 정도 제도 고기 감기 전기 공기 크기 일기 이야기 경기 연기 휴가 국가 아이 나이 "
    "차이 종이 고양이 놀이 강아지 바다 의자 사자 여자 남자 감자 과자 모자 문자 기자 환자 글자 숫자 한자 "
    "영화 고래 노래 미래 모래 거래 사고 창고 재고 경고 참고 보고 최고 냉장고 아버지 할아버지 어머니 할머니 "
    "언니 주머니 도시 역시 접시 택시 다시 혹시 가게 무게 세계 관계 기계 시계 페이지 메시지 이미지 바지 돼지 "
    "잡지 토지 가지 반지 복지 휴지 하나 누나 바나나 나라 드라마 카메라 물고기 비행기 세탁기 가습기 제습기 "
    "선풍기 청소기 건조기 계산기 자전거 과거 근거 선거 증거 도서 순서 질서 문서 부서 사서 독서 용서 유서 "
    "다리 소리 머리 요리 정리 처리 관리 거리 자리 우리 국어 영어 단어 언어 용어 한국어 일본어 중국어 "
    "프랑스어 독일어 스페인어 러시아어 외국어 모국어 날씨 글씨 농도 강도 각도 위도 경도 빈도 한도 마을 "
    "가을 노을 마음 처음 다음 얼음 물음 그림 모임 게임 사람 바람 아침 점심 이름 여름 구름 기름 걸음 웃음 "
    "울음 죽음 믿음 도움 의사 교사 평가 작가 물가 화가 주가 증가 추가 참가 결과 사과 효과 성과 과정 교과 "
    "학과 강의 주의 정의 논의 합의 문의 예의 동의 오후 오전 도로 피로 미로 통로 경로 종로 가로 세로 진로 "
    "서로 바로 스스로 따로 새로 별로 주로 코로나 피자 김치 정치 가치 위치 장치 조치 설치 배치 수치 라면 "
    "화면 장면 측면 표면 양면 가면 수면 냉면 장만 불만 토끼 도끼 논란 혼란 추천 자연 공연 인연 사연 오이 "
    "어린이 넥타이 와이파이 시스템 프로그램 서울 메일 이메일 생일 휴일 과일 파일 평일 주말 서비스 데이터 "
    "사진 시간 기온 회원 의견 문장 문단 원인 사건 조건 물건 버전 사전 이전 직전 대전 발전 한국 일본 미국 "
    "중국 영국 부산 인천 대구 광주 제주도 강원도 경기도 인도 태도 의도 용도 년도 제자 저자 독자 소비자 "
    "사용자 관리자 노동자 부자 이자 투자 상자 피해자 사회 기회 대회 국회 예시 표시 지시 동시 즉시 전시 "
    "게시 일시 번역 요약 이번 지난 저번 계획 지원 외출 확인 겨울 안방 집안 사용자 환경 역사 문제 방안 이유 비교 차이점 장점 단점 특징 "
    "월요일 화요일 수요일 목요일 금요일 토요일 일요일 오늘 내일 어제 일월 이월 삼월 사월 오월 유월 칠월 팔월 구월 시월 십일월 십이월 울산 세종 춘천 포항 창원 프랑스 독일 인도 스페인 이탈리아 독도 울릉도 제주 한글 올해 작년 내년 "
    "휴대폰 핸드폰 스마트폰 자동차 컴퓨터 라디오 비디오 오디오 피아노 기타 커피 우유 두부 고추 배추 상추".split()
)
"""Common nouns that end like a noun with a particle or like a form of a verb."""

SHORT_NOUNS = frozenset(
    "문 물 일 말 달 날 불 눈 돈 산 손 술 쌀 칼 별 길 발 팔 글 땅 선 점 반 밀 딸 살 꿀 벌 풀 돌 안 한 알".split()
)
"""Nouns of one syllable that look like a verb before a noun: 팔 is an arm, or "to be sold"."""

CONTRACTIONS: Mapping[str, str] = dict(
    zip("봐둬줘워꿔춰눠려쳐져혀여겨셔펴뤄", "보두주우꾸추누리치지히이기시피루", strict=True)
)
"""A stem's last syllable with 아 or 어 in it, and without."""

FORMS: Mapping[str, str] = {
    form: stem
    for form, _, stem in (
        pair.partition("=")
        for pair in (
            "써=쓰 쓸=쓰 쓴=쓰 커=크 큰=크 클=크 꺼=끄 끌=끄 끈=끄 떠=뜨 뜬=뜨 뜰=뜨 켠=켜 켤=켜 키=켜 "
            "와=오 왔=오 온=오 놀=노 만들=만드 추우=춥 더우=덥 쉬우=쉽 어려우=어렵 가벼우=가볍 무거우=무겁 "
            "아름다우=아름답 가까우=가깝 고마우=고맙 새로우=새롭 뜨거우=뜨겁 차가우=차갑 귀여우=귀엽 무서우=무섭 "
            "누우=눕 구우=굽 도우=돕 도오=돕 들어=듣 걸어=걷 물어=묻 골라=고르 골르=고르 몰라=모르 불러=부르 "
            "빨라=빠르 눌러=누르 올라=오르 흘러=흐르 바빠=바쁘 아파=아프 나빠=나쁘 예뻐=예쁘 슬퍼=슬프 기뻐=기쁘 "
            "모아=모으 발라=바르 지으=짓 지어=짓 이어=잇 이으=잇 나으=낫 나아=낫 부으=붓 계시=있 있으=있 "
            "무어=뭐 무엇=뭐 뭘=뭐 뭔=뭐 무얼=뭐 뭣=뭐 무스=뭐 어떠=뭐 어느=뭐 어떤=뭐 혹=혹시"
        ).split()
    )
}
"""Irregular stems, and what they are forms of."""

_FILLERS = (
    "좀 그냥 혹시 제발 꼭 한버 한번 그 이 저 것 거 게 수 때 땐 중 가운데 둘 두 및 또 그리 더 나 내 너 네 니 "
    "당신 저희 제 자네 여러부 우리 이거 그거 이것 그것 저거 있 되 돼 하 해 할 주 같 건 걸 데 대하 관하 위하 "
    "의하 통하 싶 버 개 지그 지금 현재 정도 어느정 바라 아니 얘 야 제바 반드시 절대 무조거 항사 그러 이러 저러 "
    "경우 보 지 될 됐 했 려 씨 요 네요 때문 그래 아주 매우 너무 정말 진짜 자 필요 가능 예정 생각 시 날 "
    "모든 모드 모두 다 전부 전체 가지 하나 통 번 쪽 원하 원 필요없 테 만약 아무리 그렇 이렇 자꾸 계속 아직 먼저 미리 "
    "따로 직접 다시 딱 잘 별로 보다 상태 기준 기주 총 중요 그쪽 이쪽 저쪽 들 만 같으 어쩌 얼른 빨리 어서 "
    "함께 같이 각각 서로 주로 보통 대략 약 굳이 되게 참 잊 까먹 발생 존재 해당 관련 고객님 회원님 손님 "
    "고객 회원 선생 당시 여보 저기 여기 거기 분 명 대 회 월 년 시작 예 응 음 앞 말 편하 피 괜찮 낫 바 바라 궈 권 어때 계획 하시 되시 해보 주시 필 사람 대략 어디쯤 가시 냅두 놔두 큰일 한 기본 통하"
)
_ASKING = "알 알리 말하 말씀 가르치 궁금 부탁 설명 찾 검색 확이 확인 얘기 이야기 대답 답하 답 소개 보이 골 고 고르 추천 정하 정"
_AVERSE = "아니 싫 피하 큰이 거부 그마 덜 빼 대시 대신 권하"

ASKING_WORDS = frozenset(f"{_ASKING} ?뭐 ?어떻 ?어디 ?누구 ?왜 ?얼마".split())
"""Stems that ask for an answer in words, rather than for a deed."""

FUNCTION_WORDS = frozenset(f"{_FILLERS} {_ASKING} {_AVERSE}".split())
"""Stems that say little of what a task is about."""

AVERSE_WORDS = frozenset(_AVERSE.split())
"""Stems that may stand for a negation, so that one may be missing."""

QUESTIONS: Mapping[str, str] = {
    word: words.split()[0]
    for words in (
        "뭐",
        "어떻 방법 법 방식",
        "언제 시간 몇시 며치 며칠 날짜",
        "어디 곳 장소 위치",
        "누구 누",
        "왜 이유 까닭",
        "얼마 몇 얼마나 얼마너",
        "가장 제일 제이",
    )
    for word in words.split()
}
"""Question words, and nouns that ask the same: 어떻게 하나, 하는 방법."""

NEGATIONS = frozenset("안 못 않 없 금 금지 안돼 삼가 자제 못하 불가능".split())

NEGATED_VERBS = frozenset("꺼끄받쓰읽오가하먹자들좋켜입춥덥맞온쓴")
"""First syllables of verbs before which 안 may be written without a space: 안읽은, not 안전한."""

SYNONYMS: Mapping[str, str] = {
    word: words.split()[0]
    for words in (
        "쓰 사용 이용 활용|지우 삭제 제거|보내 전송 발송 부치|좋 선호|일정 스케줄 스케쥴 스케쥬|결혼 혼인 결호 호이|"
        "목록 리스트|맞추 설정 세팅 셋팅 조정 조절 조저|조심 주의|늦 지각 지가|올해 올 금년|비용 가격 값 요금|"
        "집 댁|이름 성함|최그 최근 요즘 요새|만나 뵙|크 커다라|고치 수정|만드 제작|추가 더하|바꾸 변경 교체|"
        "선택 택하|열 개최|메일 이메일|컴퓨터 피시|휴대폰 핸드폰 휴대전화 휴대저화|전화번호 연락처|차 자동차|"
        "텔레비전 티비 테레비저|음식 요리|마치 끝내 종료|모으 수집|사 구매 구입|고장 망가|문자 메시지|"
        "차이 차이점|먹 드시 식사|아침 오전|한국 우리나라|작년 지난해|내년 다음해|까 설치|예약 예매|강수량 강우량|오 도착 도차|겨울 겨울처 겨울철|여름 여름철 여름처|바깥 밖"
    ).split("|")
    for word in words.split()
}
"""Stems that mean the same in almost every instruction."""

SETTINGS = frozenset(
    "오늘 내일 어제 모레 글피 그저께 그제 올해 작년 내년 월요일 화요일 수요일 목요일 금요일 토요일 일요일 "
    "주말 평일 아침 점심 저녁 새벽 오전 오후 밤 낮 봄 여름 가을 겨울 상반기 하반기 일월 이월 삼월 사월 오월 유월 "
    "칠월 팔월 구월 시월 십일월 십이월 서울 부산 인천 대구 대전 광주 울산 세종 제주 제주도 강원도 경기도 "
    "충청도 전라도 경상도 강릉 수원 전주 춘천 청주 포항 창원 경주 여수 속초 목포 군산 울진 영덕 정읍 안동 익산 순천 원주 천안 아산 충주 제천 김해 진주 통영 거제 양산 구미 경산 김천 영주 상주 "
    "서귀포 성남 고양 용인 부천 안산 안양 남양주 화성 평택 의정부 파주 김포 이천 양평 가평 태백 삼척 동해 정선 영월 평창 보령 서산 공주 논산 나주 광양 남원 뉴욕 런던 파리 도쿄 베이징 상하이 홍콩 울릉도 독도 한국 북한 일본 중국 "
    "미국 영국 프랑스 독일 러시아 인도 태국 베트남 스페인 이탈리아 캐나다 호주 브라질 유럽 아시아 아프리카 "
    "한국어 영어 일본어 중국어 프랑스어 독일어 스페인어 러시아어 한글 한자".split()
)
"""Nouns that say when, where or in which language: never said by one and left out by another."""

VERBS = frozenset(
    "오 가 보내 받 쓰 켜 끄 내리 잡 만나 많 크 작 적 좋 나쁘 다르 높 낮 길 짧 열 닫 넣 빼 찾 보 듣 읽 먹 마시 자 "
    "일어나 놀 살 죽 사 파 입 벗 신 타 내 들 나 나오 나가 들어가 들어오 올리 내려가 올라가 걷 뛰 달리 앉 서 눕 "
    "만드 고치 바꾸 바뀌 지우 비우 채우 모으 나누 더하 곱하 맞추 맞 틀리 지키 어기 미루 늦 빠르 느리 쉽 어렵 "
    "춥 덥 뜨겁 차갑 밝 어둡 가볍 무겁 새롭 예쁘 아름답 귀엽 무섭 슬프 기쁘 아프 바쁘 배고프 싸 비싸 가깝 멀 "
    "배우 익히 외우 잊 기르 키우 심 뽑 고르 부르 누르 모르 오르 흐르 바르 치 차 끼 걸 걸리 잡히 열리 닫히 "
    "걷히 쌓이 모이 보이 들리 놓 두 남 남기 떠나 돌아오 다녀오 지내 지나 생기 없애 줄이 늘리 줄 늘 높이 낮추 "
    "뜨 지 피 맡기 빌리 갚 얻 잃 이기 묻 답하 울 웃 느끼 믿 돕 싸우 끝나 끝내 이루 막 잠그 씻 닦 말리 굽 끓이 볶 "
    "튀기 썰 자르 붙 붙이 떼 그리 적히 쓰이 짓 세우 부수 던지 밀 당기 꺼내 담 싣 옮기 아끼 다치".split()
)
"""Stems of native verbs and adjectives; a noun of the same form weighs as little."""

COUNTERS = (
    "가지 개 명 번째 권 편 줄 문장 단어 마리 시간 시 달 살 장 곳 사람 단계 문단 단락 배 잔 송이 그루 통 "
    "자리 글자 페이지 쪽 항목 종류 주 대 그릇 병 켤레 벌 채 건 차례"
).split()
NUMERALS: Mapping[str, str] = dict(
    zip(
        "한 두 세 네 다섯 여섯 일곱 여덟 아홉 열".split(),
        "1 2 3 4 5 6 7 8 9 10".split(),
        strict=True,
    )
)
"""Native numerals, which are numbers before a counter: 세 가지."""

SEPARATE_QUESTIONS: Mapping[str, int] = {"?언제": 1, "?어디": 2, "?누구": 4, "?왜": 8}
"""Questions that no instruction means by one another, as bits."""

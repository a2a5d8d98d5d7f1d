"""Which stages of curation run, and the knobs of each."""

from pydantic import Field

from pipeline.curation.contamination.contamination import ContaminationConfig
from pipeline.curation.judging.config import JudgeConfig
from pipeline.curation.language import LanguageConfig
from pipeline.curation.near_duplicates.near_duplicates import NearDuplicatesConfig
from pipeline.curation.novelty.novelty import NoveltyConfig
from pipeline.curation.rules.catalogue import RulesConfig
from pipeline.curation.validation import ValidationConfig
from schemas.frozen import Frozen
from schemas.records import STAGES, Stage


class CurationConfig(Frozen):
    """Which stages run, and the knobs of each."""

    stage: tuple[Stage, ...] = Field(default=STAGES)
    """Stages to run. Their order is fixed, and ``schema`` always runs, because only its records
    can be judged by the others."""
    validation: ValidationConfig = ValidationConfig()
    language: LanguageConfig = LanguageConfig()
    rules: RulesConfig = RulesConfig()
    novelty: NoveltyConfig = NoveltyConfig()
    near_duplicates: NearDuplicatesConfig = NearDuplicatesConfig()
    contamination: ContaminationConfig = ContaminationConfig()
    judge: JudgeConfig = JudgeConfig()

"""KoAlpaca v1.1: a question that people asked and its accepted answer become one record.

The procedure is the original's (github.com/Beomi/KoAlpaca, v1.1): title, body and accepted answer
of one document a prompt, and the teacher writes the record. Ours are the user's own file of
documents, an English prompt beside the Korean one, source and licence in every record, and that
answers too close to the source are marked. The accepted answer is knowledge for the teacher and no
text to be copied: most licences of such sites allow facts to be told anew, not passages to be
passed on as the model's own words.
"""

from collections.abc import Sequence
from random import Random

from pipeline.generation.documents import Document
from pipeline.generation.sampling import Draw
from pipeline.generation.strategies.koalpaca.document_prompts import ask_about, begin_conversation
from pipeline.generation.strategies.reading.drafting import make_drafts
from pipeline.generation.strategies.reading.loose_json import find_records
from pipeline.generation.strategies.reading.near_copy import is_near_copy
from pipeline.generation.strategies.strategy import Materials, Strategy, Waves
from pipeline.generation.strategies.structured import RECORD_SCHEMA
from schemas.exchange import Decoding, Prompt
from schemas.records import Draft, InstructionRecord


class DocumentSampler:
    """Draws the documents of its language in random order, each once a run."""

    def __init__(self, materials: Materials) -> None:
        self._left = [
            document for document in materials.documents if document.language == materials.language
        ]

    def draw(self, rng: Random, decoding: Decoding) -> Draw | None:
        if not self._left:
            return None
        document = self._left.pop(rng.randrange(len(self._left)))
        return Draw(
            document.language,
            "unspecified",
            (),
            decoding,
            rng.getrandbits(31),
            document=document,
        )

    def fold(self, draw: Draw, admitted: Sequence[InstructionRecord]) -> None:
        """Do nothing: a document is not tried twice, whatever became of its record."""


def build(draw: Draw) -> Prompt:
    """Show one document turned into a record, then the one that is meant."""
    return Prompt(
        messages=(
            *begin_conversation(draw.language),
            ask_about(_document_of(draw)),
        ),
        decoding=draw.decoding,
        strategy="koalpaca_documents",
        language=draw.language,
        task_type=draw.task_type,
        response_schema=RECORD_SCHEMA,
        sample_index=draw.sample_index,
    )


def parse(draw: Draw, waves: Waves) -> list[Draft]:
    """Read the record, or all of them when the teacher wrote several; mark near-copies."""
    [[exchange]] = waves
    document = _document_of(draw)
    drafts = make_drafts(
        find_records(exchange.completion.text), exchange.completion, exchange.prompt
    )
    return [_trace(draft, document) for draft in drafts]


def _trace(draft: Draft, document: Document) -> Draft:
    """Add source, licence and, unless there is another defect, whether it copies the source."""
    origin = draft.provenance.model_copy(
        update={"derived_from": document.id, "source_licence": document.licence}
    )
    defect = draft.defect
    source = f"{document.body}\n\n{document.answer}"
    if defect is None and is_near_copy(draft.output, source, document.language):
        defect = "copies-source"
    return draft.model_copy(update={"provenance": origin, "defect": defect})


def _document_of(draw: Draw) -> Document:
    if draw.document is None:
        raise ValueError("a draw of koalpaca_documents holds a document")
    return draw.document


STRATEGY = Strategy(
    records_asked=1,
    decoding=Decoding(temperature=0.7, top_p=0.95, max_tokens=800),
    make_sampler=DocumentSampler,
    build=build,
    parse=parse,
    # Rules, example and the longest document are some 5,000 tokens of Korean.
    most_examples=7,
)

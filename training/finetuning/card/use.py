"""How to serve, load and ask a tuned student, for each method as it has to be."""

from schemas.templates import INSTRUCTION
from training.finetuning.card.page import Page

_LOAD_MODEL = """from pathlib import Path

from training.loading import load_model

model, tokenizer = load_model(Path("outputs/models/{reference}"))"""

_FULL = """from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "outputs/models/{reference}"
model = AutoModelForCausalLM.from_pretrained(folder)
tokenizer = AutoTokenizer.from_pretrained(folder)"""

_ADAPTER = """from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "outputs/models/{reference}"
base = AutoModelForCausalLM.from_pretrained("{base}", dtype="float32")
model = PeftModel.from_pretrained(base, folder){merge}
tokenizer = AutoTokenizer.from_pretrained(folder)"""

_QLORA = """import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

folder = "outputs/models/{reference}"
four_bits = BitsAndBytesConfig(
    load_in_4bit=True,
    bnb_4bit_quant_type="nf4",
    bnb_4bit_use_double_quant=True,
    bnb_4bit_compute_dtype=torch.float32,
)
base = AutoModelForCausalLM.from_pretrained(
    "{base}", dtype="float32", quantization_config=four_bits
)
model = PeftModel.from_pretrained(base.dequantize(), folder).merge_and_unload()
tokenizer = AutoTokenizer.from_pretrained(folder)"""

_ASK = """messages = [{{"role": "user", "content": "{question}"}}]
prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt")
answer = model.generate(**prompt, max_new_tokens=200)
print(tokenizer.decode(answer[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True))"""


def write_use(page: Page) -> str:
    """Show how to serve it, how to load it, and in which form to ask."""
    return page.section(
        "Use",
        "쓰는 법",
        _serve(page),
        _explain_loading(page),
        _show_libraries(page),
        _ask(page),
    )


def _serve(page: Page) -> str:
    if page.manifest.method == "prompt_tuning":
        return page.say(
            "It can be evaluated and loaded, but neither merged nor served: no checkpoint of a "
            "plain architecture can hold trained embeddings before every prompt.",
            "평가하거나 불러올 수는 있지만 병합하거나 서버로 띄울 수는 없습니다. 프롬프트마다 앞에 "
            "놓이는 임베딩을 담을 수 있는 일반 체크포인트 형식이 없기 때문입니다.",
        )
    said = page.say(
        "As an OpenAI-compatible endpoint on this machine:",
        "이 컴퓨터에서 OpenAI 호환 엔드포인트로 띄우기:",
    )
    return f"{said}\n\n```sh\n./pacaloom serve {page.reference}\n```"


def _explain_loading(page: Page) -> str:
    if page.manifest.method == "full":
        return page.say(
            "The folder is a complete checkpoint, which transformers loads as it is:",
            "이 폴더는 온전한 체크포인트이므로 transformers로 바로 불러옵니다:",
        )
    what = {
        "prompt_tuning": (
            "The folder holds the embeddings of virtual tokens, which need the very base that they "
            "were trained on and cannot be folded into it.",
            "이 폴더에는 가상 토큰의 임베딩만 들어 있습니다. 학습에 쓴 바로 그 원본이 필요하며 "
            "원본에 합칠 수는 없습니다.",
        ),
        "qlora": (
            "The folder holds an adapter for the base as 4 bits round it: put onto the unrounded "
            "weights it would be a slightly different model.",
            "이 폴더에는 4비트로 반올림한 원본에 맞춘 어댑터가 들어 있습니다. 반올림하지 않은 "
            "가중치에 얹으면 조금 다른 모델이 됩니다.",
        ),
    }.get(
        page.manifest.method,
        (
            "The folder holds an adapter, which needs the very base that it was trained on.",
            "이 폴더에는 어댑터가 들어 있으며 학습에 쓴 바로 그 원본이 필요합니다.",
        ),
    )
    load = _LOAD_MODEL.format(reference=page.reference)
    return (
        page.say(
            f"{what[0]} From the folder of this project, which checks the base's sha256:",
            f"{what[1]} 이 프로젝트의 폴더에서는 다음과 같이 불러오며, 원본의 sha256을 확인합니다:",
        )
        + f"\n\n```python\n{load}\n```"
    )


def _show_libraries(page: Page) -> str:
    """Show the way without this project."""
    method = page.manifest.method
    template = {"full": _FULL, "qlora": _QLORA}.get(method, _ADAPTER)
    base = page.base.hub_id or f"PATH/TO/{page.base.label}"
    merge = "" if method == "prompt_tuning" else ".merge_and_unload()"
    block = (
        "```python\n" + template.format(reference=page.reference, base=base, merge=merge) + "\n```"
    )
    if method == "full":
        return block
    return (
        page.say("With transformers and peft alone:", "transformers와 peft만 쓸 때:")
        + f"\n\n{block}"
    )


def _ask(page: Page) -> str:
    """Show the form of a question; asked in another one, a tuned student can be worse."""
    question = page.say("Which city is the capital of Korea?", "대한민국의 수도는 어디야?")
    asking = f"```python\n{_ASK.format(question=question)}\n```"
    if page.manifest.recipe.get("template") == "chat":
        return (
            page.say(
                "Ask in the base's own chat template, in which it was trained:",
                "학습에 쓴 원본 고유의 대화 템플릿으로 물어보세요:",
            )
            + f"\n\n{asking}"
        )
    forms = "\n\n".join(
        f"{page.language_name(language)}:\n\n```text\n"
        f"{INSTRUCTION.render_prompt('{instruction}', '{input}', language)}\n```"
        for language in ("en", "ko")
    )
    return (
        page.say(
            "Ask in the form in which it was trained; in another it can do worse than its base. "
            "The tokenizer's chat template writes it:",
            "학습한 형식 그대로 물어보세요. 다른 형식으로 물으면 원본보다 못할 수 있습니다. "
            "토크나이저의 대화 템플릿이 이 형식을 만들어 줍니다:",
        )
        + f"\n\n{asking}\n\n"
        + page.say(
            "Written out, without `### Input:` or `### 맥락:` where there is none:",
            "풀어 쓰면 아래와 같고, 입력이 없으면 `### Input:`이나 `### 맥락:` 부분을 뺍니다:",
        )
        + f"\n\n{forms}"
    )

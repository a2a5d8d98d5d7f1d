"""The instruction form as a chat template, for servers that know nothing but chats.

A student that was tuned with Alpaca's and KoAlpaca's forms has to be asked in them. Written into
its tokenizer and its GGUF file, this Jinja text makes transformers, vLLM and llama.cpp do so: the
last user message is the instruction, in the Korean form when it contains Hangul. Earlier turns are
whole records, each closed by the stop token, whose answers lose the white space at their ends,
because a server returns the separator as part of the answer; a system message stands before the
first instruction.

It runs in jinja2's sandbox and in llama.cpp's engine, which has no comparison of strings and counts
bytes; so Hangul is looked for among JSON escapes, which both write alike.
"""

import json

from schemas.records import Language

_HANGUL = (
    *(f"\\ua{digit}" for digit in "cdef"),
    "\\ub",
    "\\uc",
    *(f"\\ud{digit}" for digit in range(8)),
    "\\u11",
    *(f"\\u31{digit}" for digit in range(3, 9)),
)
"""How escapes of Hangul begin: syllables U+AC00 to U+D7A3, jamo U+1100 to U+11FF, and the
compatibility jamo U+3130 to U+318F. The backslash in a text of its own is taken out before."""

_TEXT = """\
{%- set turn = namespace(system="", korean=false) -%}
{{- START -}}
{%- for message in messages -%}
{%- if message["role"] == "system" -%}
{%- set turn.system = message["content"] + "\\n\\n" -%}
{%- elif message["role"] == "user" -%}
{%- set escaped = message["content"] | replace("\\\\", "") | tojson(ensure_ascii=true) -%}
{%- set turn.korean = false -%}
{%- for mark in HANGUL -%}
{%- if mark in escaped -%}{%- set turn.korean = true -%}{%- endif -%}
{%- endfor -%}
{{- (KO_HEAD if turn.korean else EN_HEAD) + turn.system + message["content"] -}}
{%- set turn.system = "" -%}
{%- elif message["role"] == "assistant" -%}
{{- KO_TAIL + KO_JOINT if turn.korean else EN_TAIL + EN_JOINT -}}
{{- message["content"] | trim -}}{{- STOP -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- KO_TAIL if turn.korean else EN_TAIL -}}{%- endif -%}
"""


def write_chat_template(
    prompts: dict[Language, str], joints: dict[Language, str], start: str, stop: str
) -> str:
    """Write the Jinja text.

    Args:
        prompts: By language, with ``{instruction}`` where it stands.
        joints: What stands between prompt and answer.
        start: Text of the token before everything.
        stop: Text of the token after an answer.
    """
    names: dict[str, object] = {"HANGUL": _HANGUL, "START": start, "STOP": stop}
    for language, prompt in prompts.items():
        head, _, tail = prompt.partition("{instruction}")
        for name, text in (("HEAD", head), ("TAIL", tail), ("JOINT", joints[language])):
            names[f"{language.upper()}_{name}"] = text
    # JSON's strings and lists are Jinja's too.
    settings = (
        f"{{%- set {name} = {json.dumps(value, ensure_ascii=False)} -%}}\n"
        for name, value in sorted(names.items())
    )
    return "".join(settings) + _TEXT

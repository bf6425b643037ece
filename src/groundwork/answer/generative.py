"""Answers from a causal language model in this process, with or without its adapter.

In: `base/` and `adapter/` of a release or of `artifacts/`. Out: drafts. The base is held in 4-bit
NF4 exactly as it was trained; the adapter is never merged, which would shift the logits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from groundwork.answer.config import GenerativeConfig
from groundwork.answer.copying import Choices, Copier
from groundwork.answer.draft import Draft
from groundwork.answer.extracts import extracts
from groundwork.answer.prompt import Shown, completion, copied_fraction, fit, parse, show, user_turn
from groundwork.answer.retrieval import Retrieval
from groundwork.base import BaseInfo, load_base, older_names
from groundwork.config import DomainConfig
from groundwork.errors import ArtifactError
from groundwork.records import Retrieved

ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")


@dataclass(frozen=True, slots=True)
class Generation:
    """What the model said."""

    text: str
    logprob: float
    """Mean log-probability of its tokens, the end token included."""
    tokens: int


class Generative:
    """A language model behind the `Answerer` protocol: greedy, so the same words each time."""

    def __init__(
        self,
        name: str,
        *,
        model: Any,
        tokenizer: Any,
        info: BaseInfo,
        config: GenerativeConfig,
        domain: DomainConfig,
        retrieval: Retrieval,
    ) -> None:
        self.name = name
        self._model = model
        self._tokenizer = tokenizer
        self._config = config
        self._domain = domain
        self._retrieval = retrieval
        self._extracts = info.extracts
        self._room_tokens = info.max_length - config.max_new_tokens

    @classmethod
    def load(
        cls,
        name: str,
        base_dir: Path,
        adapter_dir: Path | None,
        *,
        config: GenerativeConfig,
        domain: DomainConfig,
        retrieval: Retrieval,
    ) -> "Generative":
        """Load the base model, and its adapter when there is one.

        Raises: `ArtifactError` on a wrong checksum or an adapter that does not fit the base.
        """
        model, tokenizer, info = load_base(base_dir)
        if adapter_dir is not None:
            model = _with_adapter(model, adapter_dir)
        return cls(
            name,
            model=model.eval(),
            tokenizer=tokenizer,
            info=info,
            config=config,
            domain=domain,
            retrieval=retrieval,
        )

    def draft(self, question: str, retrieved: Sequence[Retrieved]) -> Draft:
        """Draft one answer; signals are `mean_logprob`, `answer_tokens` and `copied_fraction`."""
        return self.draft_many([question], [retrieved])[0]

    def draft_many(
        self, questions: Sequence[str], retrieved: Sequence[Sequence[Retrieved]]
    ) -> list[Draft]:
        """Draft answers in batches, in the order given; batches hold prompts of like length."""
        shown = [self._fit(q, found) for q, found in zip(questions, retrieved, strict=True)]
        prompts = [self._ids(q, items) for q, items in zip(questions, shown, strict=True)]
        order = sorted(range(len(prompts)), key=lambda i: (len(prompts[i]), i))
        drafts: dict[int, Draft] = {}
        size = self._config.batch_size
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            said = self._generate(
                [prompts[i] for i in rows], self._copiers([shown[i] for i in rows])
            )
            drafts |= {i: self._read(one, shown[i]) for i, one in zip(rows, said, strict=True)}
        return [drafts[i] for i in range(len(prompts))]

    def _fit(self, question: str, retrieved: Sequence[Retrieved]) -> list[Shown]:
        return fit(
            self._shown(question, retrieved),
            protected=0,
            room_tokens=self._room_tokens,
            count=lambda items: len(self._ids(question, items)),
        )

    def _shown(self, question: str, retrieved: Sequence[Retrieved]) -> list[Shown]:
        if not self._extracts:
            return [show(item.chunk) for item in retrieved]
        return extracts(
            self._retrieval.query(question),
            [self._retrieval.numbers[item.chunk.passage_id] for item in retrieved],
            self._retrieval.index,
            limit=self._extracts,
        )

    def _ids(self, question: str, shown: Sequence[Shown]) -> list[int]:
        turn = user_turn(question, shown, domain=self._domain)
        encoded = self._tokenizer.apply_chat_template(
            [{"role": "user", "content": turn}], add_generation_prompt=True, return_dict=True
        )
        return list(encoded["input_ids"])

    def _read(self, said: Generation, shown: Sequence[Shown]) -> Draft:
        chunks = [item.chunk for item in shown]
        draft = parse(said.text, chunks, refusal=self._domain.refusal)
        signals = {
            "mean_logprob": said.logprob,
            "answer_tokens": float(said.tokens),
            "copied_fraction": copied_fraction(said.text, chunks),
        }
        return replace(draft, signals=signals)

    def _copiers(self, shown: Sequence[Sequence[Shown]]) -> list[Copier] | None:
        """What holds each answer to the lines shown; None where it may use words of its own."""
        if self._config.decoding == "free":
            return None
        return [Copier(self._choices(items)) for items in shown]

    def _choices(self, shown: Sequence[Shown]) -> Choices:
        lines = [completion([(line, n)]) for n, item in enumerate(shown, 1) for line in item.lines]
        return Choices(
            firsts=[self._words(line) for line in lines],
            followers=[self._words(f" {line}") for line in lines],
            alone=self._words(self._domain.refusal),
            end=min(self._ends()),
            room=self._config.max_new_tokens,
        )

    def _words(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def _generate(
        self, prompts: Sequence[Sequence[int]], copiers: Sequence[Copier] | None
    ) -> list[Generation]:
        import torch

        pad = self._tokenizer.pad_token_id
        longest = max(len(prompt) for prompt in prompts)
        device = self._model.device
        ids_BT = torch.tensor([[pad] * (longest - len(p)) + list(p) for p in prompts])
        mask_BT = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts])
        with torch.inference_mode():
            out_BT, logprobs_BT = self._greedy(ids_BT.to(device), mask_BT.to(device), copiers)
        return [
            self._finish(ids, logprobs)
            for ids, logprobs in zip(out_BT.tolist(), logprobs_BT.tolist(), strict=True)
        ]

    def _greedy(
        self, ids_BT: Any, mask_BT: Any, copiers: Sequence[Copier] | None
    ) -> tuple[Any, Any]:
        """Tokens and their log-probabilities (B, T); rows go on with padding after their end.

        The log-probabilities are the model's own, also where only some tokens are allowed.
        """
        import torch

        ends = torch.tensor(sorted(self._ends()), device=ids_BT.device)
        alive_B = torch.ones(len(ids_BT), dtype=torch.bool, device=ids_BT.device)
        cache, tokens, logprobs = None, [], []
        step_BT, positions_BT = ids_BT, (mask_BT.cumsum(-1) - 1).clamp(min=0)
        for _ in range(self._config.max_new_tokens):
            out = self._model(
                input_ids=step_BT,
                attention_mask=mask_BT,
                position_ids=positions_BT,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
            cache = out.past_key_values
            logprob_BV = out.logits[:, -1].float().log_softmax(-1)
            token_B = _likeliest(logprob_BV, copiers)
            logprob_B = logprob_BV.gather(-1, token_B[:, None])[:, 0]
            token_B = torch.where(alive_B, token_B, self._tokenizer.pad_token_id)
            tokens.append(token_B)
            logprobs.append(torch.where(alive_B, logprob_B, 0.0))
            alive_B = alive_B & ~torch.isin(token_B, ends)
            if not alive_B.any():
                break
            step_BT, positions_BT = token_B[:, None], positions_BT[:, -1:] + 1
            mask_BT = torch.cat([mask_BT, torch.ones_like(mask_BT[:, :1])], dim=-1)
        return torch.stack(tokens, dim=-1), torch.stack(logprobs, dim=-1)

    def _ends(self) -> set[int]:
        named = self._model.generation_config.eos_token_id
        ends = set(named) if isinstance(named, list) else {named}
        return {int(end) for end in ends | {self._tokenizer.eos_token_id} if end is not None}

    def _finish(self, ids: Sequence[int], logprobs: Sequence[float]) -> Generation:
        ends = self._ends()
        length = next((i + 1 for i, token in enumerate(ids) if token in ends), len(ids))
        text = self._tokenizer.decode(ids[:length], skip_special_tokens=True)
        return Generation(text.strip(), sum(logprobs[:length]) / length, length)


def _likeliest(logprob_BV: Any, copiers: Sequence[Copier] | None) -> Any:
    """The likeliest token of each row that it may say; any after its end."""
    import torch

    if copiers is None:
        return logprob_BV.argmax(-1)
    tokens = []
    for logprob_V, copier in zip(logprob_BV, copiers, strict=True):
        allowed = copier.allowed() or [0]
        token = allowed[int(logprob_V[allowed].argmax())]
        copier.take(token)
        tokens.append(token)
    return torch.tensor(tokens, device=logprob_BV.device)


def _with_adapter(model: Any, adapter_dir: Path) -> Any:
    from peft import PeftModel
    from safetensors import SafetensorError

    way_out = "run `dvc checkout`, or `dvc repro --force --single-item train`"
    for name in ADAPTER_FILES:
        if not (adapter_dir / name).exists():
            raise ArtifactError(f"{adapter_dir / name}: no such file; {way_out}")
    try:
        with older_names():
            return PeftModel.from_pretrained(model, str(adapter_dir), is_trainable=False)
    except (SafetensorError, ValueError, RuntimeError, KeyError, TypeError) as error:
        line = next(iter(str(error).splitlines()), type(error).__name__)
        raise ArtifactError(
            f"{adapter_dir}: does not fit the base model ({line}); {way_out}"
        ) from error

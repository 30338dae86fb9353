from __future__ import annotations

import datasets
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast
from trl import SFTConfig, SFTTrainer

from curves import curves, only_run

WORDS = "<pad> <eos> a b c d e f".split()


def trainer() -> SFTTrainer:
    words = Tokenizer(models.WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="a"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", eos_token="<eos>")
    model = GPT2LMHeadModel(GPT2Config(vocab_size=8, n_positions=16, n_embd=8, n_layer=1, n_head=1))
    args = SFTConfig(
        "out",
        max_steps=4,
        logging_steps=1,
        per_device_train_batch_size=2,
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        bf16=False,
        max_length=16,
        disable_tqdm=True,
        gradient_checkpointing=False,
    )
    data = datasets.Dataset.from_list([{"text": "a b c d e f"}] * 8)
    return SFTTrainer(model, args, train_dataset=data, processing_class=tokenizer)


def test_fine_tuning_is_logged_as_in_its_log_history(autolog: None) -> None:
    made = trainer()
    made.train()
    logged = curves(only_run())
    steps = [entry for entry in made.state.log_history if "loss" in entry]
    for key in ("loss", "learning_rate", "grad_norm", "mean_token_accuracy", "num_tokens"):
        assert logged[f"train/{key}"] == {entry["step"]: entry[key] for entry in steps}
    assert only_run().config["max_length"] == 16

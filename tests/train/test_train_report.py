"""The page of a training: what was logged is drawn, and nothing is fetched for it."""

import re
from html.parser import HTMLParser

import pytest

from groundwork.train import Trained, render_training
from groundwork.train.report import draw_curves

TRAINED = Trained(
    title="plants <&>", model="embedded", pairs=1200, trainable=2048, notes=("a <note>",)
)
HISTORY = [
    {"step": 0, "perplexity": 196.78},
    {"step": 2, "loss": 4.0, "learning_rate": 1e-3, "grad_norm": 1.5},
    {"step": 4, "loss": 2.0, "learning_rate": 5e-4, "grad_norm": 0.5, "eval_loss": 3.0,
     "perplexity": 20.0},
]  # fmt: skip
SPEED = [{"step": 4, "tokens_per_s": 900.0, "peak_memory_mb": 700.0}]


@pytest.fixture(scope="module")
def text() -> str:
    """The whole page."""
    return render_training(TRAINED, HISTORY, SPEED)


def test_page_draws_what_was_logged(text: str) -> None:
    """A section for each figure, numbers in large, notes at the end."""
    titles = re.findall(r"<h2>(.*?)</h2>", text)
    assert titles == [
        "Loss", "Gradient norm", "Learning rate", "Tokens per second", "Memory", "Notes",
    ]  # fmt: skip
    for figure in ("2,048", "2.000", "196.8", "20.0", "1,200 pairs, 4 steps"):
        assert figure in text


def test_names_are_text_not_markup(text: str) -> None:
    """Titles and notes may hold anything."""
    assert "plants &lt;&amp;&gt;" in text
    assert "a &lt;note&gt;" in text


def test_page_needs_nothing_else(text: str) -> None:
    """No address is loaded, and the markup closes what it opens."""
    assert re.findall(r'(?:src|href)="(?!data:)', text) == []
    assert "url(" not in text
    HTMLParser().feed(text)
    assert text.count("<section>") == text.count("</section>") == 6


def test_curve_is_scaled_to_its_largest_value() -> None:
    """Loss 4 at step 2 of 4 is half way across at the top; 2 at the end is half way up."""
    drawn = draw_curves(HISTORY, ("loss", "eval_loss"))
    assert 'points="230.0,0.0 460.0,95.0"' in drawn
    assert drawn.count("<polyline") == 2
    assert "loss, eval_loss: 0 to 4 over 4 steps" in drawn


def test_what_was_not_logged_is_left_out() -> None:
    """No empty axes; a training without validation pairs has no perplexity."""
    assert draw_curves(HISTORY, ("tokens_per_s",)) == ""
    text = render_training(TRAINED, [{"step": 2, "loss": 4.0}], [])
    assert re.findall(r"<h2>(.*?)</h2>", text) == ["Loss", "Notes"]
    assert "perplexity" not in text

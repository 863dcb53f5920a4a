from __future__ import annotations

from tracetui.model.rows import Category, FeedbackKey
from tracetui.tui.scoring import CAUSE, Verdict, letters, scale, strokes, verdict

CORRECT = FeedbackKey(key="correct", type="boolean")
HELPFUL = FeedbackKey(key="helpful", type="rating", min=1, max=5)
FRUSTRATED = FeedbackKey(key="frustrated", type="boolean", lower_is_better=True)
GROUNDED = FeedbackKey(key="grounded", type="continuous", min=0, max=1)
TONE = FeedbackKey(key="tone", type="categorical", categories=(Category("cold", 0), Category("warm", 1)))
NOTE = FeedbackKey(key="note", type="freeform")


def test_what_a_key_means_depends_on_the_type():
    assert verdict("correct", CORRECT, "y") == Verdict(CORRECT, 1)
    assert verdict("correct", CORRECT, "n") == Verdict(CORRECT, 0)
    assert verdict("helpful", HELPFUL, "4") == Verdict(HELPFUL, 4)
    assert verdict("correct", CORRECT, "4") == "correct is yes/no"
    assert verdict("helpful", HELPFUL, "y") == "helpful is 1-5"
    assert verdict("tone", TONE, "1") == "tone is 2 labels"
    assert verdict(None, None, "1") == "no key yet"


def test_best_and_worst_follow_the_direction():
    assert verdict("frustrated", FRUSTRATED, "+") == Verdict(FRUSTRATED, 0)
    assert verdict("helpful", HELPFUL, "-") == Verdict(HELPFUL, 1)
    assert verdict("tone", TONE, "+") == Verdict(TONE, 1, "warm")
    assert verdict("cause", CAUSE, "+") == "cause has no best value"
    assert verdict("note", NOTE, "+") == "note has no best value"


def test_a_rating_refuses_what_is_outside_its_bounds():
    short = FeedbackKey(key="short", type="rating", min=1, max=3)
    assert verdict("short", short, "4") == "short is 1-3"
    assert strokes(short) == "1-3"


def test_a_key_of_no_type_takes_it_from_its_first_score():
    made = verdict("correct", None, "y")
    assert isinstance(made, Verdict) and made.key.type == "boolean" and made.score == 1 and not made.known
    made = verdict("stars", None, "3")
    assert isinstance(made, Verdict) and (made.key.type, made.key.min, made.key.max) == ("rating", 1, 5)
    assert verdict("stars", None, "+") == "stars has no type yet"


def test_words_and_scales():
    assert Verdict(HELPFUL, 2).words == "helpful 2"
    assert Verdict(CAUSE, value="harness").words == "cause harness"
    assert [scale(key) for key in (CORRECT, HELPFUL, GROUNDED, TONE, NOTE)] == [
        "yes/no",
        "1-5",
        "0-1",
        "2 labels",
        "text",
    ]


def test_letters_are_unique_and_follow_wishes():
    given = letters([("helpful", None), ("harness", "h"), ("host", None)])
    assert given == {"h": "harness", "e": "helpful", "o": "host"}
    many = letters((f"key{n}", None) for n in range(80))
    assert len(many) == len(set(many.values())) == 52

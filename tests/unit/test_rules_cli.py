"""tracetui rules, evaluate: what they print and how they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rule_views import make_store, rule_text

from tracetui.cli.main import run

ANGRY = rule_text(where="kind:llm", name="angry", key="angry", type="regex", text="input", pattern="wtf")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return make_store(tmp_path / "s.db", 10)


def test_init_writes_rules_once_and_switches_them_on(store, capsys):
    assert run(["rules", str(store), "init"]) == 0
    file = store.parent / "rules.toml"
    text = file.read_text()
    assert "[[rule]]" in text
    assert run(["rules", str(store), "init"]) == 2
    assert "rules.toml exists" in capsys.readouterr().err
    assert file.read_text() == text
    assert run(["rules", str(store), "list", "--json"]) == 0
    rules = json.loads(capsys.readouterr().out)
    assert {rule["state"] for rule in rules} == {"on"}
    assert all(rule["means"] and rule["do"] for rule in rules)


def test_test_shows_hits_and_writes_nothing(store, capsys):
    (store.parent / "rules.toml").write_text(ANGRY)
    before = store.read_bytes()
    assert run(["rules", str(store), "test", "--samples", "2", "--json"]) == 0
    [trial] = json.loads(capsys.readouterr().out)
    assert (trial["judged"], trial["hits"], trial["new"]) == (30, 5, None)
    assert [sample["match"] for sample in trial["samples"]] == ["wtf", "wtf"]
    assert store.read_bytes() == before
    assert run(["evaluate", str(store)]) == 0
    capsys.readouterr()
    (store.parent / "rules.toml").write_text(ANGRY.replace("'''wtf'''", "'''wtf [0-4]|hello 9 2'''"))
    assert run(["rules", str(store), "test", "--json"]) == 0
    [trial] = json.loads(capsys.readouterr().out)
    assert (trial["hits"], trial["new"], trial["lost"]) == (4, 1, 2)
    assert run(["rules", str(store), "test"]) == 0
    assert "1 new against the store, 2 lost" in capsys.readouterr().out


def test_evaluate_prints_what_rules_came_to(store, capsys):
    (store.parent / "rules.toml").write_text(ANGRY)
    assert run(["evaluate", str(store), "--fail-on", "angry>0.2", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["rules"][0] | {"judged": 30, "hits": 5, "score_sum": 5.0, "failed": 0} == result["rules"][0]
    assert result["conditions"] == [{"condition": "angry>0.2", "value": 5 / 30, "holds": False}]
    assert run(["evaluate", str(store), "--fail-on", "angry>0.1"]) == 4
    assert "so it holds" in capsys.readouterr().err
    assert run(["evaluate", str(store), "--where", "trace:t0", "--fail-on", "angry>=1"]) == 0


def test_switches_and_names(store, capsys):
    (store.parent / "rules.toml").write_text(ANGRY)
    assert run(["rules", str(store), "sync"]) == 0
    assert run(["rules", str(store), "disable", "angry"]) == 0
    assert run(["evaluate", str(store)]) == 2
    assert "switched off" in capsys.readouterr().err
    assert run(["evaluate", str(store), "--rule", "angry"]) == 0
    assert run(["rules", str(store), "enable", "angyr"]) == 2
    assert "Did you mean angry?" in capsys.readouterr().err
    assert run(["rules", str(store), "enable", "angry"]) == 0
    assert run(["rules", str(store), "show", "angry"]) == 0
    shown = capsys.readouterr().out
    assert "wtf" in shown
    assert "judged 30" in shown


@pytest.mark.parametrize("line", [["rules", "STORE", "sync"], ["rules", "STORE", "test"], ["evaluate", "STORE"]])
def test_a_broken_file_is_named_with_its_line(store, capsys, line):
    (store.parent / "rules.toml").write_text(ANGRY + "nonsense = 1\n")
    assert run([str(store) if word == "STORE" else word for word in line]) == 2
    assert "rules.toml, line 11: there is no option nonsense" in capsys.readouterr().err


def test_another_file_and_a_missing_one(store, tmp_path, capsys):
    other = tmp_path / "team.toml"
    assert run(["evaluate", str(store), "--rules", str(other)]) == 2
    assert "team.toml does not exist" in capsys.readouterr().err
    assert run(["evaluate", str(store)]) == 2
    assert "no rules" in capsys.readouterr().err
    other.write_text(ANGRY)
    assert run(["evaluate", str(store), "--rules", str(other)]) == 0
    assert run(["evaluate", str(store)]) == 0, "without a file the store's rules are run"


def test_the_reference_names_every_option_and_type(store, capsys):
    from tracetui.evaluate.evaluators import TYPES

    assert run(["rules", str(store), "show", "types"]) == 0
    text = capsys.readouterr().out
    assert all(f'"{name}"' in text for name in TYPES)
    assert all(option.name in text for kind in TYPES.values() for option in kind.options)


def test_no_verb_makes_a_store(tmp_path, capsys):
    missing = tmp_path / "none.db"
    for line in (["rules", str(missing), "init"], ["rules", str(missing), "list"], ["evaluate", str(missing)]):
        assert run(line) == 3
        assert "does not exist" in capsys.readouterr().err
    assert not missing.exists()
    assert not (tmp_path / "rules.toml").exists()

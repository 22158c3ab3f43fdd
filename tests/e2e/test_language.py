"""The verbs that help with writing: init, fmt, explain, schema, completion, man; each held against a tool that is not ours."""
import json
import pathlib
import re
import subprocess

import jsonschema
import pytest
import yaml
from platform_under_test import BAD_FILE, BINARY, CHANGES, DONE, FAILED, REFUSED, ROOT, USAGE

# Said of a key, rather than of a value whose meaning only the program knows.
KEY_IS_WRONG = re.compile(r"error: unknown key|error: '\w+' in (the file|a route|service '\w+'|gateway) is known")
GOLDEN = ROOT / "tests/golden/file"


def test_init_writes_what_runs_at_once(platform):
    done = platform.run("init", expect=DONE)
    assert "freehold.yaml" in done.out and "public/index.html" in done.out
    file = platform.home / "freehold.yaml"
    file.write_text(file.read_text().replace("127.0.0.1:8080", f"127.0.0.1:{platform.port}"))
    assert platform.run("fmt", "--diff", expect=DONE).out == "", "what init writes is laid out"
    platform.up()
    assert b"It works" in platform.get("/").body


def test_init_overwrites_nothing(platform):
    platform.write("freehold.yaml", "mine")
    assert "is there already" in platform.run("init", expect=REFUSED).err
    assert (platform.home / "freehold.yaml").read_text() == "mine"
    (platform.home / "public").mkdir()
    platform.run("init", "other.yaml", expect=DONE)
    assert list((platform.home / "public").iterdir()) == []


@pytest.mark.parametrize("folder,name", [("Town Hall", "town-hall"), ("2nd", "nd"), ("__", "coop"), ("a" * 60, "a" * 39)])
def test_init_names_the_organisation_after_its_folder(platform, folder, name):
    (platform.home / folder).mkdir()
    assert platform.run("init", f"{folder}/freehold.yaml", "-o", "json", expect=DONE).json()["name"] == name


MESSY = "freehold:   1   # one\nname: coop\nservices:\n    web:\n        run:   sleep 1\n        env: { A: b }\ninclude:\n- more.yaml\n"
NEAT = "freehold: 1   # one\nname: coop\nservices:\n  web:\n    run: sleep 1\n    env: {A: b}\ninclude:\n  - more.yaml\n"


def test_fmt_lays_out_the_file_and_its_includes(platform):
    file = platform.write("freehold.yaml", MESSY, mode=0o640)
    more = platform.write("more.yaml", "services:\n      job:\n            run: sleep 2\n")
    shown = platform.run("fmt", "--diff", expect=CHANGES)
    assert file.read_text() == MESSY, "--diff writes nothing"
    platform.run("fmt", expect=DONE)
    assert file.read_text() == NEAT and more.read_text() == "services:\n  job:\n    run: sleep 2\n"
    assert file.stat().st_mode & 0o777 == 0o640
    assert platform.run("fmt", "--diff", expect=DONE).out == ""
    # What was shown is a patch, to those whose hands know patches.
    file.write_text(MESSY)
    more.write_text("services:\n      job:\n            run: sleep 2\n")
    subprocess.run(["patch", "-p0"], cwd=platform.home, input=shown.out, text=True, check=True, stdout=subprocess.DEVNULL)
    assert file.read_text() == NEAT


def test_fmt_follows_a_symlink_and_leaves_it_one(platform):
    real = platform.write("elsewhere/real.yaml", "freehold:   1\nname: coop\n")
    (platform.home / "freehold.yaml").symlink_to("elsewhere/real.yaml")
    platform.run("fmt", expect=DONE)
    assert (platform.home / "freehold.yaml").is_symlink() and real.read_text() == "freehold: 1\nname: coop\n"


def test_fmt_leaves_what_it_cannot_read_as_it_is(platform):
    file = platform.write("freehold.yaml", "a: [\n")
    assert "freehold.yaml:2:1: error" in platform.run("fmt", expect=BAD_FILE).err
    assert file.read_text() == "a: [\n"


def test_explain_knows_every_key_and_the_near_one(platform):
    assert "15s" in platform.run("explain", "services.web.health.every", expect=DONE).out
    assert "did you mean 'replicas'" in platform.run("explain", "replica", expect=FAILED).err
    for section in platform.run("explain", "-o", "json", expect=DONE).json()[0]["keys"]:
        platform.run("explain", section["path"], expect=DONE)


def test_the_schema_takes_and_refuses_what_the_program_does(platform):
    schema = platform.run("schema", expect=DONE).json()
    validator = jsonschema.Draft7Validator(schema)
    jsonschema.Draft7Validator.check_schema(schema)
    taken = refused = 0
    for case in sorted(GOLDEN.glob("*.yaml")):
        said = case.with_suffix(".txt").read_text()
        try:
            tree = yaml.safe_load(case.read_text())
        except (yaml.YAMLError, UnicodeDecodeError):
            continue
        errors = [error.message for error in validator.iter_errors(tree)]
        if "error:" not in said:
            assert errors == [], f"{case.name}: {errors}"
            taken += 1
        elif KEY_IS_WRONG.search(said):
            assert errors, f"{case.name} is refused by the program only"
            refused += 1
    assert taken >= 8 and refused >= 10, (taken, refused)


def complete(shell, words):
    """What the shell offers for the last of `words`."""
    environment = {"PATH": f"{BINARY.parent}:/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8"}
    if shell == "bash":
        script = ('source <(freehold completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _freehold; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        command = ["bash", "--norc", "-c", script, "-", *words]
    else:
        command = ["fish", "--no-config", "-c", f"freehold completion fish | source; complete -C '{' '.join(words)}'"]
    done = subprocess.run(command, env=environment, cwd=ROOT / "examples/quickstart", stdout=subprocess.PIPE, text=True, check=True)
    return {line.split("\t")[0] for line in done.stdout.splitlines()}


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_shells_complete_verbs_options_and_services(shell):
    assert complete(shell, ["freehold", "ro"]) == {"rollback"}
    assert "--detailed-exitcode" in complete(shell, ["freehold", "plan", "--d"])
    assert {"hello", "notes", "chat"} <= complete(shell, ["freehold", "logs", ""])
    assert complete(shell, ["freehold", "status", "-o", "j"]) == {"json"}


def test_zsh_reads_its_completion(platform):
    script = platform.run("completion", "zsh", expect=DONE).out
    subprocess.run(["zsh", "-n"], input=script, text=True, check=True)
    assert script.startswith("#compdef freehold\n") and "'rollback:" in script
    assert "bash, zsh and fish" in platform.run("completion", "tcsh", expect=USAGE).err


def test_the_manual_page_is_clean_and_has_every_verb(platform):
    page = platform.run("man", expect=DONE).out
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning"], input=page, text=True, stdout=subprocess.PIPE)
    assert lint.returncode == 0, lint.stdout
    text = subprocess.run(["mandoc", "-T", "ascii"], input=page, text=True, stdout=subprocess.PIPE, check=True).stdout
    plain = "".join(c for i, c in enumerate(text) if c != "\b" and text[i + 1:i + 2] != "\b")
    for verb in ("validate", "plan", "up", "down", "rollback", "explain", "freehold validate"):
        assert verb in plain, verb
    assert pathlib.Path(BINARY).name in plain


def test_help_names_what_options_take(platform):
    shown = platform.run("--help", expect=DONE).out
    assert "--output FORM" in shown and "ENUM" not in shown
    assert json.loads(platform.run("explain", "run", "-o", "json", expect=DONE).out)[0]["required"] is True

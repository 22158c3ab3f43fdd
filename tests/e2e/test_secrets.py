"""A secret's value is in the service that uses it, and nowhere else that can be read."""
import base64
import hashlib
import pathlib
import secrets
import urllib.parse

import pytest
from platform_under_test import BAD_FILE, DONE, PYTHON, ROLLED_BACK, wait_for


@pytest.fixture
def guarded(platform):
    """web has one secret as a file and one in its environment."""
    platform.values = {"seal": "S" + secrets.token_hex(12), "TOKEN": "T+/" + secrets.token_urlsafe(12)}
    platform.program()
    write_secrets(platform)
    platform.write_file(services={"web": platform.service(secrets={"seal": "file"}, env={"TOKEN": "${secret.TOKEN}"})},
                        secrets={"store": "./secrets.yaml"})
    platform.up()
    return platform


def write_secrets(platform):
    platform.write("secrets.yaml", "".join(f"{name}: '{value}'\n" for name, value in platform.values.items()), mode=0o600)


def digest(value):
    return hashlib.sha256(value.encode()).hexdigest().encode()


def spellings(value):
    """The ways in which a value may be written without having been hidden."""
    raw = value.encode()
    found = {raw, base64.b64encode(raw), base64.urlsafe_b64encode(raw), raw.hex().encode(), urllib.parse.quote(value, safe="").encode(),
             value.encode("utf-16-le")}
    # Base64 of something that holds the value at any offset.
    for shift in (1, 2):
        found.add(base64.b64encode(b"x" * shift + raw)[4:-4])
    return found


def leaks(platform, values):
    """Everything that the platform wrote or said, searched for every spelling of every value."""
    found = []
    wanted = {spelling for value in values for spelling in spellings(value)}
    for path in pathlib.Path(platform.state).rglob("*"):
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            found += [str(path) for spelling in wanted if spelling in data]
    for number, text in enumerate(platform.talk):
        found += [f"command {number}: {text[:200]}" for spelling in wanted if spelling in text.encode()]
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        found += [f"process list: {words!r}" for spelling in wanted if spelling in words]
    return found


def test_secrets_reach_the_service_in_the_form_that_was_asked_for(guarded):
    for name, value in guarded.values.items():
        assert guarded.get(f"/secret?name={name}").body == digest(value), name
    assert "seal" not in guarded.get("/environment").json()


def test_no_value_is_in_anything_that_the_platform_writes_or_says(guarded):
    guarded.program(version="2")
    for words in (["plan"], ["plan", "-o", "json"], ["up"], ["status", "-o", "json"], ["history", "-o", "json"], ["diff", "1", "2"],
                  ["diff", "1", "2", "-o", "json"], ["events", "-o", "ndjson"], ["logs", "web"], ["doctor"], ["rollback"]):
        guarded.run(*words, expect=DONE)
    guarded.program(version="bad", extra="sys.exit(1)")
    guarded.up(expect=ROLLED_BACK)
    assert leaks(guarded, guarded.values.values()) == []


def test_the_search_would_find_a_value(guarded):
    """It looks into logs: a service that prints its secret is found there, and only then."""
    guarded.get("/say?text=" + urllib.parse.quote(guarded.values["seal"]))
    # What a service prints reaches its log by way of its keeper, which takes its time on a busy machine.
    wait_for(lambda: any("logs" in path for path in leaks(guarded, guarded.values.values())), what="the value in a log")


def test_a_changed_value_is_a_change_that_plan_names_and_does_not_show(guarded):
    old = dict(guarded.values)
    guarded.values["seal"] = "N" + secrets.token_hex(12)
    write_secrets(guarded)
    planned = guarded.run("plan", "--detailed-exitcode", expect=2)
    assert "seal" in planned.out
    guarded.up()
    assert guarded.get("/secret?name=seal").body == digest(guarded.values["seal"])
    assert leaks(guarded, [*old.values(), *guarded.values.values()]) == []
    guarded.run("rollback", expect=DONE)
    assert guarded.get("/secret?name=seal").body == digest(old["seal"])


def test_a_secret_in_a_command_is_refused_and_its_value_is_in_no_message(guarded):
    service = guarded.service()
    service["run"] = [PYTHON, "./web/service.py", "--port", "${PORT}", "--token", "${secret.TOKEN}"]
    guarded.write_file(services={"web": service}, secrets={"store": "./secrets.yaml"})
    done = guarded.run("validate", expect=BAD_FILE)
    assert "TOKEN" in done.said and "process list" in done.said
    assert leaks(guarded, guarded.values.values()) == []


def test_a_broken_store_is_named_without_its_lines(guarded):
    guarded.write("secrets.yaml", f"seal: [{guarded.values['seal']}\n", mode=0o600)
    done = guarded.run("validate", expect=BAD_FILE)
    assert "secrets.yaml" in done.said
    assert leaks(guarded, guarded.values.values()) == []

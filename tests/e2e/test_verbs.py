"""Every verb that the program lists, held against one table: help, wrong words, no daemon, the shape of its JSON, shells, the manual.

A new verb without a row here fails. A type in the table is a Python type, a list of one item's shape, or a dictionary of keys: those
must be there, and nothing else is; a key that ends in "?" may be missing.
"""
import dataclasses
import json
import shlex
import subprocess

import pytest
from platform_under_test import BAD_FILE, BINARY, CHANGES, DONE, FAILED, NOBODY_ANSWERS, REFUSED, USAGE, Platform

NOT_RUN = 125
OUTCOME = {"outcome": str, "rollout": int, "generation": int, "message": str}
PLAN = {"target": int, "current": int, "made": int, "observed": bool, "changes": list, "routes": list, "gateway": list, "keep": list,
        "secrets": list, "departures": list, "unchanged": int}
EVENT = {"id": int, "time": str, "kind": str, "subject": str, "actor": str, "message": str, "detail?": dict}
LOG_LINE = {"time": str, "service": str, "instance": str, "stream": str, "line": str}
OPTION = {"names": [str], "value": str, "meaning": str, "variable": str}
VERB = {"name": str, "group": str, "purpose": str, "usage": str, "operand": str, "operand_meaning": str, "most_operands": int,
        "options": [OPTION], "examples": [str]}
NOTED = {"count": int, "names": [str]}
BACKUP = {"made_by": str, "created": int, "organisation": str, "generation": int, "generations": int, "state": str, "rootless": bool,
          "users": dict, "volumes": [{"service": str, "name": str, "path": str}], "contents": int, "members": int, "bytes": int,
          "changed": NOTED, "special": NOTED, "lost": NOTED, "file": str, "size": int}


@dataclasses.dataclass
class Row:
    """How one verb is called, and what comes of it."""
    words: list = dataclasses.field(default_factory=list)  # after the verb, for a call that succeeds; FORM: that of -o
    json: object = None      # the shape with -o json; a list's items are the lines of -o ndjson. None: it refuses -o
    alone: int = NOBODY_ANSWERS  # the exit code where there is neither a daemon nor a state, but a file
    done: tuple = (DONE,)
    steps: object = None     # the shape of what comes before, with -o ndjson, what -o json gives


TABLE = {
    "validate": Row(json=dict, alone=DONE),
    "plan": Row(json=PLAN, alone=DONE),
    "up": Row(json=OUTCOME, alone=None, steps=EVENT),
    "down": Row(json=OUTCOME, steps=EVENT),
    "restart": Row(["web"], json=OUTCOME, steps=EVENT),
    "scale": Row(["web", "2"], json=OUTCOME, steps=EVENT),
    "drain": Row(["web"], json=OUTCOME, steps=EVENT),
    "exec": Row(["web", "/bin/echo", "-n", "[]"], json=list, alone=NOT_RUN),
    "jobs": Row(json={"timezone": str, "node_connected": bool, "jobs": list}),
    "run": Row(["nightly"], json={"run": dict, "ended": int, "well": bool, "code": int, "signal": int, "text": str}, steps=LOG_LINE),
    "status": Row(json={"organisation": str, "generation": int, "down": bool, "node_connected": bool, "services": list, "urls": [str],
                        "daemons": list, "departures": list, "problems": [str]}),
    "logs": Row(["web"], json=[LOG_LINE]),
    "events": Row(json=[EVENT]),
    "doctor": Row(json=[{"subject": str, "verdict": str, "found": str, "cost": str, "remedy": str}], alone=None, done=(DONE, FAILED)),
    "history": Row(json=[{"number": int, "status": str, "created": int, "who": str, "message": str, "outcome": str, "services": int}]),
    "diff": Row(["1", "2"], json=PLAN),
    "lock": Row(["status"], json={"held": bool, "lives": bool, "what": str, "who": str, "holder": str, "since": int, "renewed": int,
                                  "left": int}),
    "rollback": Row(["1"], json=OUTCOME, steps=EVENT),
    "init": Row(["new/freehold.yaml"], json={"name": str, "files": [str]}, alone=None),
    "fmt": Row(json={"changed": [str]}, alone=DONE),
    "explain": Row(["grace"], json=[dict], alone=DONE),
    "schema": Row(json=dict, alone=DONE),
    "export": Row(["exported-FORM"], json={"folder": str, "generation": int, "files": [str],
                                           "not_expressed": [{"key": str, "subjects": [str], "text": str}]}, alone=None),
    "backup": Row(["--passphrase-file", "words", "kept-FORM"], json=BACKUP, alone=None),
    "verify": Row(["--passphrase-file", "words", "whole"], json=BACKUP, alone=None),
    "restore": Row(["--passphrase-file", "words", "--state", "restored-FORM", "whole"], json=BACKUP, alone=None),
    "keygen": Row(["key-FORM"], json={"public_key": str}, alone=None),
    "help": Row(json={"purpose": str, "options": [OPTION], "examples": [str], "verbs": [VERB]}, alone=DONE),
    "completion": Row(["bash"], alone=DONE),
    "man": Row(alone=DONE),
    "version": Row(json={"version": str, "released": str}, alone=DONE),
}


@pytest.fixture(scope="module")
def world():
    """Two generations of one service, up; and what the program says of itself."""
    platform = Platform()
    platform.grammar = platform.run("help", "-o", "json", expect=DONE).json()
    platform.verbs = {verb["name"]: verb for verb in platform.grammar["verbs"]}
    for version in ("1", "2"):
        platform.program(version=version)
        platform.write_file(services={"web": platform.service(replicas=1),
                                      "nightly": {"run": ["/bin/echo", "good night"], "schedule": "daily 02:00"}})
        platform.up()
    (platform.home / "new").mkdir()
    platform.write("words", "a passphrase\n", mode=0o600)
    platform.run("backup", "--passphrase-file", "words", "whole", expect=DONE)
    yield platform
    left = platform.close()
    platform.remove()
    assert left == []


@pytest.fixture(scope="module")
def alone():
    """A file, and nothing that was ever started."""
    platform = Platform()
    platform.program()
    platform.write_file()
    yield platform
    platform.close()
    platform.remove()


def fits(value, shape, path="$"):
    """Every way in which the value is not of the shape."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return [f"{path} is no object: {value!r}"]
        wrong = [f"{path}.{key} is not in the table" for key in value if key not in shape and f"{key}?" not in shape]
        for key, inner in shape.items():
            name = key.rstrip("?")
            if name in value:
                wrong += fits(value[name], inner, f"{path}.{name}")
            elif name == key:
                wrong.append(f"{path}.{name} is missing")
        return wrong
    if isinstance(shape, list):
        if not isinstance(value, list):
            return [f"{path} is no list: {value!r}"]
        return [wrong for i, item in enumerate(value) for wrong in fits(item, shape[0], f"{path}[{i}]")]
    right = isinstance(value, shape) and (shape is not int or not isinstance(value, bool))
    return [] if right else [f"{path} is {value!r}, not of {shape.__name__}"]


def problem_in(done):
    """The one error that a failed call tells programs; nothing else may be there."""
    assert done.out == "", done
    lines = [json.loads(line) for line in done.err.splitlines()]
    assert len(lines) == 1, done
    error = lines[0]["error"]
    assert {"code", "message", "details"} <= error.keys() <= {"code", "message", "details", "position"}, error
    assert error["message"] and all(detail["message"] for detail in error["details"]), error
    return error


def test_the_table_has_every_verb(world):
    assert TABLE.keys() == world.verbs.keys()


@pytest.mark.parametrize("verb", TABLE)
def test_help(world, verb):
    info = world.verbs[verb]
    shown = world.run("help", verb, expect=DONE)
    assert shown.err == "" and shown.out.startswith(info["purpose"][:30])
    asked = [[verb, "--help"], [verb, "-h"]] + ([[verb, "help"]] if verb not in ("explain", "exec", "help") else [])
    for words in asked:
        assert world.run(*words, expect=DONE).out == shown.out, words
    for option in info["options"] + world.grammar["options"]:
        for name in option["names"]:
            assert name in shown.out, f"{name} is not in the help of {verb}"
    assert info["examples"], "no examples"
    assert world.run("help", verb, "-o", "json", expect=DONE).json() == info


@pytest.mark.parametrize("verb", TABLE)
def test_examples_parse(alone, verb):
    """Where nothing answers, a right command line fails otherwise than a wrong one."""
    folder = alone.home / "examples"
    folder.mkdir(exist_ok=True)
    for example in alone.run("help", verb, "-o", "json", expect=DONE).json()["examples"]:
        words = shlex.split(example.replace("<(", "").replace(")", ""), comments=True)
        if "freehold" not in words:
            continue  # a line to be put into a file
        words = words[words.index("freehold") + 1:]
        for end in ("|", ">"):
            words = words[:words.index(end)] if end in words else words
        done = subprocess.run([BINARY, *words], cwd=folder, env={**alone.environment, "FREEHOLD_STATE": str(folder / "none")},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
        assert done.returncode != USAGE, (example, done.stderr)


@pytest.mark.parametrize("form", ["human", "json"])
@pytest.mark.parametrize("verb", TABLE)
def test_wrong_words(alone, verb, form):
    def wrong(*words, names):
        done = alone.run(*words, expect=USAGE) if form == "human" else alone.run("-o", "json", *words, expect=USAGE)
        said = done.err if form == "human" else json.dumps(problem_in(done), ensure_ascii=False)
        assert names in said and f"freehold help {verb}" in said and done.out == "", done
    info = alone.run("help", verb, "-o", "json", expect=DONE).json()
    wrong(verb, "--nonsense", names="'--nonsense'")
    if verb != "exec":  # which takes what comes
        wrong(verb, *["1"] * info["most_operands"], "surplus", names="'surplus'")
    if info["usage"] and not info["usage"].startswith("["):
        wrong(verb, names=info["operand"])
    for option in info["options"]:
        if option["value"]:
            wrong(verb, *["1"] * info["most_operands"], option["names"][-1], names=f"'{option['names'][-1]}'")


@pytest.mark.parametrize("verb", [verb for verb, row in TABLE.items() if row.alone is not None])
def test_where_nobody_answers(alone, verb):
    row = TABLE[verb]
    human = alone.run(verb, *row.words, expect=row.alone)
    if row.alone == DONE:
        return
    assert human.out == "" and human.err.startswith("freehold: "), human
    assert problem_in(alone.run("-o", "json", verb, *row.words, expect=row.alone))["code"] == "unavailable"


@pytest.mark.parametrize("verb", [verb for verb in TABLE if verb != "down"] + ["down"])
def test_what_programs_read(world, verb):
    row = TABLE[verb]
    if row.json is None:
        done = world.run(verb, *row.words, "-o", "json", expect=USAGE)
        assert problem_in(done)["code"] == "usage"
        world.run(verb, *row.words, environment={"FREEHOLD_OUTPUT": "json"}, expect=DONE)
        return
    for form in ("json", "ndjson"):
        if verb in ("down", "up"):
            world.up()
        (world.home / "new/freehold.yaml").unlink(missing_ok=True)
        done = world.run("-o", form, verb, *(word.replace("FORM", form) for word in row.words))
        assert done.status in row.done, done
        assert all(json.loads(line).keys() == {"warning"} for line in done.err.splitlines()), done
        if form == "json":
            assert fits(json.loads(done.out), row.json) == []
            continue
        lines = [json.loads(line) for line in done.out.splitlines()] if verb != "exec" else [{}]
        assert lines and all(isinstance(line, dict) for line in lines), done
        if row.steps:
            assert fits(lines[-1], row.json) == [] and fits(lines[:-1], [row.steps]) == []
        else:
            assert fits(lines, row.json if isinstance(row.json, list) else [row.json]) == [] or verb == "exec"


def test_a_stream_that_goes_on_is_a_line_for_each(world):
    world.up()
    for form in ("json", "ndjson"):
        follower = world.start("events", "-f", "-n", "2", "-o", form)
        world.followers.append(follower)
        assert fits([json.loads(follower.stdout.readline()) for _ in range(2)], [EVENT]) == []


def test_a_wrong_file_says_where(world):
    world.write("wrong.yaml", "freehold: 1\nname: wrong\nservices:\n  web: {run: sleep 1, repilcas: 3}\n  other: {}\n")
    for verb, code in (("validate", BAD_FILE), ("plan", BAD_FILE), ("up", BAD_FILE)):
        error = problem_in(world.run(verb, "wrong.yaml", "-o", "json", expect=code))
        assert error["position"] == {"file": "wrong.yaml", "line": 4, "column": 23}, error
        assert len(error["details"]) == 2 and "replicas" in error["details"][0]["hint"], error
    world.run("plan", "--detailed-exitcode", "wrong.yaml", expect=FAILED)
    world.write("broken.yaml", "a: [\n")
    assert problem_in(world.run("fmt", "broken.yaml", "-o", "json", expect=BAD_FILE))["position"]["line"] == 2


def test_exit_codes_of_the_table_in_the_documentation(world):
    """Those that no other row reaches; 6 is reached by the tests of rollbacks."""
    world.up()
    assert world.run("plan", "--detailed-exitcode").status in (DONE, CHANGES)
    world.run("init", expect=REFUSED)
    world.run("restart", "nosuch", expect=FAILED)
    assert world.run("exec", "web", "/bin/sh", "-c", "kill -9 $$").status == 128 + 9
    assert world.run("exec", "nosuch", "true").status == NOT_RUN


def test_the_words_of_a_command_are_its_own(world):
    world.up()
    for words in (["web", "/bin/echo", "-n", "[a,b]", "--output", "x y", "--", "{}"], ["web", "--", "/bin/echo", "-n", "[a,b]", "--output", "x y", "--", "{}"]):
        assert world.run("exec", *words, expect=DONE).out == "[a,b] --output x y -- {}"


@pytest.mark.parametrize("words,said", [
    (["ps"], "freehold status"), (["apply"], "freehold up"), (["destroy"], "freehold down"), (["undo"], "freehold rollback"),
    (["lgos"], "freehold logs"), (["help", "roolback"], "freehold rollback"),
])
def test_what_other_programs_taught(alone, words, said):
    assert f"did you mean '{said}'?" in alone.run(*words, expect=USAGE).err
    assert said in problem_in(alone.run("-o", "json", *words, expect=USAGE))["message"]


def test_no_verb_at_all(alone):
    assert "freehold help" in alone.run(expect=USAGE).err
    assert alone.run("help", expect=DONE).out == alone.run("--help", expect=DONE).out
    assert alone.run("--version", expect=DONE).out == alone.run("version", expect=DONE).out == alone.run("-V", expect=DONE).out


@pytest.mark.parametrize("columns", [40, 57, 80, 120])
def test_help_fits(alone, columns):
    for words in [["help"]] + [["help", verb] for verb in TABLE]:
        shown = alone.run(*words, environment={"COLUMNS": str(columns)}, expect=DONE).out.split("\nExamples:")[0]
        assert max(map(len, shown.splitlines())) <= columns, words
    assert alone.run("help", environment={"COLUMNS": "many"}).out == alone.run("help", environment={"COLUMNS": "80"}).out


def test_the_manual_and_the_shells_have_every_verb_and_option(world):
    page = subprocess.run(["mandoc", "-T", "utf8"], input=world.run("man", expect=DONE).out, text=True, stdout=subprocess.PIPE, check=True).stdout
    plain = "".join(c for i, c in enumerate(page) if c != "\b" and page[i + 1:i + 2] != "\b")
    scripts = {shell: world.run("completion", shell, expect=DONE).out for shell in ("bash", "zsh", "fish")}
    for verb in world.grammar["verbs"]:
        assert f"\n   {verb['name']}" in plain, verb["name"]
        for script in scripts.values():
            assert verb["name"] in script
        for option in verb["options"] + world.grammar["options"]:
            long, short = option["names"][-1], option["names"][0]
            assert long in plain and short in plain, (verb["name"], long)
            assert long in scripts["bash"] and long in scripts["zsh"] and f"-l {long[2:]}" in scripts["fish"], long

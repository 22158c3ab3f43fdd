"""A platform that was kept comes back on a machine that has nothing of it: the same generations, secrets, volumes."""
import concurrent.futures
import json
import os
import pathlib
import shutil
import signal
import subprocess
import threading

import pytest
from platform_under_test import BAD_FILE, DONE, FAILED, PYTHON, REFUSED, is_alive, needs_root, wait_for

PASSPHRASE = "correct horse battery staple"
# Counts in its volume, so that what comes back goes on from where it was.
COUNTER = '''
import http.server, os, pathlib, sys
DATA = pathlib.Path(os.environ["DATA"])
(DATA / "linked").unlink(missing_ok=True)
(DATA / "count").touch()
os.link(DATA / "count", DATA / "linked")
(DATA / "folder").mkdir(exist_ok=True)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path != "/health":
            with open(DATA / "count", "a") as file:
                file.write("x")
        body = f'{len((DATA / "count").read_text())} {os.environ["TOKEN"]}'.encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
'''


def organisation(platform):
    counter = platform.service(env={"TOKEN": "${secret.TOKEN}", "DATA": "${volume.data.path}"}, volumes={"data": {"writers": "one"}})
    counter["run"] = [PYTHON, "./counter.py"]
    return {"services": {"web": platform.service(replicas=2), "counter": counter},
            "routes": [{"host": "*", "paths": {"/count": {"to": "counter"}, "/*": {"to": "web"}}}],
            "secrets": {"store": "./secrets.yaml"}}


@pytest.fixture
def kept(platform):
    """Two generations, a secret, a volume that is counted in; and a passphrase."""
    platform.write("secrets.yaml", "TOKEN: s3cr3t-of-the-test\n", mode=0o600)
    platform.write("counter.py", COUNTER)
    platform.program()
    platform.write_file(**organisation(platform))
    platform.up()
    platform.program(version="2")
    platform.up()
    platform.write("words", PASSPHRASE + "\n", mode=0o600)
    platform.file = platform.home / "town.backup"
    return platform


def keep(platform, *words, expect=DONE):
    return platform.run("backup", "--passphrase-file", "words", "-o", "json", *words, platform.file, expect=expect)


def restore(platform, *words, expect=DONE):
    return platform.run("restore", "--passphrase-file", "words", *words, platform.file, expect=expect)


def destroy(platform):
    platform.run("down", expect=DONE, timeout=60)
    shutil.rmtree(platform.state)


def history(platform):
    return [(one["number"], one["status"], one["created"], one["who"]) for one in
            platform.run("history", "-o", "json", expect=DONE).json()]


def count(platform):
    number, token = platform.get("/count").body.decode().split()
    assert token == "s3cr3t-of-the-test"
    return int(number)


def test_what_was_kept_comes_back_on_an_empty_machine_and_runs(kept):
    for _ in range(3):
        before = count(kept)
    events = {event["id"]: event["kind"] for event in kept.events()}
    generations = history(kept)
    summary = keep(kept).json()
    assert summary["organisation"] == kept.name and summary["generation"] == 2 and summary["lost"]["count"] == 0
    assert [(one["service"], one["name"]) for one in summary["volumes"]] == [("counter", "data")]
    said = kept.run("verify", "--passphrase-file", "words", kept.file, expect=DONE).out
    assert "generation 2" in said and "every byte" in said
    assert b"s3cr3t" not in kept.file.read_bytes() and oct(kept.file.stat().st_mode)[-3:] == "600"
    destroy(kept)

    restore(kept, "--start")
    kept.wait_until_healthy(2)
    kept.wait_until_healthy(1, "counter")
    assert history(kept) == generations
    assert kept.versions() == {"2"}
    assert count(kept) == before + 1, "what lies in the volume is the service's own again, and its secret opens"
    data = kept.state / "volumes/counter/data"
    assert (data / "count").stat().st_ino == (data / "linked").stat().st_ino or (data / "linked").stat().st_nlink == 1
    now = {event["id"]: event["kind"] for event in kept.events()}
    assert events.items() <= now.items() and max(now) > max(events)
    kept.run("rollback", expect=DONE)
    assert kept.versions() == {"1"}, "the programs of the generation before are there"
    kept.up()
    assert kept.versions() == {"2"}


def test_it_is_made_under_deploys_and_visits_and_is_of_one_moment(kept):
    stop = threading.Event()

    def visit():
        while not stop.is_set():
            kept.get("/count")

    def deploy():
        version = 2
        while not stop.is_set():
            version += 1
            kept.program(version=str(version))
            kept.up()

    with concurrent.futures.ThreadPoolExecutor() as pool:
        under_way = [pool.submit(visit), pool.submit(deploy)]
        try:
            summaries = [keep(kept, "--force").json() for _ in range(3)]
        finally:
            stop.set()
        for one in under_way:
            one.result()
    assert all(one["lost"]["count"] == 0 for one in summaries)
    destroy(kept)
    restore(kept, "--start")
    wait_for(lambda: {one["state"] for one in kept.instances()} == {"healthy"} and not kept.status().get("rollout"), what="all of it")
    newest = [one for one in history(kept) if one[1] == "current"]
    assert newest and kept.versions() == {str(newest[0][0])}
    assert count(kept) > 0


def test_nothing_is_restored_over_anything(kept):
    keep(kept)
    size = kept.file.stat().st_size
    done = keep(kept, expect=REFUSED)
    assert "--force" in done.said and kept.file.stat().st_size == size
    done = restore(kept, expect=REFUSED)
    assert "move it away" in done.err
    assert kept.versions() == {"2"}


def test_another_passphrase_a_cut_file_and_a_changed_byte_restore_nothing(kept):
    keep(kept)
    destroy(kept)
    whole = kept.file.read_bytes()
    kept.write("other", "wrong\n", mode=0o600)
    done = kept.run("restore", "--passphrase-file", "other", kept.file, expect=REFUSED)
    assert "does not open it" in done.err
    for damaged, why in ((whole[:len(whole) // 2], "cut"), (whole[:100], "too early"), (b"", "empty"), (whole + b"x", "changed"),
                         (whole[:-5000] + bytes([whole[-5000] ^ 4]) + whole[-4999:], "changed")):
        kept.file.write_bytes(damaged)
        for verb in ("verify", "restore"):
            done = kept.run(verb, "--passphrase-file", "words", kept.file, expect=FAILED)
            assert why in done.err, done
    kept.file.write_bytes(b"PK and so on")
    assert "no backup" in restore(kept, expect=BAD_FILE).err
    assert not kept.state.exists() and list(kept.folder.glob("*.restoring")) == []


def test_one_that_is_interrupted_leaves_no_file(kept):
    (kept.state / "volumes/counter/data").chmod(0o777)
    with open(kept.state / "volumes/counter/data/large", "wb") as file:
        for _ in range(200):
            file.write(os.urandom(1 << 20))
    partial = pathlib.Path(f"{kept.file}.partial")
    for number in (signal.SIGTERM, signal.SIGKILL):
        process = kept.start("backup", "--passphrase-file", "words", kept.file)
        wait_for(lambda: partial.exists() and partial.stat().st_size > 1 << 20, every=0.001, what="its beginning")
        process.send_signal(number)
        process.communicate(timeout=30)
        assert process.returncode == -number and not kept.file.exists()
    # The one that could not clear up is replaced, and opens as nothing until then.
    assert partial.exists()
    kept.run("verify", "--passphrase-file", "words", partial, expect=FAILED)
    keep(kept)
    assert kept.file.exists() and list(kept.home.glob("*.partial*")) + list(kept.state.glob("backup.*")) == []


@needs_root("a small file system is mounted")
def test_a_disk_that_fills_up_leaves_no_file(kept):
    small = kept.folder / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", small], check=True)
    try:
        with open(kept.state / "volumes/counter/data/large", "wb") as file:
            file.write(os.urandom(4 << 20))
        kept.file = small / "town.backup"
        done = keep(kept, expect=FAILED)
        assert "space" in done.said or "room" in done.said
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", "-l", small], check=False)


def test_a_key_keeps_and_its_public_half_opens_nothing(kept):
    public = kept.run("keygen", "backup.key", expect=DONE).out
    kept.write("backup.pub", public)
    assert oct((kept.home / "backup.key").stat().st_mode)[-3:] == "600"
    kept.run("backup", "--key-file", "backup.pub", kept.file, expect=DONE)
    assert "private" in kept.run("verify", "--key-file", "backup.pub", kept.file, expect=REFUSED).err
    kept.run("verify", "--key-file", "backup.key", kept.file, expect=DONE)
    (kept.home / "backup.key").chmod(0o644)
    assert "chmod 600" in kept.run("verify", "--key-file", "backup.key", kept.file, expect=REFUSED).err
    kept.run("keygen", "backup.key", expect=REFUSED)


def test_other_programs_open_it(kept):
    if not shutil.which("age") or not shutil.which("zstd"):
        pytest.skip("needs age and zstd")
    kept.write("backup.pub", kept.run("keygen", "backup.key", expect=DONE).out)
    count(kept)
    data = kept.state / "volumes/counter/data"
    subprocess.run(["truncate", "-s", "3M", data / "holes"], check=True)
    (data / ("long" * 60)).symlink_to("count")
    kept.run("backup", "--key-file", "backup.pub", kept.file, expect=DONE)
    out = kept.folder / "out"
    out.mkdir()
    subprocess.run(f"age -d -i {kept.home}/backup.key {kept.file} | zstd -dc | tar -x -C {out}", shell=True, check=True)
    assert (out / "freehold/format").read_text() == "freehold backup 1\n"
    assert json.loads((out / "freehold/backup.json").read_text())["organisation"] == kept.name
    theirs = out / "volumes/counter/data"
    assert (theirs / "count").read_text() == (data / "count").read_text()
    assert (theirs / "count").samefile(theirs / "linked") and os.readlink(theirs / ("long" * 60)) == "count"
    assert (theirs / "holes").stat().st_size == 3 << 20 and (theirs / "holes").stat().st_blocks < 100
    assert (theirs / "count").stat().st_mtime_ns == (data / "count").stat().st_mtime_ns
    assert subprocess.run(["sqlite3", "-readonly", out / "state/control/state.db", "PRAGMA integrity_check"], capture_output=True,
                          text=True).stdout.strip() in ("ok", "") if shutil.which("sqlite3") else True

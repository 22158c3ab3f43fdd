"""A small office's real programs: PostgreSQL, an application on it, Radicale, a chat in Node.js, a site (examples/office).

One office for all tests of this file, in their order: what one has booked, the next must find. Nothing of it may be lost,
whatever is deployed, rolled back or killed meanwhile; after each test all that was acknowledged is looked for.
"""
import asyncio
import importlib.util
import os
import pathlib
import pwd
import shutil
import signal
import subprocess

import pytest
from browser import Browser
from office import EXAMPLE, SECRETS, Office, Writers
from platform_under_test import DONE, ROLLED_BACK, needs_root, wait_for
from test_docs import commands, shell

PROGRAMS = ["/usr/lib/postgresql/15/bin/postgres", "/usr/bin/psql", "/usr/bin/node", "/usr/share/nodejs/ws/package.json"]
MODULES = ["psycopg", "psycopg_pool", "radicale"]
ABSENT = [path for path in PROGRAMS if not os.path.exists(path)] + [name for name in MODULES if importlib.util.find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(ABSENT), reason=f"packages/office.txt is not installed: {', '.join(ABSENT)}")


def ended(office, failed):
    left = office.close()
    if failed:
        print(f"kept: {office.folder}")
    else:
        office.remove()
    assert left == [], "left behind after down"


@pytest.fixture(scope="module")
def running(request):
    mounts = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    if os.geteuid() == 0 and not any(line.split()[4] == "/" for line in mounts):
        pytest.skip("in a chroot users of services have no names, and initdb needs one")
    office, failed = Office(), request.session.testsfailed
    try:
        office.up()
        yield office
    finally:
        ended(office, request.session.testsfailed > failed)


@pytest.fixture
def office(running):
    yield running
    wait_for(lambda: all(one["state"] == "healthy" for one in running.status()["services"] if one["replicas"] > 0), 60, "all services healthy")
    assert running.missing() == set(), "acknowledged bookings are gone"


def pid_of(office, service):
    return office.healthy(service)[0]["pid"]


def keeper_of(pid):
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def test_each_part_answers_through_the_gateway(office):
    assert b"The office" in office.get("/").body
    assert b"Meeting room" in office.get("/bookings/").body
    assert b"chat.js" in office.get("/chat/").body
    assert office.get("/", headers={"Host": "calendar.localhost"}).status == 302
    assert office.get("/.web/", headers={"Host": "calendar.localhost"}).status == 200


def test_a_booking_is_a_row_and_the_same_form_again_is_no_second_one(office):
    form = office.form("Ada")
    assert [office.book(form).status, office.book(form).status] == [303, 303]
    assert office.psql(f"SELECT who, room FROM booking WHERE ticket = '{form['ticket']}'") == [["Ada", form["room"]]]
    taken = {**form, "ticket": office.form("Bob")["ticket"]}
    assert b"is taken at that time" in office.book(taken).body
    assert SECRETS["database_password"] not in "".join(office.talk)


def test_a_form_filled_in_in_a_browser_is_a_row(office):
    folder = office.folder / "browser"
    folder.mkdir()
    with Browser(folder) as browser:
        browser.open(f"http://127.0.0.1:{office.port}/")
        browser.click("a[href='/bookings/']")
        browser.wait_for_text("h1", "Rooms")
        browser.type("input[name=who]", "Grace <Hopper>")
        for name, value in (("day", "2039-12-31"), ("begins", "09:00"), ("ends", "10:30")):
            browser.set(f"input[name={name}]", value)
        browser.click("button")
        browser.wait_for_text("#coming", "Grace <Hopper>")
        browser.open(f"http://127.0.0.1:{office.port}/chat/")
        browser.wait_for_text("#state", "connected")
        browser.type("input[name=text]", "hello from a browser\n")
        browser.wait_for_text("#said", "hello from a browser")
    shutil.rmtree(folder, ignore_errors=True)
    assert office.psql("SELECT during FROM booking WHERE who = 'Grace <Hopper>'") == [['["2039-12-31 09:00:00","2039-12-31 10:30:00")']]


def test_calendars_are_kept_over_a_restart(office, monkeypatch):
    caldav = pytest.importorskip("caldav", reason="needs the package python3-caldav")
    import socket
    resolve = socket.getaddrinfo
    # Names that end in .localhost are this machine (RFC 6761), whether or not its resolver knows that.
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *more, **named: resolve("127.0.0.1" if str(host).endswith(".localhost") else host, *more, **named))

    def client(password="lovelace"):
        return caldav.DAVClient(url=f"http://calendar.localhost:{office.port}/", username="ada", password=password)

    with pytest.raises(caldav.lib.error.AuthorizationError):
        client("wrong").principal()
    calendar = client().principal().make_calendar(name="Garden")
    calendar.save_event("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//office//test//EN\nBEGIN:VEVENT\nUID:weeding@office\nDTSTAMP:20400101T000000Z\n"
                        "DTSTART:20400501T090000Z\nDTEND:20400501T110000Z\nSUMMARY:Weeding\nEND:VEVENT\nEND:VCALENDAR\n")
    office.run("restart", "calendar", expect=DONE)
    found = client().principal().calendar(name="Garden").events()
    assert len(found) == 1 and "SUMMARY:Weeding" in found[0].data


def test_a_talk_in_the_chat_goes_on_while_the_bookings_are_deployed(office):
    websockets = pytest.importorskip("websockets", reason="needs the package python3-websockets")

    async def talk():
        address = f"ws://127.0.0.1:{office.port}/chat/socket"
        async with websockets.connect(address) as ada, websockets.connect(address) as bob:
            async def hears(socket, text):
                while await asyncio.wait_for(socket.recv(), 10) != text:
                    pass

            await ada.send("before")
            await hears(bob, "before")
            office.edit("bookings/page.html", ("<h1>Rooms</h1>", "<h1>Rooms to book</h1>"))
            await asyncio.get_running_loop().run_in_executor(None, office.up)
            await bob.send("after")
            await hears(ada, "after")

    asyncio.run(talk())
    assert b"Rooms to book" in office.get("/bookings/").body


def test_deploys_of_the_application_lose_no_request_and_no_row(office):
    before = office.healthy("database")
    with Writers(office) as writers:
        for version in range(3):
            office.edit("bookings/page.html", ("<h1>", f"<!-- version {version} --><h1>"))
            office.up()
            writers.wait_for_bookings(10)
        office.run("rollback", expect=DONE)
        writers.wait_for_bookings(10)
    assert writers.failures == []
    assert b"version 1" in office.get("/bookings/").body and b"version 2" not in office.get("/bookings/").body
    assert [one["pid"] for one in office.healthy("database")] == [one["pid"] for one in before], "nothing of this concerns PostgreSQL"


def test_a_version_whose_migration_fails_is_taken_back_and_has_changed_nothing(office):
    page = (office.home / "bookings/page.html").read_text()
    office.write("bookings/schema/003-half.sql", "ALTER TABLE booking ADD COLUMN half text;\nALTER TABLE booking DROP COLUMN there_is_none;\n")
    office.edit("bookings/page.html", ("<h1>", "<!-- a bad version --><h1>"))
    with Writers(office) as writers:
        done = office.up(expect=ROLLED_BACK)
        writers.wait_for_bookings(10)
    assert writers.failures == []
    assert "did not prepare bookings" in done.said, done
    assert any("there_is_none" in line["line"] for line in office.logs("bookings"))
    assert b"a bad version" not in office.get("/bookings/").body
    assert office.psql("SELECT column_name FROM information_schema.columns WHERE table_name = 'booking' AND column_name = 'half'") == []
    (office.home / "bookings/schema/003-half.sql").unlink()
    office.write("bookings/page.html", page)


def test_settings_that_postgresql_does_not_take_are_taken_back_with_what_it_holds(office):
    good = (office.home / "database/postgresql.conf").read_text()
    office.edit("database/postgresql.conf", ("shared_buffers = 64MB", "shared_buffers = a lot"))
    with Writers(office, patient=True) as writers:
        office.up(expect=ROLLED_BACK)
        writers.wait_for_bookings(5)
    office.write("database/postgresql.conf", good.replace("max_connections = 50", "max_connections = 40"))
    with Writers(office, patient=True) as writers:
        office.up()
        writers.wait_for_bookings(5)
    assert office.psql("SHOW max_connections") == [["40"]]


@pytest.mark.parametrize("victim", ["postmaster", "keeper", "agent", "control", "gateway"])
def test_a_kill_loses_nothing_that_was_acknowledged(office, victim):
    database = pid_of(office, "database")
    doomed = {"postmaster": database, "keeper": keeper_of(database)}.get(victim) or office.daemon(victim)
    with Writers(office, patient=True) as writers:
        os.kill(doomed, signal.SIGKILL)
        if victim in ("postmaster", "keeper"):
            wait_for(lambda: database not in {one["pid"] for one in office.healthy("database")} and office.healthy("database"), 60,
                     "PostgreSQL again")
        else:
            wait_for(lambda: (office.daemon(victim) or doomed) != doomed, 30, f"another {victim}")
        writers.wait_for_bookings(10)
    assert victim in ("postmaster", "keeper") or pid_of(office, "database") == database, "what runs goes on"


def test_a_new_password_is_a_new_secret_and_a_deploy(office):
    office.edit("secrets.yaml", ("it's a", "it's another"))
    office.up()
    password = SECRETS["database_password"].replace("it's a", "it's another")
    assert office.psql("SELECT 1", password=password) == [["1"]]
    with pytest.raises(AssertionError, match="password authentication failed"):
        office.psql("SELECT 1")
    assert office.book(office.form("Ada")).status == 303
    office.edit("secrets.yaml", ("it's another", "it's a"))
    office.up()


def test_the_nightly_dump_holds_all_that_was_booked(office):
    assert office.book(office.form("Ada")).status == 303
    office.run("run", "dump", expect=DONE)
    folder = office.state / "volumes/dump/files"
    dump = max(folder.glob("bookings-*.dump"))
    admin = {"user": "postgres", "password": SECRETS["database_admin"]}
    office.psql("CREATE DATABASE restored", database="postgres", **admin)
    host, port = office.address_of("database")
    subprocess.run(["pg_restore", "--no-owner", "-h", host, "-p", port, "-U", "postgres", "-d", "restored", dump], check=True, timeout=60,
                   env={"PATH": "/usr/bin:/bin", "PGPASSWORD": SECRETS["database_admin"]})
    restored = {ticket for ticket, in office.psql("SELECT ticket FROM booking", database="restored", **admin)}
    assert restored == {ticket for ticket, in office.psql("SELECT ticket FROM booking")} >= set(office.acknowledged)
    assert len(office.run("jobs", "dump", "-o", "json", expect=DONE).json()) > 0


def test_what_its_page_says_to_try_works(office):
    steps = [command for command, _ in commands((EXAMPLE / "README.md").read_text()) if command.startswith("freehold ")]
    said = {command: shell(office, command) for command in steps}
    assert [command for command, done in said.items() if done.returncode != 0] == [], said
    assert "Meeting room" in next(done.stdout for command, done in said.items() if "TABLE room" in command)
    assert "reached at 127.0.0.1:" in office.run("status", "database", expect=DONE).out


def test_down_and_up_again_finds_all_of_it(office):
    office.run("down", expect=DONE)
    assert office.processes() == {}
    office.up()
    assert office.book(office.form("Ada")).status == 303


@needs_root("to become an ordinary user")
def test_the_office_runs_without_root(request):
    office, failed = Office(pwd.getpwnam("games")), request.session.testsfailed
    try:
        office.up()
        with Writers(office, patient=True) as writers:
            database = pid_of(office, "database")
            os.kill(database, signal.SIGKILL)
            wait_for(lambda: database not in {one["pid"] for one in office.healthy("database")} and office.healthy("database"), 60,
                     "PostgreSQL again")
            writers.wait_for_bookings(5)
        assert office.missing() == set()
        assert os.stat(f"/proc/{pid_of(office, 'database')}").st_uid == pwd.getpwnam("games").pw_uid
    finally:
        ended(office, request.session.testsfailed > failed)

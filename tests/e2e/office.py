"""examples/office on a Platform, and its bookings from outside: every one that was acknowledged is remembered."""
import datetime
import http.client
import itertools
import os
import shutil
import subprocess
import threading
import time
import urllib.parse
import uuid

from platform_under_test import ROOT, Platform

EXAMPLE = ROOT / "examples/office"
SECRETS = {"database_admin": "of the admin's", "database_password": "it's a \\ secret", "calendar_users": "ada:lovelace"}
FIRST_SLOT = datetime.datetime(2040, 1, 1)
ROOMS = ("Meeting room", "Quiet room", "Workshop")


class Office(Platform):
    def __init__(self, user=None):
        super().__init__(user)
        shutil.copytree(EXAMPLE, self.home, dirs_exist_ok=True, ignore=shutil.ignore_patterns("secrets.yaml", "__pycache__"))
        self.write("secrets.yaml", "".join(f'{name}: "{value}"\n'.replace("\\", "\\\\") for name, value in SECRETS.items()), mode=0o600)
        if user:
            os.chown(self.home / "secrets.yaml", user.pw_uid, user.pw_gid)
        self.edit("freehold.yaml", ("name: office", f"name: {self.name}"), ("8088", str(self.port)))
        self.acknowledged = []  # tickets
        self._slots = itertools.count()

    def edit(self, path, *changes):
        text = (self.home / path).read_text()
        for old, new in changes:
            assert old in text, f"{path} has no {old}"
            text = text.replace(old, new)
        self.write(path, text, mode=(self.home / path).stat().st_mode & 0o777)

    def address_of(self, service):
        return self.service_status(service)["address"].rsplit(":", 1)

    def psql(self, question, user="bookings", password=SECRETS["database_password"], database="bookings"):
        """Asks over the stable address of the database. -> rows of texts"""
        host, port = self.address_of("database")
        done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-h", host, "-p", port, "-U", user, "-d", database, "-c", question],
                              env={"PATH": "/usr/bin:/bin", "PGPASSWORD": password, "PGCONNECT_TIMEOUT": "10"}, capture_output=True, text=True,
                              timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]

    def form(self, who, room=None, ticket=None):
        """A form for a slot that nobody else has."""
        number = next(self._slots)
        begins = FIRST_SLOT + datetime.timedelta(minutes=10 * number)
        return {"ticket": ticket or str(uuid.uuid4()), "who": who, "room": room or ROOMS[number % len(ROOMS)], "day": f"{begins:%Y-%m-%d}",
                "begins": f"{begins:%H:%M}", "ends": f"{begins + datetime.timedelta(minutes=9):%H:%M}"}

    def book(self, form):
        answer = self.request("POST", "/bookings/", urllib.parse.urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})
        if answer.status == 303:
            self.acknowledged.append(form["ticket"])
        return answer

    def missing(self):
        """Acknowledged bookings that are not in the database."""
        return set(self.acknowledged) - {ticket for ticket, in self.psql("SELECT ticket FROM booking")}


class Writers:
    """People who book without a pause. With `patient`, who gets no answer sends the same form again, as its ticket allows;
    without it, that is a failure."""

    def __init__(self, office, count=3, patient=False):
        self.office, self.patient = office, patient
        self.failures, self.repeated = [], 0
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(f"writer {number}",), daemon=True) for number in range(count)]

    def __enter__(self):
        self._before = len(self.office.acknowledged)
        for thread in self._threads:
            thread.start()
        self.wait_for_bookings(3)
        return self

    def __exit__(self, *_):
        self._ending.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive(), "a booking hangs"

    @property
    def booked(self):
        return len(self.office.acknowledged) - self._before

    def wait_for_bookings(self, more, seconds=60):
        wanted, until = self.booked + more, time.monotonic() + seconds
        while self.booked < wanted:
            assert time.monotonic() < until, f"the writers stand still; failures: {self.failures[-3:]}"
            time.sleep(0.01)

    def _write(self, who):
        while not self._ending.is_set():
            form, until = self.office.form(who), time.monotonic() + 45
            while not self._sent(form):
                if not self.patient or time.monotonic() > until:
                    break
                self.repeated += 1
                time.sleep(0.05)

    def _sent(self, form):
        try:
            answer = self.office.book(form)
        except (OSError, http.client.HTTPException) as error:
            wrong = f"{type(error).__name__}: {error}"
        else:
            if answer.status == 303:
                return True
            wrong = f"{answer.status}: {answer.body[:200]}"
        if not self.patient:
            self.failures.append(wrong)
        return False

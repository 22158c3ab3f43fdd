"""The life of an installed machine, in order: one test goes on where the one before has left it."""
import json
import shlex

import pytest
from machine import wait_for

EXAMPLE = "/usr/share/doc/freehold/examples/quickstart"
DAEMONS = ["agent", "control", "gateway"]
FILE = "/etc/freehold/freehold.yaml"


def installed(machine, *words):
    return json.loads(machine.run(f"freehold {' '.join(words)} -o json"))


def pid_of(machine, daemon):
    return int(machine.run(f"systemctl show -P MainPID freehold-{daemon}"))


def instances(machine):
    """service -> its healthy processes"""
    return {service["name"]: sorted(one["pid"] for one in service["instances"] if one["state"] == "healthy")
            for service in installed(machine, "status")["services"]}


def get(machine, path, method="GET"):
    """(status, body) as somebody on the machine sees it."""
    program = (f"import urllib.request as u, urllib.error as e\n"
               f"try: a = u.urlopen(u.Request('http://127.0.0.1:8080{path}', method='{method}'), timeout=60)\n"
               f"except e.HTTPError as error: a = error\nprint(a.status); print(a.read().decode())")
    status, _, body = machine.run(f"python3 -c {shlex.quote(program)}").partition("\n")
    return int(status), body


def load_while(machine, command, retry="kept"):
    report = json.loads(machine.run(f"python3 /srv/test/programs/load_while.py {retry} {command}", timeout=900))
    assert report["status"] == 0, report
    return report


def setting(machine, daemon, *lines):
    """What `systemctl edit` does; without lines, as it was."""
    folder = f"/etc/systemd/system/freehold-{daemon}.service.d"
    if lines:
        machine.write(f"{folder}/test.conf", "[Service]\n" + "\n".join(lines) + "\n")
    else:
        machine.run(f"rm -r {folder}")
    machine.run(f"systemctl daemon-reload && systemctl restart freehold-{daemon}")


def run_web(machine, **limits):
    """Two instances of the service of the end-to-end tests, as the machine's organisation."""
    web = {"run": ["/usr/bin/python3", "./service.py", "--port", "${PORT}"], "replicas": 2, "limits": limits,
           "health": {"http": "/health", "every": "5s", "timeout": "5s", "start": "5m"}, "restart": {"backoff": "100ms", "crash_loop": "20/1m"},
           "deploy": {"drain": "30s", "deadline": "10m"}}
    file = {"freehold": 1, "name": "guest", "services": {"web": web}, "gateway": {"listen": "127.0.0.1:8080", "cores": 1},
            "routes": [{"host": "*", "paths": {"/*": {"to": "web"}}}]}
    machine.write(FILE, json.dumps(file))
    machine.run("cp /srv/test/service.py /etc/freehold/ && freehold up", timeout=600)


def test_the_package_installs_and_its_daemons_run(machine):
    machine.run("dpkg -i /srv/freehold.deb", timeout=600)
    for daemon in DAEMONS:
        assert machine.run(f"systemctl is-active freehold-{daemon}").strip() == "active"
    assert "freehold-gateway" in machine.run("ps -o user:32= -p $(systemctl show -P MainPID freehold-gateway)")
    assert machine.run("freehold completion bash | cmp - /usr/share/bash-completion/completions/freehold") == ""


def test_the_quickstart_runs_from_its_place_without_a_flag(machine):
    machine.run(f"cp -r {EXAMPLE}/. /etc/freehold/ && install -m 600 /etc/freehold/secrets.example.yaml /etc/freehold/secrets.yaml")
    # What a real machine does in 20 s may take an emulated one minutes, while its host is busy.
    machine.run(f"sed -i 's/every: 2s, timeout: 1s, start: 20s/every: 5s, timeout: 5s, start: 5m/; s/deadline: 1m/deadline: 10m/' {FILE}")
    machine.run("freehold up", timeout=600)
    status = installed(machine, "status")
    assert status["problems"] == []
    assert sorted(daemon["name"] for daemon in status["daemons"]) == DAEMONS
    assert get(machine, "/hello/")[0] == 200 and get(machine, "/")[0] == 200 and get(machine, "/notes/")[0] == 200


def test_a_member_of_the_group_looks_and_a_stranger_does_not(machine):
    machine.run("adduser --system --quiet member && adduser --quiet member freehold && adduser --system --quiet stranger")
    assert "healthy" in machine.run("runuser -u member -- freehold status")
    assert "uid" in machine.run("runuser -u stranger -- freehold status", expect=4)


@pytest.mark.parametrize("daemon, most", [("agent", 65), ("control", 15), ("gateway", 15)])
def test_the_units_expose_no_more_than_they_did(machine, daemon, most):
    machine.run(f"systemd-analyze security --no-pager --threshold={most} freehold-{daemon}")


def test_memory_processes_files_and_cpu_are_limited_under_cgroup_v2(machine):
    run_web(machine, cpu=0.25, memory="64MiB", pids=20, files=64)
    assert installed(machine, "status")["problems"] == []
    assert 10 <= json.loads(get(machine, "/fork?count=40")[1])["forked"] < 20
    assert 40 <= json.loads(get(machine, "/open?count=200")[1])["opened"] < 64
    used = json.loads(get(machine, "/spin?seconds=4")[1])
    assert used["cpu"] / used["wall"] < 0.4, used
    get(machine, "/eat?mib=200", method="POST")
    exits = wait_for(lambda: [one["last_exit"] for service in installed(machine, "status")["services"] for one in service["instances"]
                              if one["restarts"] and one["state"] == "healthy"], 300, "started again")
    assert exits[0]["out_of_memory"], exits
    run_web(machine, cpu=1, memory="128MiB", pids=64)


@pytest.mark.parametrize("daemon", DAEMONS)
def test_a_restart_of_a_daemon_loses_no_request_and_stops_nothing(machine, daemon):
    before, pid = instances(machine), pid_of(machine, daemon)
    report = load_while(machine, f"systemctl restart freehold-{daemon}")
    assert report["failures"] == [], report
    assert pid_of(machine, daemon) != pid
    assert instances(machine) == before


@pytest.mark.parametrize("daemon", DAEMONS)
def test_a_daemon_that_is_killed_comes_back_and_what_runs_goes_on(machine, daemon):
    before, pid = instances(machine), pid_of(machine, daemon)
    back = f"bash -c 'kill -9 {pid}; until systemctl is-active freehold-{daemon} && [ $(systemctl show -P MainPID freehold-{daemon}) != {pid} ]; do sleep 0.2; done'"
    # Whose request was in the gateway's hands has to ask again.
    report = load_while(machine, back, retry="always" if daemon == "gateway" else "kept")
    assert report["failures"] == [], report
    wait_for(lambda: len(installed(machine, "status")["daemons"]) == 3, 60, "all daemons")
    assert instances(machine) == before


def test_the_api_waits_while_control_is_restarted(machine):
    report = machine.run("systemctl restart --no-block freehold-control; freehold status >/dev/null && echo answered")
    assert "answered" in report


def test_a_gateway_that_hangs_is_ended_and_replaced(machine):
    setting(machine, "gateway", "WatchdogSec=6", "TimeoutAbortSec=2")
    pid = pid_of(machine, "gateway")
    machine.run(f"kill -STOP {pid}")
    wait_for(lambda: pid_of(machine, "gateway") not in (0, pid), 120, "another gateway")
    assert "Watchdog timeout" in machine.run("journalctl --no-pager -u freehold-gateway")
    setting(machine, "gateway")
    assert get(machine, "/")[0] == 200


def holds_a_ring(machine):
    return "io_uring" in machine.run("ls -l /proc/$(systemctl show -P MainPID freehold-gateway)/fd", expect=None)


def test_the_gateway_runs_with_io_uring_without_it_and_where_it_is_forbidden(machine):
    assert not holds_a_ring(machine)
    setting(machine, "gateway", "Environment=FREEHOLD_IO=uring")
    assert get(machine, "/")[0] == 200
    assert holds_a_ring(machine)
    # kernel.io_uring_disabled came with 6.6; on 6.1 it is forbidden as a unit forbids it.
    setting(machine, "gateway", "Environment=FREEHOLD_IO=uring", "SystemCallFilter=~io_uring_setup")
    assert get(machine, "/")[0] == 200
    assert not holds_a_ring(machine)
    setting(machine, "gateway")


def test_an_upgrade_under_load_loses_no_request_and_stops_nothing(machine):
    before = instances(machine)
    pids = {daemon: pid_of(machine, daemon) for daemon in DAEMONS}
    report = load_while(machine, "dpkg -i /srv/later.deb")
    assert report["failures"] == [], report
    assert report["during"] > 0
    assert all(pid_of(machine, daemon) != pids[daemon] for daemon in DAEMONS)
    assert instances(machine) == before
    print(report)


def test_a_reboot_brings_everything_back(machine):
    before = {name: len(pids) for name, pids in instances(machine).items()}
    machine.reboot()
    wait_for(lambda: {name: len(pids) for name, pids in instances(machine).items()} == before, 600, "all instances")
    assert get(machine, "/")[0] == 200
    assert '"agent.finished"' in machine.run("freehold events -o ndjson -n 10000"), "services were stopped as the file says, not by the machine"


def test_stopping_stops_what_runs_and_starting_brings_it_back(machine):
    machine.run("systemctl stop freehold freehold-workloads", timeout=600)
    assert machine.run("pgrep -f 'freehold|service.py'", expect=None).split() == []
    machine.run("systemctl start freehold", timeout=600)
    wait_for(lambda: len(instances(machine)["web"]) == 2, 300, "both instances")


def test_down_keeps_the_daemons_for_the_next_up(machine):
    machine.run("freehold down", timeout=300)
    assert instances(machine)["web"] == []
    machine.run("freehold up", timeout=600)
    assert get(machine, "/")[0] == 200


def test_removing_stops_all_and_purging_leaves_nothing(machine):
    machine.run("dpkg --remove freehold", timeout=600)
    assert machine.run("pgrep -f 'freehold|service.py'", expect=None).split() == []
    assert machine.run("ls /var/lib/freehold/system/control/state.db").strip()
    machine.run("dpkg --purge freehold", timeout=300)
    assert machine.run("getent passwd freehold freehold-gateway; getent group freehold freehold-gateway", expect=None) == ""
    left = machine.run("find / -xdev -iname '*freehold*' -not -path '/proc/*' -not -path '/srv/*' -not -path '/var/log/*' -not -path '/var/cache/*'; "
                       "find /run /sys/fs/cgroup -iname '*freehold*'", expect=None)
    assert left == ""

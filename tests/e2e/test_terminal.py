"""A rollout on a terminal, and what its signals do: to watch is not to change, unless it was asked for."""
import signal
import time

import pytest
from platform_under_test import BINARY, DONE, ROLLED_BACK, wait_for
from terminal import Terminal


@pytest.fixture
def on_terminal(platform):
    opened = []

    def start(*words, columns=100, rows=24, **environment):
        made = Terminal([BINARY, *words], columns, rows, cwd=platform.home,
                        environment={**platform.environment, "FREEHOLD_STATE": str(platform.state), "TERM": "xterm", **environment})
        opened.append(made)
        return made

    yield start
    for terminal in opened:
        if terminal.process.poll() is None:
            terminal.process.kill()
        terminal.process.wait()


def slow_to_start(platform, replicas=2, seconds=3, version="2"):
    """The next version takes its time, so that there is something to watch."""
    platform.program(version=version, extra=f"import time as sleeper\nsleeper.sleep({seconds})")
    platform.write_file(services={"web": platform.service(replicas=replicas)})


def hanging(platform):
    """A first version that never becomes healthy, and has a minute for it."""
    platform.program(healthy=False)
    service = platform.service(replicas=2)
    service["health"]["start"] = "60s"
    service["deploy"] = {"deadline": "60s", "drain": "2s"}
    platform.write_file(services={"web": service})


def test_a_rollout_is_a_block_that_is_drawn_in_its_place(web, on_terminal):
    slow_to_start(web)
    terminal = on_terminal("up")
    terminal.until(lambda screen: "waits for web.3 to be healthy" in screen)
    assert terminal.wait() == DONE
    counts = [frame for frame in terminal.frames if " 1/2 " in frame]
    assert counts, "no frame in which one of two serves"
    for frame in terminal.frames:
        assert frame.count("apply of generation 2") <= 1, f"drawn twice:\n{frame}"
    assert "[##########] 2/2  done" in terminal.screen() and "\x1b[?25" not in terminal.raw
    assert terminal.screen().index("2/2  done") < terminal.screen().index("done:" if "done:" in terminal.screen() else "\ndone")


def test_a_narrower_window_gets_shorter_lines_and_leaves_nothing_behind(web, on_terminal):
    slow_to_start(web)
    terminal = on_terminal("up")
    terminal.until(lambda screen: "waits for web.3" in screen)
    terminal.resize(40)
    seen = len(terminal.frames)
    assert terminal.wait() == DONE
    for frame in terminal.frames[seen + 3:]:
        assert all(len(line) <= 40 for line in frame.splitlines() if line.startswith("  web ")), frame


@pytest.mark.parametrize("kind", ["dumb", ""])
def test_a_terminal_that_cannot_move_its_cursor_gets_plain_lines(web, on_terminal, kind):
    web.program(version="2")
    terminal = on_terminal("up", TERM=kind)
    assert terminal.wait() == DONE
    assert "\x1b" not in terminal.raw and "web.3 starts" in terminal.screen()


def test_colours_are_for_who_wants_them(web, on_terminal):
    web.program(version="2")
    terminal = on_terminal("up")  # NO_COLOR is set by the fixture's environment
    assert terminal.wait() == DONE
    assert "\x1b[32m" not in terminal.raw
    web.program(version="3")
    terminal = on_terminal("up", NO_COLOR="")
    assert terminal.wait() == DONE
    assert "\x1b[32m" in terminal.raw


def test_ctrl_c_stops_watching_and_the_deploy_goes_on(web, on_terminal):
    slow_to_start(web)
    terminal = on_terminal("up")
    terminal.until(lambda screen: "waits for web.3" in screen)
    terminal.press(b"\x03")
    assert terminal.wait(10) == -signal.SIGINT
    assert "it goes on" in terminal.screen() and "freehold status --watch" in terminal.screen()
    assert "freehold rollback" in terminal.screen()
    wait_for(lambda: web.status()["generation"] == 2, what="the deploy ends")
    assert web.versions() == {"2"}


def test_a_rollback_takes_a_deploy_back_that_is_under_way(web):
    slow_to_start(web, seconds=8)
    deploying = web.start("up")
    wait_for(lambda: len(web.instances()) > 2, what="a new instance")
    done = web.run("rollback", expect=DONE)
    assert "went back to generation 1" in done.out
    assert deploying.wait(30) == ROLLED_BACK
    deploying.communicate()
    assert web.versions() == {"1"} and len(web.instances()) == 2
    history = web.run("history", "-o", "json", expect=DONE).json()
    assert [one["status"] for one in history if one["number"] == 2] == ["undone"]


def test_attached_ctrl_c_during_a_rollout_stops_everything_at_once(platform, on_terminal):
    hanging(platform)
    terminal = on_terminal("up", "--foreground")
    terminal.until(lambda screen: "waits for web.1 to be healthy" in screen)
    began = time.monotonic()
    terminal.press(b"\x03")
    assert terminal.wait(30) == DONE
    assert time.monotonic() - began < 15
    assert platform.processes() == {}


def test_attached_a_closed_terminal_stops_everything(platform, on_terminal):
    platform.program()
    platform.write_file()
    terminal = on_terminal("up", "--foreground")
    terminal.until(lambda screen: "ctrl-C stops everything" in screen)
    terminal.close()
    assert terminal.process.wait(30) == DONE
    assert platform.processes() == {}


def test_attached_and_interrupted_while_the_daemons_start_nothing_is_left(platform, on_terminal):
    platform.program()
    platform.write_file()
    terminal = on_terminal("up", "--foreground")
    wait_for(lambda: (platform.state / "logs" / "freehold").exists(), every=0.001, what="the start")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.wait(30) == DONE, terminal.screen()
    assert platform.processes() == {}


def test_attached_and_stopped_from_elsewhere_it_ends(platform):
    platform.program()
    platform.write_file()
    attached = platform.start("up", "--foreground")
    platform.followers.append(attached)
    wait_for(lambda: platform.state.exists() and platform.run("status").status == DONE and len(platform.healthy()) == 2, 60, "up")
    platform.run("down", expect=DONE)
    out, _ = attached.communicate(timeout=20)
    assert attached.returncode == DONE and "from elsewhere" in out


def test_down_during_a_rollout_does_not_wait_for_it(web):
    slow_to_start(web, seconds=60)
    deploying = web.start("up")
    wait_for(lambda: len(web.instances()) > 2, what="a new instance")
    began = time.monotonic()
    web.run("down", expect=DONE)
    assert time.monotonic() - began < 15
    out, err = deploying.communicate(timeout=40)
    assert "asked for everything to stop" in out + err, out + err
    assert web.processes() == {}
    web.program()
    web.up()
    assert web.versions() == {"1"}


def test_down_of_a_first_apply_that_hangs_leaves_nothing(platform):
    hanging(platform)
    deploying = platform.start("up")
    platform.followers.append(deploying)
    wait_for(lambda: platform.state.exists() and platform.run("status").status == DONE and platform.instances(), 60, "instances")
    platform.run("down", expect=DONE)
    assert deploying.wait(40) == ROLLED_BACK
    assert platform.processes() == {}
    platform.program()
    platform.write_file()
    platform.up()
    assert platform.versions() == {"1"}

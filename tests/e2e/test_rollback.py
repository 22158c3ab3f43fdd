"""Going back by hand: where to, and what is said about it."""
from platform_under_test import DONE, FAILED, REFUSED, ROLLED_BACK, wait_for


def versions_applied(platform, *versions):
    for version in versions:
        platform.program(version=version)
        platform.up()


def test_without_a_number_it_goes_further_back_each_time_and_says_where(web):
    versions_applied(web, "2", "3")
    first = web.run("rollback", expect=DONE)
    assert "Back to generation 2, which ran before generation 3" in first.out and "replace web" in first.out, first
    assert web.versions() == {"2"}
    second = web.run("rollback", expect=DONE)
    assert "Back to generation 1" in second.out, second
    assert web.versions() == {"1"}
    assert "no generation before" in web.run("rollback", expect=FAILED).err
    web.run("rollback", "3", expect=DONE)
    assert web.versions() == {"3"}, "by its number it comes back"


def test_after_a_failed_apply_there_is_nothing_to_go_back_from(web):
    versions_applied(web, "2")
    web.program(version="3", healthy=False)
    file = web.organisation()
    file["services"]["web"]["health"]["start"] = "1s"
    web.write_file(file)
    web.up(expect=ROLLED_BACK)
    done = web.run("rollback", expect=REFUSED)
    assert "generation 3" in done.err and "freehold rollback 1" in done.err, done
    assert web.versions() == {"2"}
    web.run("rollback", "1", expect=DONE)
    assert web.versions() == {"1"}


def test_what_a_held_failure_left_is_put_right(web):
    web.program(version="2", healthy=False)
    file = web.organisation()
    file["services"]["web"]["health"]["start"] = "1s"
    file["services"]["web"]["deploy"]["on_failure"] = "hold"
    web.write_file(file)
    web.up(expect=FAILED)
    assert len(web.instances()) == 3, "left for a person to look at"
    done = web.run("rollback", expect=DONE)
    assert "Back to generation 1, the current one" in done.out, done
    wait_for(lambda: len(web.healthy()) == 2 == len(web.instances()), what="what ran before, alone")
    assert web.versions() == {"1"}


def test_the_same_file_again_puts_right_what_a_held_failure_left(web):
    web.program(version="2", healthy=False)
    file = web.organisation()
    file["services"]["web"]["health"]["start"] = "1s"
    file["services"]["web"]["deploy"]["on_failure"] = "hold"
    web.write_file(file)
    web.up(expect=FAILED)
    web.program(version="1")
    web.write_file()
    web.up()
    wait_for(lambda: len(web.healthy()) == 2 == len(web.instances()), what="what ran before, alone")

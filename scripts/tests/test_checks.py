"""Each check is seen to fail: a check that cannot fail holds nothing."""
import importlib.machinery
import importlib.util
import json
import pathlib
import re
import subprocess
import tomllib

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


# ---- check_layers -----------------------------------------------------------------------------------------------
def test_layers_pass_on_declared_includes(tree):
    tree.module("base").module("os", "DEPENDS base")
    tree.write("src/os/os.cc", '#include "os/os.h"\n#include "base/base.h"\n')
    tree.passes("check_layers")


def test_layers_fail_on_include_outside_depends(tree):
    tree.module("base").module("os")
    tree.write("src/os/os.cc", '#include "base/base.h"\n')
    tree.fails("check_layers", "src/os/os.cc:1", "'base', which is not in DEPENDS")


def test_layers_let_tests_alone_use_test_depends(tree):
    tree.module("base").module("os", "TESTS os_test.cc TEST_DEPENDS base")
    tree.write("src/os/os_test.cc", '#include "base/base.h"\n')
    tree.passes("check_layers")
    tree.write("src/os/os.cc", '#include "base/base.h"\n')
    tree.fails("check_layers", "src/os/os.cc:1")


def test_layers_fail_on_unused_edge(tree):
    tree.module("base").module("os", "DEPENDS base")
    tree.fails("check_layers", "depends on 'base' and includes nothing of it")


def test_layers_do_not_count_a_tests_include_as_use(tree):
    tree.module("base").module("os", "DEPENDS base TESTS os_test.cc")
    tree.write("src/os/os_test.cc", '#include "base/base.h"\n')
    tree.fails("check_layers", "includes nothing of it")


def test_layers_fail_on_circle_of_modules(tree):
    tree.module("a", "DEPENDS b").module("b", "DEPENDS a")
    tree.write("src/a/a.cc", '#include "b/b.h"\n').write("src/b/b.cc", '#include "a/a.h"\n')
    tree.fails("check_layers", "a -> b -> a")


def test_layers_fail_on_circle_of_headers(tree):
    tree.module("a").write("src/a/a.h", '#include "a/x.h"\n').write("src/a/x.h", '#include "a/a.h"\n')
    tree.fails("check_layers", "a/a.h -> a/x.h -> a/a.h")


def test_layers_fail_on_plane_that_includes_a_plane(tree):
    tree.module("gateway").module("control", "DEPENDS gateway")
    tree.write("src/control/control.cc", '#include "gateway/gateway.h"\n')
    tree.fails("check_layers", "plane 'control' includes plane 'gateway'", "plane 'control' depends on plane 'gateway'")


def test_layers_let_a_plane_have_parts(tree):
    tree.module("agent", "DEPENDS keeper").module("agent/keeper")
    tree.write("src/agent/agent.cc", '#include "agent/keeper/keeper.h"\n')
    tree.passes("check_layers")


@pytest.mark.parametrize("name", ["util", "common", "misc", "manager"])
def test_layers_fail_on_names_that_say_nothing(tree, name):
    tree.module(name)
    tree.fails("check_layers", f"'{name}' says nothing")


def test_layers_fail_without_readme_or_module(tree):
    tree.module("base").write("src/stray/stray.cc", "")
    (tree.root / "src/base/README.md").unlink()
    tree.fails("check_layers", "src/base: has no README.md", "src/stray/stray.cc: belongs to no module")


def test_layers_fail_on_unknown_dependency_and_unknown_header(tree):
    tree.module("base", "DEPENDS nothing").write("src/base/base.cc", '#include "base.h"\n')
    tree.fails("check_layers", "'nothing', which is no module", '"base.h" is not a header below src/')


# ---- check_registered -------------------------------------------------------------------------------------------
def test_layers_know_test_support_by_its_list_and_its_folder(tree):
    tree.module("base").module("os", "TESTS os_test.cc fixture.cc TEST_DEPENDS base").write("src/os/os_test.cc", "")
    tree.write("src/os/fixture.cc", '#include "base/base.h"\n').write("src/os/testing/fake.h", '#include "base/base.h"\n')
    tree.passes("check_layers")


def test_registered_passes_when_all_are_named(tree):
    tree.module("base", "TESTS base_test.cc").write("src/base/base_test.cc", "")
    tree.passes("check_registered")


@pytest.mark.parametrize("name", ["more.cc", "more_test.cc", "more_bench.cc", "more_fuzz.cc"])
def test_registered_fails_on_file_that_nobody_names(tree, name):
    tree.module("base").write(f"src/base/{name}", "")
    tree.fails("check_registered", f"src/base/{name}: no CMakeLists.txt names it")


def test_registered_is_not_satisfied_by_a_comment_or_a_longer_name(tree):
    tree.module("base", "TESTS not_more_test.cc # more_test.cc\n").write("src/base/not_more_test.cc", "").write("src/base/more_test.cc", "")
    tree.fails("check_registered", "src/base/more_test.cc")


def test_registered_fails_on_missing_file_and_wrong_list(tree):
    tree.module("base", "TESTS gone_test.cc BENCHES base_test.cc").write("src/base/base_test.cc", "")
    tree.fails("check_registered", "names gone_test.cc, which does not exist", "base_test.cc stands in BENCHES")


def test_registered_fails_on_fuzzer_without_seeds(tree):
    tree.module("base", "FUZZERS text_fuzz.cc").write("src/base/text_fuzz.cc", "")
    tree.fails("check_registered", "no seeds in tests/corpus/text")
    tree.write("tests/corpus/text/one", "x")
    tree.passes("check_registered")


def test_registered_fails_on_python_tests_that_pytest_does_not_find(tree):
    tree.module("base").write("tests/e2e/deploys.py", "def test_one():\n    pass\n")
    tree.fails("check_registered", "tests/e2e/deploys.py")


# ---- check_sizes ------------------------------------------------------------------------------------------------
def lines(count, seed=""):
    return "".join(f"int value_{seed}_{i} = {i};\n" for i in range(count))


def test_sizes_pass_on_small_files(tree):
    tree.module("base")
    tree.passes("check_sizes")


def test_sizes_fail_on_long_file(tree):
    tree.module("base").write("src/base/long.cc", lines(801))
    tree.fails("check_sizes", "src/base/long.cc: 801 lines")


def test_sizes_fail_on_median_and_ninetieth_percentile(tree):
    for i in range(10):
        tree.write(f"src/a/{i}.cc", lines(141 if i < 8 else 451, i))
    tree.fails("check_sizes", "median file has 141", "starts at 451")


def test_sizes_fail_on_lines_that_stand_twice(tree):
    tree.write("src/a/a.cc", lines(100, "a") + lines(6, "copy")).write("src/a/b.cc", "  " + lines(6, "copy") + lines(100, "b"))
    tree.fails("check_sizes", "src/a/b.cc:1: stands in src/a/a.cc too", "6 of 212 lines")


def test_sizes_let_five_equal_lines_be(tree):
    tree.write("src/a/a.cc", lines(9, "a") + lines(5, "copy")).write("src/a/b.cc", lines(5, "copy") + lines(9, "b"))
    tree.passes("check_sizes")


def test_sizes_hold_the_documents(tree):
    tree.module("base").write("ARCHITECTURE.md", "x\n" * 161).write("Makefile", "x\n" * 61)
    tree.fails("check_sizes", "ARCHITECTURE.md: 161 lines", "Makefile: 61 lines")


# ---- check_style ------------------------------------------------------------------------------------------------
BANNED = {
    "clock": ["auto now = std::chrono::steady_clock::now();", "clock_gettime(CLOCK_REALTIME, &now);", "auto t = time(nullptr);"],
    "random": ["std::random_device device;", "int x = rand();"],
    "shell": ['system("rm -rf /");', 'auto* pipe = popen("ls", "r");'],
    "environment": ['auto* home = std::getenv("HOME");'],
    "file": ['std::ofstream out("x");', 'auto* file = fopen("x", "r");'],
    "kill": ["::kill(pid, SIGTERM);", "kill(pid, 9);"],
    "sleep": ["std::this_thread::sleep_for(1s);", "sleep(1);"],
    "using-namespace": ["using namespace std;"],
    "new-delete": ["auto* thing = new Thing(1);", "return std::shared_ptr<A>(new A);", "delete thing;"],
    "malloc": ["auto* bytes = malloc(10);"],
    "exceptions": ['throw std::runtime_error("no");'],
    "regex": ['std::regex pattern("a*");'],
    "streams": ["#include <iostream>", "std::ostringstream out;"],
    "printf": ['std::printf("%d", 1);', 'snprintf(text, 10, "%d", 1);'],
    "unsafe-text": ["int x = atoi(text);"],
    "assert": ["assert(x > 0);"],
    "thread-detach": ["thread.detach();"],
    "volatile": ["volatile int flag = 0;"],
    "suppression": ["int x = f();  // NOLINT"],
    "relative-include": ['#include "../base/base.h"'],
    "unfinished": ["// " + "TO" + "DO: later"],
    "machine-path": ['auto path = "/ho' + 'me/ada/x";'],
}
BANNED_IN_HEADERS = {"include-guard": "#ifndef BASE_H_", "heavy-header": "#include <nlohmann/json.hpp>"}
BANNED_IN_TESTS = {"sleep-in-test": "std::this_thread::sleep_for(1s);", "disabled-test": "TEST(A, DISABLED_Works) {}"}
ALLOWED = [
    "// the old one called system() and threw a new error",
    'log_info("base", "system( new Thing) {}", 1);',
    "Thing(const Thing&) = delete;",
    "asm volatile(\"\" ::: \"memory\");",
    "using namespace std::chrono_literals;",
    "int x = f();  // NOLINT(bugprone-branch-clone): both are meant",
    "loop.sleep(5s, done);",
    "double run_time(int x);",
    "return std::unique_ptr<Loop>(new EpollLoop(clock));",
    "virtual void kill(const std::string& id) = 0;",
    "struct New { int renew; };",
]


@pytest.mark.parametrize("name,line", [(name, line) for name, found in BANNED.items() for line in found])
def test_style_fails_on(tree, name, line):
    tree.module("base").write("src/base/base.cc", f"int first;\n{line}\n")
    tree.fails("check_style", f"src/base/base.cc:2: {name}:", "instead:")


@pytest.mark.parametrize("name", BANNED_IN_HEADERS)
def test_style_fails_in_header_on(tree, name):
    tree.module("base").write("src/base/base.h", BANNED_IN_HEADERS[name] + "\n")
    tree.fails("check_style", f"src/base/base.h:1: {name}:")


@pytest.mark.parametrize("name", BANNED_IN_TESTS)
def test_style_fails_in_test_on(tree, name):
    tree.module("base").write("src/base/base_test.cc", BANNED_IN_TESTS[name] + "\n")
    tree.fails("check_style", f"src/base/base_test.cc:1: {name}:")


def test_style_knows_a_failing_example_of_every_ban():
    bans = tomllib.loads((ROOT / "scripts/style_bans.toml").read_text())["ban"]
    assert {ban["name"] for ban in bans} == set(BANNED) | set(BANNED_IN_HEADERS) | set(BANNED_IN_TESTS)


@pytest.mark.parametrize("line", ALLOWED)
def test_style_lets_be(tree, line):
    tree.module("base").write("src/base/base.cc", line + "\n")
    tree.passes("check_style")


def test_style_counts_debts_and_fails_when_one_is_paid_but_still_listed(tree):
    tree.module("base").write("src/base/base.cc", "assert(a);\nassert(b);\n")
    tree.write("scripts/style_exceptions.toml", '[assert]\n"src/base/base.cc" = 2\n')
    assert "2 exceptions left" in tree.passes("check_style")
    tree.write("src/base/base.cc", "assert(a);\n")
    tree.fails("check_style", "has 1 of 'assert', not 2: lower the entry")


def test_style_fails_when_the_list_of_debts_grows(tree):
    tree.module("base").write("scripts/style_exceptions.toml", "")
    tree.commit(landed=True)
    tree.write("src/base/base.cc", "assert(a);\n").write("scripts/style_exceptions.toml", '[assert]\n"src/base/base.cc" = 1\n')
    tree.commit()
    tree.fails("check_style", "may only shrink")


# ---- module_table -----------------------------------------------------------------------------------------------
MARKS = "# A\n<!-- modules: written by scripts/module_table -->\n<!-- end of modules -->\nEnd.\n"


def test_module_table_is_written_and_stale_when_an_edge_changes(tree):
    tree.module("base").module("os", "DEPENDS base").write("ARCHITECTURE.md", MARKS)
    assert tree.run("module_table", "--check")[0] == 1
    tree.passes("module_table")
    text = (tree.root / "ARCHITECTURE.md").read_text()
    assert "| [os](src/os/README.md) | What os is for | base |" in text and text.endswith("End.\n")
    tree.passes("module_table", "--check")
    tree.module("os")
    assert tree.run("module_table", "--check")[0] == 1


# ---- limits_table -----------------------------------------------------------------------------------------------
LIMITS = """[[section]]
title = "The file"
limit = [{file = "base/base.h", name = "bytes", unit = "bytes", what = "one file", then = "refused"},
         {file = "base/base.h", name = "pause", unit = "time", what = "a pause", then = "it ends"}]
[inner]
"base/base.cc" = ["kMostTries"]
"""


def test_limits_are_read_from_the_sources_and_stale_when_one_changes(tree):
    tree.module("base").write("scripts/limits.toml", LIMITS).write("docs/operations/README.md", "")
    tree.write("src/base/base.h", "struct L { uint64_t bytes = uint64_t{64} << 20; Duration pause = std::chrono::seconds(90); };\n")
    tree.write("src/base/base.cc", "constexpr int kMostTries = 3;\n")
    tree.passes("limits_table")
    page = (tree.root / "docs/operations/limits.md").read_text()
    assert "| one file | 64 MiB | refused |" in page and "| a pause | 90 s | it ends |" in page
    tree.passes("limits_table", "--check")
    tree.write("src/base/base.h", "struct L { uint64_t bytes = 4 << 10; Duration pause = 5min; };\n")
    assert tree.run("limits_table", "--check")[0] == 1
    tree.passes("limits_table")
    assert "| one file | 4 KiB | refused |" in (tree.root / "docs/operations/limits.md").read_text()


def test_limits_fail_on_one_that_nobody_listed_and_on_one_that_is_gone(tree):
    tree.module("base").write("scripts/limits.toml", LIMITS).write("docs/operations/README.md", "")
    tree.write("src/base/base.h", "struct L { size_t bytes = 1; Duration pause = 1s; };\nconstexpr size_t kLongestName = 9;\n")
    tree.fails("limits_table", "src/base/base.h: kLongestName is a limit that", "there is no kMostTries in src/base/base.cc any more")
    tree.write("src/base/base.h", "struct L { size_t other = 1; };\n").write("src/base/base.cc", "constexpr int kMostTries = 3;\n")
    tree.fails("limits_table", "bytes has no value that can be read in src/base/base.h")


# ---- check_format, check_headers, check_tidy --------------------------------------------------------------------
def test_format_fails_on_other_layout(tree):
    tree.module("base")
    tree.passes("check_format")
    tree.write("src/base/base.cc", "int  x  =1 ;\n")
    tree.fails("check_format", "src/base/base.cc:1", "make format")


def test_headers_fail_on_one_that_needs_another_before_it(tree):
    tree.module("base").write("src/base/base.h", "#pragma once\nstd::string name();\n")
    tree.fails("check_headers", "src/base/base.h: does not compile alone")
    tree.write("src/base/base.h", "#pragma once\n#include <string>\nstd::string name();\n")
    tree.passes("check_headers")


def test_headers_fail_on_one_that_cannot_be_included_twice(tree):
    tree.module("base").write("src/base/base.h", "struct Twice {};\n")
    tree.fails("check_headers", "src/base/base.h")


PRESETS = """{"version": 6, "configurePresets": [{"name": "clang-19", "generator": "Ninja", "binaryDir": "${sourceDir}/build/clang-19",
  "cacheVariables": {"CMAKE_CXX_COMPILER": "clang++-19", "CMAKE_EXPORT_COMPILE_COMMANDS": "ON"}}]}"""


@pytest.fixture
def tidy_tree(tree):
    tree.write(".clang-tidy", (ROOT / ".clang-tidy").read_text()).write("CMakePresets.json", PRESETS)
    tree.write(".gitignore", "build/\n")
    tree.write("CMakeLists.txt", "cmake_minimum_required(VERSION 3.25)\nproject(x CXX)\nadd_library(x src/a/a.cc src/a/b.cc)\n"
               "target_include_directories(x PRIVATE src)\n")
    return tree.write("src/a/a.h", "#pragma once\nint f(int x);\n").write("src/a/a.cc", "int f(int x) { return x; }\n").write(
        "src/a/b.cc", '#include "a/a.h"\nint g(int y) { return f(y); }\n')


def test_tidy_fails_on_a_defect_and_then_passes(tidy_tree):
    tidy_tree.passes("check_tidy")
    tidy_tree.write("src/a/b.cc", "int g(int y) { int* p = nullptr; if (y == 3) return *p; return 0; }\n")
    tidy_tree.fails("check_tidy", "src/a/b.cc:1", "clang-analyzer-core.NullDereference")


def test_tidy_looks_at_all_when_the_landed_commit_is_unknown_and_at_changes_otherwise(tidy_tree):
    tidy_tree.commit()
    assert "2 of 2 files" in tidy_tree.passes("check_tidy")
    tidy_tree.commit(landed=True)
    tidy_tree.write("src/a/b.cc", '#include "a/a.h"\nint g(int y) { return f(y) + 1; }\n')
    tidy_tree.commit()
    assert "1 of 2 files" in tidy_tree.passes("check_tidy")
    tidy_tree.write("src/a/a.h", "#pragma once\nint f(int x);\nint h();\n")
    assert "2 of 2 files" in tidy_tree.passes("check_tidy")


def test_tidy_looks_at_a_changed_header_through_a_source_that_includes_it(tidy_tree):
    tidy_tree.write("src/a/c.h", '#pragma once\n#include "a/d.h"\n').write("src/a/d.h", "#pragma once\n")
    tidy_tree.write("src/a/b.cc", '#include "a/c.h"\nint g(int y) { return y; }\n')
    tidy_tree.commit(landed=True)
    tidy_tree.write("src/a/d.h", "#pragma once\nstruct Thing { Thing(int x); };\n")
    tidy_tree.commit()
    tidy_tree.fails("check_tidy", "src/a/d.h:2", "google-explicit-constructor")


def test_tidy_looks_at_the_files_that_are_named_and_says_which_it_cannot(tidy_tree):
    tidy_tree.write("src/a/b.cc", "int g(int y) { int* p = nullptr; if (y == 3) return *p; return 0; }\n")
    assert "1 of 2 files" in tidy_tree.passes("check_tidy", "src/a/a.h")
    assert tidy_tree.run("check_tidy", str(tidy_tree.root / "src/a/b.cc"))[0] == 1
    tidy_tree.write("src/a/c.cc", "")
    assert tidy_tree.run("check_tidy", "src/a/c.cc") == (1, "src/a/c.cc: no target compiles it\n")
    assert tidy_tree.run("check_tidy", "src/a/gone.cc") == (1, "src/a/gone.cc: there is no such file\n")


def test_tidy_sees_every_source_of_this_repository(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    known = load_script("check_tidy").compile_commands(ROOT)
    repository = load_script("tree.py")
    assert [str(path) for path in repository.sources(ROOT) if path.suffix == ".cc" and path not in known] == []


# ---- the front door ---------------------------------------------------------------------------------------------
def test_make_help_lists_what_the_readme_promises():
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("build", "up", "test", "check", "bench", "fuzz", "help"):
        assert re.search(rf"make {target}\b", shown), shown


def load_script(name):
    loader = importlib.machinery.SourceFileLoader(f"script_{name}", str(ROOT / "scripts" / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def make_program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)


def test_bench_runs_what_lies_in_folders_too_and_says_what_was_measured_where_and_what_not(tmp_path):
    bench = load_script("bench")
    make_program(tmp_path / "bench/gateway/compare.sh", "echo 'not measured: nginx: it is not installed'\necho 3 us\n")
    make_program(tmp_path / "bench/idle.py", "exit 1\n")
    (tmp_path / "bench/gateway/backend.c").write_text("")
    known = bench.measures(tmp_path / "build", tmp_path / "bench")
    assert list(known) == ["gateway/compare.sh", "idle.py"]
    assert bench.measure("gateway/compare.sh", known["gateway/compare.sh"], tmp_path) == (False, ["nginx: it is not installed"])
    record = json.loads((tmp_path / "gateway-compare.sh.json").read_text())
    assert record["exit"] == 0 and not record["failed"] and "3 us" in record["output"]
    assert record["machine"]["cores"] and record["date"] and record["command"].endswith("compare.sh") and "commit" in record
    assert bench.measure("idle.py", known["idle.py"], tmp_path) == (True, [])


def test_bench_fails_when_a_micro_benchmark_says_that_it_failed_or_says_nothing(tmp_path):
    bench = load_script("bench")
    say = "for word; do case $word in --benchmark_out=*) echo '{\"benchmarks\": [%s]}' >\"${word#*=}\";; esac; done\n"
    for figures, failed in (('{\\"name\\": \\"a\\"}', False), ('{\\"error_occurred\\": true}', True), ("", True)):
        make_program(tmp_path / "src/a/a_bench", (say % figures).replace('\\"', '"'))
        command = bench.measures(tmp_path / "src", tmp_path / "bench")["a_bench"]
        assert bench.measure("a_bench", command, tmp_path)[0] == failed, figures


def test_a_report_without_a_test_counts_as_failed(tmp_path):
    module = load_script("test")
    empty = tmp_path / "unit.xml"
    empty.write_text("<testsuite></testsuite>")
    assert module.read_report(empty)[1] == ["unit.xml: no test ran"]
    empty.write_text('<testsuite><testcase name="a" status="run"/><testcase name="b" status="fail"><failure/></testcase>'
                     '<testcase name="c" status="notrun"><skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/><system-out>'
                     "[ RUN      ] c\nx_test.cc:3: Skipped\nneeds root\n\n[  SKIPPED ] c (0 ms)</system-out></testcase>"
                     '<testcase name="d" status="notrun"><skipped message="Unable to find executable"/></testcase></testsuite>')
    assert module.read_report(empty) == (1, ["b", "d: its program is not there"], [("c", "needs root")])
    assert module.read_report(tmp_path / "gone.xml")[1] == ["gone.xml was not written"]


# ---- check_docs -------------------------------------------------------------------------------------------------
def test_docs_fail_on_a_link_to_nothing_and_on_a_page_that_no_index_lists(tree):
    tree.write("README.md", "[one](docs/user/one.md#part), [web](https://a.example), `[code](gone.md)`\n")
    tree.write("docs/user/README.md", "[one](one.md)\n").write("docs/user/one.md", "# One\n")
    tree.passes("check_docs")
    tree.write("docs/user/two.md", "[away](../gone.md)\n")
    tree.fails("check_docs", "docs/user/two.md:1: leads to ../gone.md", "docs/user/README.md: does not list two.md")

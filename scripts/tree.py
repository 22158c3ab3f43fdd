"""What the checks know of the repository: its source files, its modules, what has changed. Standard library only.

Every check takes --root, so that its tests can run it over a small made-up tree.
"""
import argparse
import dataclasses
import functools
import pathlib
import re
import subprocess

SOURCE_SUFFIXES = (".cc", ".h")
# tests/guest and the like may bring C of their own later; C++ is ours wherever it stands in these folders.
SOURCE_FOLDERS = ("src", "tests", "bench")
TEST_SUFFIXES = ("_test.cc", "_bench.cc", "_fuzz.cc", "_test.h", "_testing.h", "_fixture.h", "test_support.h")


def arguments(text, *more):
    """Parses the command line of a check; `more` are (flags, options) for add_argument."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    for flags, options in more:
        parser.add_argument(*flags, **options)
    parsed = parser.parse_args()
    parsed.root = parsed.root.resolve()
    return parsed


def sources(root, folders=SOURCE_FOLDERS):
    """All C++ files, relative to root, sorted."""
    found = []
    for folder in folders:
        for path in (root / folder).rglob("*"):
            if path.suffix in SOURCE_SUFFIXES and path.is_file():
                found.append(path.relative_to(root))
    return sorted(found)


@functools.cache
def listed_tests(root):
    """What a module builds only for its tests, benches and fuzzers, whatever it is called."""
    return {pathlib.Path("src") / module.folder / name for module in modules(root).values()
            for keyword in ("TESTS", "BENCHES", "FUZZERS") for name in module.words(keyword)}


def is_test(root, path):
    """True for what only tests see: it may use TEST_DEPENDS and is not part of the program."""
    return (path.parts[0] != "src" or path.name.endswith(TEST_SUFFIXES) or "testing" in path.parts
            or path in listed_tests(root) or path.with_suffix(".cc") in listed_tests(root))


INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def includes(text):
    """-> [(line number, path)] of the quoted includes."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            found.append((number, match.group(1)))
    return found


@dataclasses.dataclass
class Module:
    name: str
    folder: pathlib.Path  # relative to src
    lists: dict  # keyword of freehold_module() -> words

    def words(self, keyword):
        return self.lists.get(keyword, [])


KEYWORDS = ("SOURCES", "DEPENDS", "LIBRARIES", "TESTS", "TEST_DEPENDS", "BENCHES", "FUZZERS")


def parse_module(text, folder):
    """The freehold_module() call of one CMakeLists.txt, or None if it has none."""
    text = re.sub(r"#.*", "", text)
    match = re.search(r"\bfreehold_module\s*\(([^)]*)\)", text)
    if not match:
        return None
    words = match.group(1).split()
    module = Module(words[0], folder, {})
    keyword = None
    for word in words[1:]:
        if word in KEYWORDS:
            keyword = word
            module.lists.setdefault(keyword, [])
        elif keyword:
            module.lists[keyword].append(word)
    return module


def modules(root):
    """name -> Module, of every src/**/CMakeLists.txt that calls freehold_module()."""
    found = {}
    for path in sorted((root / "src").rglob("CMakeLists.txt")):
        module = parse_module(path.read_text(), path.parent.relative_to(root / "src"))
        if module:
            found[module.name] = module
    return found


def owner(known, path):
    """The module whose folder holds `path` (relative to src): the deepest one, or None."""
    best = None
    for module in known.values():
        if module.folder in path.parents and (best is None or len(module.folder.parts) > len(best.folder.parts)):
            best = module
    return best


def git(root, *words):
    """Output of git, or None if it fails."""
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def landed_commit(root):
    """What this change is built on: the merge base with origin/main. None if that is unknown or is HEAD itself."""
    base = git(root, "merge-base", "HEAD", "origin/main")
    return base if base and base != git(root, "rev-parse", "HEAD") else None


def changed_files(root):
    """Files that differ from the last landed commit, uncommitted ones too; None if that commit is unknown."""
    base = landed_commit(root)
    if base is None:
        return None
    changed = git(root, "diff", "--name-only", "--diff-filter=d", base) or ""
    new = git(root, "ls-files", "--others", "--exclude-standard") or ""
    return sorted(pathlib.Path(line) for line in (changed + "\n" + new).splitlines() if line)


def report(problems, fine):
    """Prints problems, or that there are none; returns the exit status."""
    for problem in problems:
        print(problem)
    if not problems:
        print(fine)
    return 1 if problems else 0

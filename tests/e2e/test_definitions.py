"""The definitions of a container image and of a Guix package name what the program needs, as far as this machine can tell."""
import re
import shutil
import subprocess

import pytest
from platform_under_test import BINARY, ROOT

READ = """
(define (quoted character port) (list 'gexp (read port)))
(for-each (lambda (character) (read-hash-extend character quoted)) '(#\\~ #\\$ #\\+))
(let loop ((form (read)) (last #f))
  (if (eof-object? form) (write (assq-ref (map (lambda (one) (if (pair? one) one (list one))) (cdr last)) 'version))
      (loop (read) form)))
"""
# As Debian and Guix call what ldd names; the C and C++ libraries come with every system and compiler.
OF_GUIX = {"libcares": "c-ares", "libfmt": "fmt@9", "libyaml-0": "libyaml", "liburing": "liburing", "libcrypto": "openssl", "libsqlite3": "sqlite",
           "libzstd": "zstd"}


def libraries():
    out = subprocess.run(["ldd", BINARY], capture_output=True, text=True, check=True).stdout
    return {name: path for name, path in re.findall(r"^\s*(\S+?)\.so\S* => (/\S+)", out, re.MULTILINE)
            if name not in ("libc", "libm", "libstdc++", "libgcc_s", "libasan", "libubsan")}


def test_the_image_holds_each_library_and_no_other():
    if shutil.which("dpkg-query") is None:
        pytest.skip("dpkg-query is not there to say which package holds a library")
    needed = set()
    for path in libraries().values():
        real = subprocess.run(["readlink", "-f", path], capture_output=True, text=True, check=True).stdout.strip()
        needed.add(subprocess.run(["dpkg-query", "-S", real], capture_output=True, text=True, check=True).stdout.split(":")[0])
    last = (ROOT / "packaging/container/Containerfile").read_text().split("FROM ")[-1]
    installed = re.search(r"--no-install-recommends (.*?) \\", last).group(1).split()
    assert set(installed) == needed | {"tini"}


def test_the_image_is_built_from_the_packages_of_the_build():
    text = (ROOT / "packaging/container/Containerfile").read_text()
    assert "/source/packages/build.txt" in text and (ROOT / "packages/build.txt").is_file()
    assert "build\n" in (ROOT / ".containerignore").read_text()


def test_guile_reads_the_package_and_it_names_each_library():
    text = (ROOT / "packaging/guix/freehold.scm").read_text()
    for library in libraries():
        assert f'"{OF_GUIX[library]}"' in text, library
    guile = shutil.which("guile")
    if guile is None:
        pytest.skip("guile is not installed")
    done = subprocess.run([guile, "--no-auto-compile", "-c", READ], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    version = re.search(r"project\(freehold VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
    assert done.stdout == f'("{version}")', done

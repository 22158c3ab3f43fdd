"""A virtual Debian 12 with systemd, cgroup v2 and its own kernel: booted, spoken to over ssh, thrown away.

    with Machine() as machine:
        machine.copy(package, "/srv/freehold.deb")
        machine.run("apt-get install -y /srv/freehold.deb")

Emulated (QEMU TCG), since the machines that build have no KVM: about thirty times slower than the real one. What it writes is
lost at its end; it has no network but the ssh that leads in.
"""
import os
import pathlib
import shlex
import shutil
import socket
import subprocess
import tempfile
import time

import image

BOOT_SECONDS = 600
MEMORY = "1024"


def wait_for(condition, seconds, what):
    """Polls until condition() gives something true, and gives that."""
    until, value = time.monotonic() + seconds, None
    while time.monotonic() < until:
        value = condition()
        if value:
            return value
        time.sleep(0.5)
    raise AssertionError(f"{what}: not within {seconds} s; last: {value!r}")


class Machine:
    def __init__(self):
        self.image = image.make()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="freehold-guest-"))
        self.console = self.folder / "console"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(
            ["nice", "-n", "1", "qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", MEMORY, "-display", "none", "-nodefaults",
             "-kernel", self.image / "vmlinuz", "-initrd", self.image / "initrd.img",
             "-append", "console=ttyS0 root=/dev/vda rw quiet no_timer_check panic=-1 systemd.default_timeout_start_sec=600s",
             "-drive", f"file={self.image / 'disk.img'},format=raw,if=virtio,snapshot=on",
             "-netdev", f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{self.port}-:22", "-device", "virtio-net-pci,netdev=net",
             "-device", "virtio-rng-pci", "-serial", f"file:{self.console}"],
            stdin=subprocess.DEVNULL, env={**os.environ, "TMPDIR": str(self.folder)})
        try:
            self.wait_for_ssh()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.ssh("-O", "exit", capture_output=True)
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def options(self):
        return ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes",
                "-o", "ControlMaster=auto", "-o", f"ControlPath={self.folder}/ssh", "-o", "ControlPersist=600",
                "-o", "ConnectTimeout=20", "-i", str(self.image / "key")]

    def ssh(self, *words, **more):
        return subprocess.run(["ssh", *self.options(), "-p", str(self.port), "root@127.0.0.1", *words], text=True, **more)

    def wait_for_ssh(self):
        until = time.monotonic() + BOOT_SECONDS
        while True:
            try:
                if self.ssh("systemctl is-system-running --wait", capture_output=True, timeout=90).stdout.strip() in ("running", "degraded"):
                    return
            except subprocess.TimeoutExpired:
                pass
            assert self.process.poll() is None and time.monotonic() < until, f"it did not boot:\n{self.console.read_text(errors='replace')[-3000:]}"
            time.sleep(1)  # nobody tells when it listens

    def run(self, command, expect=0, timeout=900):
        """A line for its shell. -> what it printed; its exit status must be as expected, unless that is None."""
        done = self.ssh(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout)
        assert expect is None or done.returncode == expect, f"{command} -> {done.returncode}\n{done.stdout}"
        return done.stdout

    def start(self, command):
        return subprocess.Popen(["ssh", *self.options(), "-p", str(self.port), "root@127.0.0.1", command], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def copy(self, source, target):
        subprocess.run(["scp", "-q", "-r", *self.options(), "-P", str(self.port), str(source), f"root@127.0.0.1:{target}"], check=True)

    def write(self, path, text):
        subprocess.run(["ssh", *self.options(), "-p", str(self.port), "root@127.0.0.1", f"mkdir -p {shlex.quote(os.path.dirname(path))}; cat > {shlex.quote(path)}"],
                       input=text, text=True, check=True)

    def boot_id(self):
        return self.run("cat /proc/sys/kernel/random/boot_id").strip()

    def reboot(self):
        before = self.boot_id()
        self.ssh("systemctl reboot", capture_output=True, timeout=60)
        self.ssh("-O", "exit", capture_output=True)
        until = time.monotonic() + BOOT_SECONDS
        while True:
            self.wait_for_ssh()
            if self.boot_id() != before:
                return
            assert time.monotonic() < until, "it did not restart"
            self.ssh("-O", "exit", capture_output=True)
            time.sleep(1)

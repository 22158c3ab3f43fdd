#!/usr/bin/python3
"""The disk of the guest: a Debian 12 with systemd, its own kernel, ssh, and what the package and the quickstart need.

  image.py        makes it, unless it is there, and prints its folder

Made of Debian's packages alone, without mounts and without network in the guest: build/guest/HASH/ holds disk.img, vmlinuz,
initrd.img and the key that opens it. HASH is of this file: a change of it makes a new one.
"""
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PACKAGES = [
    "systemd", "systemd-sysv", "dbus", "udev", "kmod", "iproute2", "procps", "openssh-server",
    "linux-image-cloud-amd64", "initramfs-tools", "zstd",
    # What the .deb depends on, so that it installs without a network; and what the quickstart runs.
    "libc-ares2", "libfmt9", "libsqlite3-0", "libssl3", "liburing2", "libyaml-0-2", "adduser", "python3", "python3-websockets",
]
DISK_SIZE = "2500M"
NETWORK = "[Match]\nName=e*\n\n[Network]\nDHCP=yes\n"


def folder():
    return ROOT / "build" / "guest" / hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest()[:12]


def make():
    target = folder()
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    work = pathlib.Path(tempfile.mkdtemp(prefix="image-", dir=target.parent))
    try:
        fill(work)
        shutil.rmtree(work / "tree")
        work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def fill(work):
    tree = work / "tree"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", work / "key"], check=True)
    public = (work / "key.pub").read_text()
    hooks = [
        "echo guest > $1/etc/hostname",
        "passwd --root $1 -d root",
        f"mkdir -p $1/root/.ssh && echo '{public.strip()}' > $1/root/.ssh/authorized_keys && chmod -R go= $1/root/.ssh",
        f"printf '{NETWORK.encode('unicode_escape').decode()}' > $1/etc/systemd/network/all.network",
        "chroot $1 systemctl -q enable systemd-networkd ssh",
        "echo '/dev/vda / ext4 errors=remount-ro 0 1' > $1/etc/fstab",
        # Nothing of this is what is tested, and each costs seconds of an emulated processor.
        "chroot $1 systemctl -q mask apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer "
        "systemd-networkd-wait-online systemd-timesyncd serial-getty@ttyS0 getty@tty1",
    ]
    subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(PACKAGES)}",
                    *[f"--customize-hook={hook}" for hook in hooks], "bookworm", tree],
                   check=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    for name in ["vmlinuz", "initrd.img"]:
        shutil.copy(tree / name, work / name)
    shutil.rmtree(tree / "var/cache/apt", ignore_errors=True)
    subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext4", "-d", tree, work / "disk.img", DISK_SIZE], check=True)


if __name__ == "__main__":
    print(make())

"""What `freehold export` wrote, run by hand: the units' commands in their environment, and nginx with its configuration.

Of systemd's syntax it reads what the export writes: quotes, backslashes, %i, %%, $$, and the keys below. The folders of the
machine that the export would be laid over are led into the export itself.
"""
import os
import pathlib
import shlex
import shutil
import socket
import subprocess


def keys_of(text):
    found = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def words(line):
    return [word.replace("$$", "$") for word in shlex.split(line)]


class ExportedSite:
    def __init__(self, folder, name):
        self.folder, self.root, self.name = folder, folder / "root", name
        self.units = self.root / "etc/systemd/system"
        self.processes = []
        for path in (self.root / "etc").rglob("*"):
            if path.is_file():
                text = path.read_text()
                for place in (f"/opt/{name}", f"/etc/nginx/{name}/"):
                    text = text.replace(place, f"{self.root}{place}")
                path.write_text(text)

    def unit(self, path, instance):
        return keys_of(path.read_text().replace("%%", "\0").replace("%i", instance).replace("\0", "%"))

    def start_all(self):
        wanted = keys_of((self.units / f"{self.name}.target").read_text())["Wants"]
        # One that is needed by another stands in its After=.
        services = [unit for unit in wanted if unit.endswith(".service")]
        after = {unit: self.service(unit).get("After", [""])[0].split() for unit in services}
        started = []
        while services:
            unit = next(one for one in services if not set(after[one]) & set(services))
            services.remove(unit)
            self.start(unit)
            started.append(unit)
        return started

    def service(self, wanted):
        stem, at, instance = wanted.removesuffix(".service").partition("@")
        return self.unit(self.units / f"{stem}{at}.service", instance)

    def start(self, wanted):
        unit, folder = self.service(wanted), self.service(wanted)["WorkingDirectory"][0]
        environment = {"PATH": "/usr/bin:/bin"}
        for line in unit.get("Environment", []):
            environment.update([word.split("=", 1) for word in shlex.split(line)])
        for file in unit.get("EnvironmentFile", []):
            environment.update([word.split("=", 1) for word in shlex.split(pathlib.Path(file).read_text())])
        for line in unit.get("LoadCredential", []):
            environment["CREDENTIALS_DIRECTORY"] = str(self.folder / "credentials" / wanted)
            name, file = line.split(":", 1)
            os.makedirs(environment["CREDENTIALS_DIRECTORY"], exist_ok=True)
            shutil.copy(file, pathlib.Path(environment["CREDENTIALS_DIRECTORY"], name))
        command, passed = words(unit["ExecStart"][0]), ()
        for required in " ".join(unit.get("Requires", [])).split():
            if required.endswith(".socket"):
                stem, at, instance = required.removesuffix(".socket").partition("@")
                given = self.unit(self.units / f"{stem}{at}.socket", instance)
                host, port = given["ListenStream"][0].rsplit(":", 1)
                self.listener = socket.create_server((host, int(port)))
                os.dup2(self.listener.fileno(), 3)
                passed = (3,)
                environment.update(LISTEN_FDS="1", LISTEN_FDNAMES=given["FileDescriptorName"][0])
                command = ["/bin/sh", "-c", 'LISTEN_PID=$$ exec "$@"', "given", *command]
            else:
                subprocess.run(words(self.service(required)["ExecStart"][0]), env=environment, cwd=folder, timeout=30, check=True)
        self.processes.append(subprocess.Popen(command, env=environment, cwd=folder, pass_fds=passed, stdin=subprocess.DEVNULL))
        for line in unit.get("ExecStartPost", []):
            subprocess.run(words(line), env=environment, cwd=folder, timeout=30, check=True)

    def serve(self, nginx):
        """nginx with conf.d inside of http, as Debian has it."""
        places = " ".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        main = self.folder / "nginx.conf"
        main.write_text(f"{'user root;' if os.geteuid() == 0 else ''} daemon off; pid {self.folder}/nginx.pid; events {{}}\n"
                        f"http {{ access_log off; {places} include {self.root}/etc/nginx/conf.d/*.conf; }}\n")
        command = [nginx, "-e", f"{self.folder}/nginx.log", "-c", main]
        checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr
        self.processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL))

    def close(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            process.wait(20)

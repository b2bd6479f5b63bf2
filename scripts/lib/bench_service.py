"""Starts the service on SQLite in a folder of its own, for the scripts that measure it under load."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


class Service:
    """A running service."""

    def __init__(self, program, folder, settings):
        self.program, self.folder = program, folder
        self.env = {"DATABASE_URL": f"sqlite:{folder}/rollcall.db", "PATH": os.environ["PATH"], **settings}
        self.running = self.port = None

    def run(self, *arguments, input="", env=None):
        command = [self.program, *arguments]
        env = {**self.env, **(env or {})}
        ended = subprocess.run(command, input=input, cwd=self.folder, env=env, text=True, capture_output=True)
        if ended.returncode != 0:
            sys.exit(f"{' '.join(command)}\n{ended.stderr}")
        return ended.stdout

    def add_person(self, email, password, env=None):
        return self.run("user", "add", "--email", email, "--password-stdin", input=password, env=env).strip()

    def start(self):
        log = Path(self.folder) / "log"
        with log.open("w") as output:
            serve = [self.program, "serve", "--listen", "127.0.0.1:0"]
            self.running = subprocess.Popen(serve, stdout=output, stderr=output, cwd=self.folder, env=self.env)
        for _ in range(600):
            found = re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text())
            if found:
                self.port = int(found[1])
                return
            if self.running.poll() is not None:
                break
            time.sleep(0.1)
        sys.exit(f"the service doesn't start:\n{log.read_text()}")

    def memory(self):
        """Returns the resident memory in MB."""
        status = Path(f"/proc/{self.running.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def stop(self):
        if self.running:
            self.running.send_signal(signal.SIGTERM)
            self.running.wait()


@contextlib.contextmanager
def service(program, **settings):
    """Yields a service that is not started yet, and stops it."""
    with tempfile.TemporaryDirectory() as folder:
        made = Service(program, folder, settings)
        try:
            yield made
        finally:
            made.stop()


def program_of(parser, options):
    program = os.path.abspath(options.rollcall)
    if not os.access(program, os.X_OK):
        parser.error(f"{program} is not there: build it, or name another with --rollcall")
    return program

"""Measures the two most frequent requests of one client. Called by scripts/bench, which says what it
prints."""

import argparse
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
EMAIL, PASSWORD = "ada@example.org", "correct horse battery staple"
# As many as have the statements planned on every connection of the pool.
WARM_UP = 500
NAME = "rollcall_bench_requests"


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench requests")
    parser.add_argument("--database", required=True, metavar="URL")
    parser.add_argument("--log", help=argparse.SUPPRESS)
    parser.add_argument("--requests", type=int, default=5000, metavar="N")
    parser.add_argument("--rollcall", default=str(ROOT / "target/release/rollcall"), metavar="PROGRAM")
    options = parser.parse_args()
    program = os.path.abspath(options.rollcall)
    if not os.access(program, os.X_OK):
        parser.error(f"{program} is not there: build it, or name another with --rollcall")
    print("| database | request | a second | CPU of the service | CPU of PostgreSQL |")
    print("| --- | --- | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        measure("SQLite", f"sqlite:{folder}/rollcall.db", program, folder, options.requests)
    psql(options.database, f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
    psql(options.database, f"CREATE DATABASE {NAME}")
    url = urllib.parse.urlsplit(options.database)._replace(path=f"/{NAME}").geturl()
    try:
        with tempfile.TemporaryDirectory() as folder:
            measure("PostgreSQL", url, program, folder, options.requests)
    finally:
        psql(options.database, f"DROP DATABASE {NAME} WITH (FORCE)")


def psql(url, sql):
    command = ["psql", url, "-qXAt", "-v", "ON_ERROR_STOP=1", "-c", sql]
    ended = subprocess.run(command, text=True, capture_output=True)
    if ended.returncode != 0:
        sys.exit(f"{sql}\n{ended.stderr}")
    return ended.stdout


def measure(database, url, program, folder, number):
    common = {"cwd": folder, "env": {"DATABASE_URL": url, "PATH": os.environ["PATH"]}, "text": True}
    add = [program, "user", "add", "--email", EMAIL, "--password-stdin"]
    subprocess.run(add, input=PASSWORD, check=True, stdout=subprocess.DEVNULL, **common)
    log = Path(folder) / "log"
    with log.open("w") as output:
        serve = [program, "serve", "--listen", "127.0.0.1:0"]
        running = subprocess.Popen(serve, stdout=output, stderr=output, **common)
    try:
        client = Client(port_in(log, running))
        for what, request in [("sessions/current", client.current), ("auth/refresh", client.refresh)]:
            for _ in range(WARM_UP):
                request()
            servers = backends(database, url)
            service, server = cpu([running.pid]), cpu(servers)
            began = time.perf_counter()
            for _ in range(number):
                request()
            took = time.perf_counter() - began
            service, server = cpu([running.pid]) - service, cpu(servers) - server
            print(
                f"| {database} | {what} | {number / took:,.0f} | {service / number * 1e6:.0f} µs"
                f" | {server / number * 1e6:.0f} µs |",
                flush=True,
            )
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait()


def port_in(log, running):
    for _ in range(600):
        found = re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text())
        if found:
            return int(found[1])
        if running.poll() is not None:
            break
        time.sleep(0.1)
    sys.exit(f"the service doesn't start:\n{log.read_text()}")


def backends(database, url):
    """Returns the processes of PostgreSQL that work for the service, where they are on this machine."""
    if database != "PostgreSQL":
        return []
    pids = psql(url, "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
    return [int(pid) for pid in pids.split() if Path(f"/proc/{pid}").exists()]


def cpu(pids):
    """Returns the seconds of processor time that processes have used."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


class Client:
    """One connection, on which one request follows the other."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port)
        self.tokens = self.call("POST", "/api/v1/auth/login", {"email": EMAIL, "password": PASSWORD})

    def call(self, method, path, body=None, headers=None):
        headers = {"content-type": "application/json", **(headers or {})}
        self.connection.request(method, path, body and json.dumps(body), headers)
        response = self.connection.getresponse()
        text = response.read()
        if response.status != 200:
            sys.exit(f"{method} {path}: {response.status}\n{text.decode()}")
        return json.loads(text)

    def current(self):
        token = f"Bearer {self.tokens['access_token']}"
        self.call("GET", "/api/v1/sessions/current", headers={"authorization": token})

    def refresh(self):
        body = {"refresh_token": self.tokens["refresh_token"]}
        self.tokens |= self.call("POST", "/api/v1/auth/refresh", body)


main()

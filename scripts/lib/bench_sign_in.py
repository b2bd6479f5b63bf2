"""Measures how long a refused sign-in takes by kind of account. Called by scripts/bench, which says what
it prints."""

import argparse
import http.client
import json
import random
import re
import socket
import sqlite3
import sys
import time
import urllib.request
import uuid

from bench_service import ROOT, program_of, service

PASSWORD = "correct horse battery staple"
COMPOSED, DECOMPOSED = "cr\u00e8me br\u00fbl\u00e9e", "cre\u0300me bru\u0302le\u0301e"
# The hash of a cheaper setting, as from before it was raised.
CHEAPER = {"ROLLCALL_PASSWORDS__MEMORY_KIB": "9728"}
# What the row of each kind of account is changed to.
KINDS = {
    "unknown": None,
    "known": "",
    "disabled": "is_active = FALSE",
    "of an application": "password_hash = '!'",
    "void password": "password_hash = '!c2hvcnRlbmVk'",
    "cheaper hash": "password_hash = :cheaper",
}
TYPED = {"wrong": "wrong password", "composed": COMPOSED, "decomposed": DECOMPOSED}


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench sign-in")
    parser.add_argument("--tries", type=int, default=100, metavar="N")
    parser.add_argument("--rollcall", default=str(ROOT / "target/release/rollcall"), metavar="PROGRAM")
    options = parser.parse_args()
    metrics = free_port()
    settings = {
        "ROLLCALL_METRICS__LISTEN": f"127.0.0.1:{metrics}",
        # Each try comes from an address of its own, so that none is refused for the one before.
        "ROLLCALL_TRUSTED_PROXIES": "127.0.0.1/32",
    }
    with service(program_of(parser, options), **settings) as running:
        running.add_person("cheaper@example.org", PASSWORD, env=CHEAPER)
        running.add_person("known@example.org", PASSWORD)
        make_accounts(f"{running.folder}/rollcall.db", options.tries * len(TYPED))
        running.start()
        measure(running.port, metrics, options.tries)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def make_accounts(path, number):
    """Copies the known account, so that each try is the first one of its account."""
    database = sqlite3.connect(path)
    database.row_factory = sqlite3.Row
    rows = {row["email"]: dict(row) for row in database.execute("SELECT * FROM users")}
    known, cheaper = rows["known@example.org"], rows["cheaper@example.org"]["password_hash"]
    columns = ", ".join(known)
    places = ", ".join(f":{column}" for column in known)
    for kind, change in KINDS.items():
        for try_number in range(number):
            if change is not None:
                made = {**known, "id": uuid.uuid4().bytes, "email": email(kind, try_number)}
                database.execute(f"INSERT INTO users ({columns}) VALUES ({places})", made)
        if change:
            database.execute(
                f"UPDATE users SET {change} WHERE email LIKE '{slug(kind)}-%'",
                {"cheaper": cheaper} if ":cheaper" in change else {},
            )
    database.commit()
    database.close()


def slug(kind):
    return kind.replace(" ", "")


def email(kind, number):
    return f"{slug(kind)}-{number}@example.org"


def measure(port, metrics, tries):
    times = {(kind, typed): [] for kind in KINDS for typed in TYPED}
    hashes = dict.fromkeys(times, 0)
    order = [(key, number) for key in times for number in range(tries)]
    # At random, so that what else happens on the machine is in every distribution.
    random.shuffle(order)
    computed = read_hashes(metrics)
    for (kind, typed), number in order:
        account = number + list(TYPED).index(typed) * tries
        took = sign_in(port, email(kind, account), TYPED[typed])
        now = read_hashes(metrics)
        times[kind, typed].append(took)
        hashes[kind, typed] += now - computed
        computed = now
    print("| account | typed | hashes | least | 10 % | median | 90 % | 99 % |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for typed in TYPED:
        for kind in KINDS:
            sample = sorted(times[kind, typed])
            at = lambda share: f"{sample[min(int(share * len(sample)), len(sample) - 1)] * 1000:.1f} ms"
            marks = " | ".join(at(share) for share in (0, 0.1, 0.5, 0.9, 0.99))
            print(f"| {kind} | {typed} | {hashes[kind, typed] / tries:g} | {marks} |")


def read_hashes(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as response:
        return int(re.search(r"^rollcall_password_hashes_total (\d+)", response.read().decode(), re.M)[1])


def sign_in(port, address, password):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.connect()
    source = ".".join(str(random.randrange(1, 255)) for _ in range(4))
    headers = {"content-type": "application/json", "x-forwarded-for": source}
    body = json.dumps({"email": address, "password": password})
    began = time.perf_counter()
    connection.request("POST", "/api/v1/auth/login", body, headers)
    response = connection.getresponse()
    text = response.read()
    took = time.perf_counter() - began
    connection.close()
    if response.status != 401:
        sys.exit(f"{address}: {response.status}\n{text.decode()}")
    return took


if __name__ == "__main__":
    main()

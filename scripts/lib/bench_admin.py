"""Measures the administrator's lists of sessions. Called by scripts/bench, which says what it prints."""

import argparse
import contextlib
import itertools
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = 50
DEEP = 100
RUNS = 5
SLOW = 0.050
# Going to a page a hundred pages in stops after this many seconds, wherever it is then.
PATIENCE = 30
WRITES = 10_000

# Each filter with a frequent and a rare value, as scripts/seed makes them.
FILTERS = [
    {},
    {"state": "ended"},
    {"state": "any"},
    {"user": "administrator@example.org"},
    {"reason": "expired"},
    {"reason": "reuse_detected"},
    {"kind": "desktop"},
    {"kind": "console"},
    {"browser": "Chrome"},
    {"browser": "LG Browser"},
    {"os": "Windows"},
    {"os": "webOS"},
    {"country": "Germany"},
    {"country": "Iceland"},
    {"country": "Atlantis"},
    {"ip": "198.18.0.1"},
    {"ip": "10.0.0.0/8"},
    {"ip": "2001:db8:1::/48"},
    {"application": "Shop 2"},
    {"mark": "country_changed"},
    {"mark": "impossible_travel"},
    {"opened_from": "7d"},
    {"opened_to": "150d"},
    {"used_from": "1d"},
    {"used_to": "30d"},
    {"q": "ada"},
    {"q": "silva.17@example.org"},
    {"q": "nobody at all"},
]
PAIRED = [
    {"state": "ended"},
    {"kind": "console"},
    {"browser": "Firefox"},
    {"country": "Iceland"},
    {"ip": "10.0.0.0/8"},
    {"application": "Shop 2"},
    {"used_to": "30d"},
    {"opened_from": "7d"},
    {"q": "ada"},
]


def main():
    options = parse_arguments()
    for size in options.sizes:
        with database(options, size) as place:
            print(f"\n## {size:,} sessions, {'SQLite' if options.sqlite else 'PostgreSQL'}\n", flush=True)
            slow = measure_lists(place, options)
            if slow and not options.sqlite:
                print_plans(place, options, slow)
            if not options.sqlite:
                measure_writes(place)


def parse_arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench admin")
    parser.add_argument("--sizes", default="10000,1000000")
    parser.add_argument("--database", metavar="URL")
    parser.add_argument("--log", type=Path, metavar="FILE")
    parser.add_argument("--sqlite", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--rollcall", default=str(ROOT / "target/release/rollcall"), metavar="PROGRAM")
    options = parser.parse_args()
    options.sizes = [int(size.replace("_", "")) for size in options.sizes.split(",")]
    if not os.access(options.rollcall, os.X_OK):
        parser.error(f"{options.rollcall} is not there: build it, or name another with --rollcall")
    options.rollcall = os.path.abspath(options.rollcall)
    return options


# -------------------------------------------------------------------------- the database and the service


@contextlib.contextmanager
def database(options, size):
    """Yields the URL of a seeded database."""
    if options.sqlite:
        folder = Path(tempfile.gettempdir()) if options.keep else Path(tempfile.mkdtemp())
        path = folder / f"rollcall-bench-{size}.db"
        url, is_there = f"sqlite:{path}", path.exists()
    else:
        name = f"rollcall_bench_{size}"
        url = urllib.parse.urlsplit(options.database)._replace(path=f"/{name}").geturl()
        is_there = bool(psql(options.database, f"SELECT 1 FROM pg_database WHERE datname = '{name}'"))
        if not is_there:
            psql(options.database, f"CREATE DATABASE {name}")
    try:
        if not is_there:
            seed = [ROOT / "scripts/seed", "--sessions", str(size), "--database", url]
            command = [*seed, "--rollcall", options.rollcall]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            if not options.sqlite:
                # What is measured are the plans, not the settling of new rows.
                psql(url, "VACUUM ANALYZE")
        yield url
    finally:
        if not options.keep:
            if options.sqlite:
                for file in folder.glob(f"{path.name}*"):
                    file.unlink()
                folder.rmdir()
            else:
                psql(options.database, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def psql(url, sql):
    command = ["psql", url, "-qXAt", "-v", "ON_ERROR_STOP=1", "-c", sql]
    ended = subprocess.run(command, text=True, capture_output=True)
    if ended.returncode != 0:
        sys.exit(f"{sql}\n{ended.stderr}")
    return ended.stdout.strip()


@contextlib.contextmanager
def service(url, program):
    """Yields a client of the service on that database."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {"DATABASE_URL": url, "PATH": os.environ["PATH"], "HOME": folder}
        common = {"cwd": folder, "env": environment, "text": True}
        key = [program, "api-key", "add", "--name", f"bench {time.time_ns()}", "--scope", "admin:read"]
        added = subprocess.run(key, capture_output=True, **common)
        found = re.search(r"^secret\s+(\S+)", added.stdout, re.MULTILINE)
        if not found:
            sys.exit(f"no key can be made:\n{added.stderr}")
        # The secrets file is made by hand for a database that has sessions.
        subprocess.run([program, "key", "create"], capture_output=True, **common)
        log = open(Path(folder) / "log", "w+")
        serve = [program, "serve", "--listen", "127.0.0.1:0"]
        running = subprocess.Popen(serve, stdout=log, stderr=log, **common)
        try:
            yield Client(address_in(log, running), found[1])
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait()


def address_in(log, running):
    for _ in range(600):
        log.flush()
        log.seek(0)
        text = log.read()
        found = re.search(r"http://127\.0\.0\.1:\d+", text)
        if found:
            return found[0]
        if running.poll() is not None:
            break
        time.sleep(0.1)
    sys.exit(f"the service doesn't start:\n{text}")


class Client:
    def __init__(self, base, secret):
        self.base, self.secret = base, secret

    def list(self, query):
        """Returns how long a page took, and the page."""
        query = urllib.parse.urlencode({**query, "limit": PAGE})
        request = urllib.request.Request(f"{self.base}/api/v1/admin/sessions?{query}")
        request.add_header("authorization", f"Bearer {self.secret}")
        began = time.perf_counter()
        try:
            with urllib.request.urlopen(request) as response:
                body = response.read()
        except urllib.error.HTTPError as refused:
            sys.exit(f"GET /api/v1/admin/sessions?{query}: {refused.code}\n{refused.read().decode()}")
        return time.perf_counter() - began, json.loads(body)

    def median(self, query):
        took = [self.list(query)[0] for _ in range(RUNS)]
        return statistics.median(took)


# ------------------------------------------------------------------------------------------------- lists


def measure_lists(url, options):
    """Prints the table. Returns the queries that were slow."""
    slow = []
    combined = [{**a, **b} for a, b in itertools.combinations(PAIRED, 2)]
    print("| filter | matches | first | deep | page | last |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    with service(url, options.rollcall) as client:
        client.median({})
        for chosen in FILTERS + combined:
            is_ended = chosen.get("state") == "ended" or "reason" in chosen
            sort = "ended" if is_ended else "used"
            first_query = {**chosen, "sort": f"-{sort}"}
            _, page = client.list(first_query)
            deep_query, number = go_deep(client, first_query, page)
            cells = []
            for query in (first_query, deep_query, {**chosen, "sort": sort}):
                median = client.median(query)
                _, page_there = client.list(query)
                if median > SLOW:
                    slow.append((median, query))
                cells.append(f"{median * 1000:.1f} ms{' (partial)' if page_there['is_partial'] else ''}")
            total = page["total"]
            count = f"{'' if total['is_exact'] else 'about '}{total['count']:,}"
            words = " ".join(f"{name}:{value}" for name, value in chosen.items()) or "(none)"
            print(f"| {words} | {count} | {cells[0]} | {cells[1]} | {number} | {cells[2]} |", flush=True)
    return sorted(slow, key=lambda each: -each[0])


def go_deep(client, query, page):
    """Returns the query of the page that is a hundred pages in, or of the last one before it."""
    began = time.monotonic()
    deep, number = query, 1
    while number < DEEP and page["next_cursor"] and time.monotonic() - began < PATIENCE:
        deep = {**query, "cursor": page["next_cursor"]}
        number += 1
        _, page = client.list(deep)
    return deep, number


def print_plans(url, options, slow):
    """Requests what was slow again, with the plans of its statements in the server's log."""
    if not options.log:
        print("\nOver 50 ms, without plans, since the server's log was not named with --log:\n")
        for median, query in slow:
            print(f"  {median * 1000:.1f} ms  {urllib.parse.urlencode(query)}")
        return
    name = urllib.parse.urlsplit(url).path.lstrip("/")
    settings = {
        "session_preload_libraries": "'auto_explain'",
        "auto_explain.log_min_duration": f"'{SLOW * 1000:.0f}ms'",
        "auto_explain.log_analyze": "on",
        "auto_explain.log_buffers": "on",
        "auto_explain.log_timing": "off",
    }
    psql(url, "LOAD 'auto_explain'; " + "; ".join(
        f"ALTER DATABASE {name} SET {key} = {value}" for key, value in settings.items()
    ))
    try:
        with service(url, options.rollcall) as client:
            for median, query in slow:
                where = options.log.stat().st_size
                client.list(query)
                with options.log.open(errors="replace") as log:
                    log.seek(where)
                    plans = log.read().strip()
                print(f"\n{median * 1000:.1f} ms: {urllib.parse.urlencode(query)}\n")
                print(plans or "  (no single statement took longer than 50 ms)")
    finally:
        psql(url, f"ALTER DATABASE {name} RESET ALL")


# ------------------------------------------------------------------------------------------------ writes

ADMINISTRATOR_S = "indexrelid::regclass::text ~ '^user_sessions_(live|past|with)_'"
OTHER_COLUMNS = """SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
    WHERE attrelid = 'user_sessions'::regclass AND attnum > 0 AND NOT attisdropped AND attname <> ALL (ARRAY[
        'id', 'refresh_token_jti', 'created_at', 'last_used_at', 'last_used_bucket', 'sweep_at'])"""
NEW_ID = """(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')
    || '7' || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid"""


def measure_writes(url):
    """Each statement in a transaction that is rolled back, with all indexes and without the
    administrator's: many rows of one statement, so that neither the network nor the disk's flush is
    measured, and few of a page, as uses come."""
    indexes = psql(url, f"SELECT indexrelid::regclass FROM pg_index WHERE {ADMINISTRATOR_S}"
                        " AND indrelid = 'user_sessions'::regclass").split()
    columns = psql(url, OTHER_COLUMNS)
    statements = {
        "a sign-in": f"""INSERT INTO user_sessions (id, refresh_token_jti, created_at, last_used_at,
            last_used_bucket, sweep_at, {columns})
            SELECT {NEW_ID}, md5(random()::text) || md5(random()::text), now(), now(),
            floor(extract(epoch FROM now()) / 600)::integer, expires_at, {columns}
            FROM user_sessions TABLESAMPLE BERNOULLI (2) WHERE is_active LIMIT {WRITES}""",
        "a use in the same ten minutes": f"""UPDATE user_sessions SET last_used_at = last_used_at
            + interval '1 second', expires_at = expires_at + interval '1 second'
            WHERE id IN (SELECT id FROM user_sessions TABLESAMPLE BERNOULLI (2) WHERE is_active LIMIT {WRITES})""",
        "a use later than that": f"""UPDATE user_sessions SET last_used_at = now(),
            last_used_bucket = floor(extract(epoch FROM now()) / 600)::integer + 1
            WHERE id IN (SELECT id FROM user_sessions TABLESAMPLE BERNOULLI (2) WHERE is_active LIMIT {WRITES})""",
    }
    print(f"\n| write | with all indexes | without the administrator's {len(indexes)} |")
    print("| --- | ---: | ---: |")
    drop = "".join(f"DROP INDEX {index};" for index in indexes)
    for what, sql in statements.items():
        cells = [f"{statistics.median(time_of(url, before, sql) for _ in range(3)):.0f} µs" for before in ("", drop)]
        print(f"| {what} | {cells[0]} | {cells[1]} |", flush=True)
    print("\n| index | size |\n| --- | ---: |")
    sizes = psql(url, "SELECT indexrelid::regclass, pg_size_pretty(pg_relation_size(indexrelid)) FROM pg_index"
                      " WHERE indrelid = 'user_sessions'::regclass ORDER BY pg_relation_size(indexrelid) DESC")
    table = psql(url, "SELECT pg_size_pretty(pg_table_size('user_sessions'))")
    for line in sizes.splitlines():
        print(f"| {line.replace('|', ' | ')} |")
    print(f"| *(the table itself)* | {table} |", flush=True)


def time_of(url, before, sql):
    """Returns the microseconds of a row."""
    plan = json.loads(psql(url, f"BEGIN; {before} EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}; ROLLBACK"))[0]
    written = next(nodes(plan["Plan"]))["Plans"][0]["Actual Rows"]
    return plan["Execution Time"] * 1000 / max(1, written)


def nodes(plan):
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


main()

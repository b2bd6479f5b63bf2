"""Measures honest requests and memory during a flood of sign-ins. Called by scripts/bench, which says
what it prints."""

import argparse
import asyncio
import collections
import http.client
import json
import multiprocessing
import threading
import time

from bench_service import ROOT, program_of, service

EMAIL, PASSWORD = "ada@example.org", "correct horse battery staple"
# Each comes from a network of its own.
FLOOD, VISITOR, OWNER = "127.0.0.2", "127.0.0.3", "127.0.0.4"
SIGN_INS, STEP_UPS = 20, 8


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench flood")
    parser.add_argument("--connections", default="400,500", metavar="N,…")
    parser.add_argument("--rollcall", default=str(ROOT / "target/release/rollcall"), metavar="PROGRAM")
    options = parser.parse_args()
    program = program_of(parser, options)
    print("| connections | sign-ins | slowest | step-ups | slowest | MB before | during | after | the flood got |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
    for connections in options.connections.split(","):
        with service(program) as running:
            measure(running, int(connections))


def measure(running, connections):
    running.add_person(EMAIL, PASSWORD)
    running.start()
    # What the first of everything allocates is no part of a flood.
    token = sign_in(running.port, OWNER)[1]["access_token"]
    before = running.memory()
    peak = Peak(running)
    answers = multiprocessing.Queue()
    stop = multiprocessing.Event()
    flood = multiprocessing.Process(target=run_flood, args=(running.port, connections, stop, answers))
    flood.start()
    time.sleep(3)
    sign_ins, step_ups = [], []
    for number in range(SIGN_INS):
        sign_ins.append(timed(lambda: sign_in(running.port, VISITOR)[0]))
        if number % (SIGN_INS // STEP_UPS) == 0 and len(step_ups) < STEP_UPS:
            began = time.perf_counter()
            status, body = step_up(running.port, token)
            token = body.get("access_token", token)
            step_ups.append((status, time.perf_counter() - began))
        time.sleep(0.1)
    stop.set()
    got = answers.get()
    flood.join()
    time.sleep(2)
    after = running.memory()
    statuses = ", ".join(f"{count} × {status}" for status, count in sorted(got.items()))
    print(
        f"| {connections} | {succeeded(sign_ins)} | {succeeded(step_ups)} | {before:.0f} | {peak.stop():.0f}"
        f" | {after:.0f} | {statuses} |",
        flush=True,
    )


def succeeded(results):
    good = sum(status == 200 for status, _ in results)
    slowest = max(took for _, took in results)
    return f"{good} of {len(results)} | {slowest * 1000:.0f} ms"


def timed(request):
    began = time.perf_counter()
    return request(), time.perf_counter() - began


class Peak:
    """The highest resident memory, read ten times a second."""

    def __init__(self, running):
        self.running, self.highest, self.is_over = running, 0, threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        while not self.is_over.wait(0.1) and self.running.running.poll() is None:
            self.highest = max(self.highest, self.running.memory())

    def stop(self):
        self.is_over.set()
        self.thread.join()
        return self.highest


def call(port, source, path, body, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=(source, 0))
    headers = {"content-type": "application/json", **(headers or {})}
    try:
        connection.request("POST", path, json.dumps(body), headers)
        response = connection.getresponse()
        text = response.read()
    except OSError as failure:
        return type(failure).__name__, {}
    finally:
        connection.close()
    return response.status, json.loads(text) if text else {}


def sign_in(port, source):
    return call(port, source, "/api/v1/auth/login", {"email": EMAIL, "password": PASSWORD})


def step_up(port, token):
    headers = {"authorization": f"Bearer {token}"}
    return call(port, OWNER, "/api/v1/auth/confirm", {"password": PASSWORD}, headers)


def run_flood(port, connections, stop, answers):
    got = collections.Counter()

    async def connection(number):
        tries = 0
        while not stop.is_set():
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(FLOOD, 0))
                while not stop.is_set():
                    tries += 1
                    body = json.dumps({"email": f"n{number}-{tries}@example.org", "password": "x" * 300})
                    head = (
                        "POST /api/v1/auth/login HTTP/1.1\r\nhost: flood\r\ncontent-type: application/json\r\n"
                        f"user-agent: flood/{number}.{tries}\r\ncontent-length: {len(body)}\r\n\r\n"
                    )
                    writer.write((head + body).encode())
                    await writer.drain()
                    got[await status(reader)] += 1
            except (OSError, asyncio.IncompleteReadError):
                got["cut off"] += 1
                await asyncio.sleep(0.1)

    async def run():
        tasks = [asyncio.create_task(connection(number)) for number in range(connections)]
        while not stop.is_set():
            await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(run())
    answers.put(got)


async def status(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    for line in head.split("\r\n"):
        if line.startswith("content-length:"):
            await reader.readexactly(int(line.split(":")[1]))
    return head.split()[1]


if __name__ == "__main__":
    main()

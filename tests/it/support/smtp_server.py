"""A real SMTP server for the tests. It stores each message as a JSON file, and prints its port."""

import argparse
import asyncio
import email
import email.policy
import json
import logging
import ssl
import sys
import warnings
from pathlib import Path

from aiosmtpd.smtp import SMTP, TLSSetupException


class Handler:
    """Handles messages; files in the control folder change how."""

    def __init__(self, arguments):
        self.messages = arguments.messages
        self.control = arguments.control
        self.implicit_tls = arguments.security == "implicit"
        self.count = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.is_set("refuse"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.is_set("reject"):
            return "451 4.3.0 try later"
        self.store(session, envelope)
        if self.is_set("drop"):
            server.transport.abort()
            # The end of the connection cancels this: no response is written.
            await asyncio.Event().wait()
        return "250 2.0.0 OK"

    async def handle_exception(self, error):
        # A client that does not trust the certificate disconnects, which is no error.
        if not isinstance(error, TLSSetupException):
            logging.error("the test's SMTP server failed", exc_info=error)
        return "421 4.3.0 the test's SMTP server failed"

    def is_set(self, name):
        return (self.control / name).exists()

    def store(self, session, envelope):
        login = session.auth_data
        record = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": self.implicit_tls or session.ssl is not None,
            "user": login.login.decode() if login else None,
            "data": envelope.content.decode("utf-8", "replace"),
        }
        record.update(parts_of(envelope.content))
        self.count += 1
        name = f"{self.count:04}"
        new = self.messages / f"{name}.new"
        new.write_text(json.dumps(record))
        new.rename(self.messages / f"{name}.json")


def parts_of(content):
    """Returns the decoded headers and texts of a message."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    return {
        "headers": [[name, str(value)] for name, value in message.items()],
        "plain": text_of(message, "plain"),
        "html": text_of(message, "html"),
    }


def text_of(message, kind):
    body = message.get_body(preferencelist=(kind,))
    return "" if body is None else body.get_content().replace("\r\n", "\n")


def settings_of(arguments, context):
    """Returns the arguments as settings of aiosmtpd."""
    settings = {"hostname": "localhost", "enable_SMTPUTF8": True}
    if arguments.security == "starttls":
        settings |= {"tls_context": context, "require_starttls": True}
    if arguments.user is not None:
        expected = (arguments.user.encode(), arguments.password.encode())
        settings |= {
            "auth_required": True,
            # aiosmtpd does not detect implicit TLS, and would refuse every login over it.
            "auth_require_tls": arguments.security == "starttls",
            "auth_callback": lambda mechanism, *login: login == expected,
        }
    return settings


async def serve(arguments):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(arguments.certificate, arguments.key)
    handler = Handler(arguments)
    settings = settings_of(arguments, context)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(handler, loop=loop, **settings),
        "127.0.0.1",
        arguments.port,
        ssl=context if arguments.security == "implicit" else None,
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    # Standard input is closed when the test ends, in whatever way.
    await loop.run_in_executor(None, sys.stdin.read)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--messages", type=Path, required=True)
    parser.add_argument("--control", type=Path, required=True)
    parser.add_argument("--certificate", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--security", choices=["plain", "starttls", "implicit"], default="plain")
    parser.add_argument("--user")
    parser.add_argument("--password")
    # Some tests log in without TLS; aiosmtpd warns of it for each connection.
    warnings.simplefilter("ignore")
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    asyncio.run(serve(parser.parse_args()))


main()

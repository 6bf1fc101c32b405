"""What the checks of real clients share: the server that they ask, watched by its CPU, and the table of what each client can do."""

import os
import sys
import threading
import time

STEPS = ["connect", "tables", "typed", "refusal", "cancel"]
# Works until it is ended.
LONG = (
    "select count(*) from published.indicator_values a, published.indicator_values b, published.indicator_values c, "
    "published.indicator_values d where a.value + b.value * c.value > d.value"
)


def need(condition, what):
    if not condition:
        raise AssertionError(what)


class Server:
    """A running Amanat on this machine. `args` has host, port, pid and key_file."""

    def __init__(self, args):
        self.host, self.port, self.pid, self.key_file = args.host, args.port, args.pid, args.key_file
        self.key = open(args.key_file).read().strip()
        self.java = args.java

    def cpu(self):
        """CPU seconds of the server so far."""
        fields = open(f"/proc/{self.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def is_idle(self):
        """Waits until the server uses less than half a core for a while; well before the question's own limit of 30 s ends it."""
        until = time.monotonic() + 10
        while time.monotonic() < until:
            before = self.cpu()
            time.sleep(0.4)
            if self.cpu() - before < 0.2:
                return True
        return False

    def ended(self, run, cancel=None):
        """Runs a question, cancels it when it works, and says after how many milliseconds it ended. Without a way to cancel, the
        session's own limit must end it."""
        outcome = {}

        def work():
            try:
                run()
                outcome["error"] = "the question was answered"
            except Exception as error:  # whatever the client calls it
                outcome["error"] = error
            outcome["at"] = time.monotonic()

        thread = threading.Thread(target=work)
        thread.start()
        before = self.cpu()
        if cancel:
            while thread.is_alive() and self.cpu() - before < 0.2:
                time.sleep(0.01)
            asked = time.monotonic()
            cancel()
        thread.join(20)
        need(not thread.is_alive(), "the question goes on")
        text = f"{getattr(outcome['error'], 'sqlstate', '')} {outcome['error']}"
        ends = ("57014", "withdrawn", "cancel") if cancel else ("57014", "takes longer than")
        need(any(end in text.lower() for end in ends), f"another error: {text}")
        need(self.is_idle(), "the CPU is not free again")
        return f"{(outcome['at'] - asked) * 1000:.0f} ms" if cancel else "by its limit"


def arguments(parser):
    """What every check is told."""
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--pid", type=int, required=True)
    parser.add_argument("--key-file", required=True)
    parser.add_argument("--java")
    parser.add_argument("clients", nargs="*")


def table(server, known, names):
    """Asks by each client, prints what it could do, and says whether all could do all. A client gives each step, or what the client
    itself cannot do in its place."""
    passed = 0
    print("| client | " + " | ".join(STEPS) + " |\n|---|" + "---|" * len(STEPS))
    for name in names:
        found = []
        try:
            for step in known[name](server):
                found.append("yes" if step in STEPS else step)
        except Exception as error:
            print(f"{name}: {STEPS[min(len(found), 4)]}: {type(error).__name__}: {error}", file=sys.stderr)
            found += ["NO"] + ["–"] * (len(STEPS) - len(found) - 1)
        passed += "NO" not in found
        print(f"| {name} | " + " | ".join(found) + " |", flush=True)
    print(f"{passed} of {len(names)} clients")
    return passed == len(names)

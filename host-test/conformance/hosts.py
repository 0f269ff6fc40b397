"""Plays the table of cases in every component host, runs every example, and compares docs/embedding.md with the results.

    hosts.py --stand-in PROGRAM --embed-rust PROGRAM --component FILE --gated FILE --python PROGRAM [--wasmtime PROGRAM] [--write]

--write writes the page's marked parts; without it they are compared: the table of hosts, except for the versions of Node and Python, which
are the machine's, and the examples' text. FILE of --gated is the component behind the gatekeeper for 127.0.0.1 (`make gated`).
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import play

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "embedding.md"
GATEKEEPER_CASES = ROOT / "host-test" / "gatekeeper" / "cases.json"
EXAMPLES = {
    "examples/embed-rust/src/main.rs": "rust",
    "examples/embed-node/embed.mjs": "js",
    "examples/embed-python/embed.py": "python",
}
FLOW = "/api/sn_cico/flow_starter/my_flow"
# What a flow does → what an example says of it. Two are no behaviours: the password is wrong, the host is another than the gatekeeper's.
PROMISES = [
    ("normal", "started: "),
    ({"fault": "reset-within-body"}, "started, but the response is lost: "),
    ({"fault": "close"}, "unknown, look in ServiceNow before you retry: "),
    ("semaphore", "not started, retry later: "),
    ("wrong password", "not started, fix this first: "),
    ("other host", "not started, fix this first: "),
]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("stand-in", "embed-rust", "component", "gated", "python"):
        arguments.add_argument(f"--{name}", required=True, type=lambda path: str(pathlib.Path(path).absolute()))
    arguments.add_argument("--write", action="store_true")
    given = arguments.parse_args()

    failures = []
    rows = [own_row(failures)]
    for command in (["node", f"{ROOT}/host-test/node/host.mjs"], [given.python, f"{ROOT}/host-test/python/host.py"]):
        row = played(given, command, given.component, [], failures)
        gate = played(given, command, given.gated, ["--cases", str(GATEKEEPER_CASES)], failures)
        rows.append(row and gate and row | {"gate": f"{gate['passed']} of {gate['cases']}"})
    examples(given, failures)
    if all(rows):
        table = written_table(rows)
        print(table)
        compare_page(table, given.write, failures)
    for failure in failures:
        print(failure, file=sys.stderr)
    sys.exit(1 if failures else 0)


def own_row(failures):
    """Our own host, which the Rust tests play the table in, over HTTPS."""
    print("==== flow-starter-host", flush=True)
    if subprocess.run(["cargo", "test", "--locked", "--workspace", "--test", "it", "conformance"], cwd=ROOT).returncode:
        failures.append("the table fails in our own host")
        return None
    count = sum(len(json.loads((play.HERE / f"{name}.json").read_text("utf-8"))) for name in play.TABLES)
    wasmtime = re.search(r'name = "wasmtime"\nversion = "([^"]+)"', (ROOT / "Cargo.lock").read_text("utf-8"))[1]
    own = {"host": "flow-starter-host", "runtime": "Rust", "packages": f"wasmtime {wasmtime}"}
    return own | {"cases": count, "passed": count, "differing": 0, "gate": "covered by its example"}


def played(given, command, component, more, failures):
    print(f"==== {' '.join(pathlib.Path(part).name for part in command)} {pathlib.Path(component).name}", flush=True)
    player = [sys.executable, str(play.HERE / "play.py"), "--stand-in", given.stand_in, "--component", component, *more]
    done = subprocess.run([*player, "--", *command], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        failures.append(f"{command} fails with {pathlib.Path(component).name}: see above")
        return None
    print(done.stdout.strip())
    return json.loads(done.stdout)


def examples(given, failures):
    """Each example as a stranger has it: its files alone, in an empty folder."""
    for name, files, prepare, command, component in (
        ("embed-rust", [], None, [given.embed_rust], given.component),
        ("embed-rust", [], None, [given.embed_rust], given.gated),
        ("embed-node", ["package.json", "package-lock.json", "embed.mjs"], ["npm", "ci", "--silent"], ["node", "embed.mjs"], given.component),
        ("embed-node", ["package.json", "package-lock.json", "embed.mjs"], ["npm", "ci", "--silent"], ["node", "embed.mjs"], given.gated),
        ("embed-python", ["embed.py"], None, [given.python, "embed.py"], given.gated),
    ):
        print(f"==== {name} {pathlib.Path(component).name}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            for file in files:
                shutil.copy(ROOT / "examples" / name / file, folder)
            if prepare:
                subprocess.run(prepare, cwd=folder, check=True)
            stand_in = play.StandIn(given.stand_in)
            try:
                for behaviour, promise in PROMISES:
                    wrong = kept(stand_in, [*command, component], folder, behaviour, promise, component == given.gated)
                    if wrong:
                        failures.append(f"{name} with {pathlib.Path(component).name}: {behaviour}: {wrong}")
            finally:
                stand_in.end()


def kept(stand_in, command, folder, behaviour, promise, gated):
    """None, or how an example has broken its promise."""
    stand_in.ask("DELETE", "/behaviours")
    stand_in.ask("DELETE", "/requests")
    origin, password = f"http://{stand_in.address}", "demo-password"
    if behaviour == "wrong password":
        password = "not-the-password"
    elif behaviour == "other host":
        # The example allows what it is given, so that only a gatekeeper can say no here.
        origin = origin.replace("127.0.0.1", "localhost")
        promise = promise if gated else "started: "
    else:
        stand_in.ask("POST", "/behaviours", {"path": FLOW, "behaviour": behaviour})
    environment = os.environ | {"SN_USER": "camunda", "SN_PASSWORD": password}
    done = subprocess.run([*command, origin], cwd=folder, env=environment, text=True, timeout=120, capture_output=True)
    requests = len(stand_in.ask("GET", "/requests"))
    print(f"{behaviour}: {done.stdout.strip()}")
    if done.returncode or not done.stdout.startswith(promise):
        return f"it says {done.stdout!r} {done.stderr[-2000:]!r}"
    if requests != (0 if behaviour == "other host" and gated else 1):
        return f"{requests} requests have arrived"
    return "it shows the password" if password in done.stdout + done.stderr else None


def written_table(rows):
    lines = ["| host | versions | cases passed | of these with a known difference | behind the gatekeeper |", "|---|---|---|---|---|"]
    for row in rows:
        passed = f"{row['passed']} of {row['cases']}"
        lines.append(f"| {row['host']} | {row['runtime']}; {row['packages']} | {passed} | {row['differing']} | {row['gate']} |")
    return "\n".join(lines)


def compare_page(table, write, failures):
    text = PAGE.read_text("utf-8")
    parts = {"the hosts' table": (r"(<!-- hosts -->\n)(.*?)(<!-- end -->)", table + "\n")}
    for file, language in EXAMPLES.items():
        code = f"```{language}\n{(ROOT / file).read_text('utf-8').rstrip()}\n```"
        parts[file] = (rf"(<!-- {re.escape(file)} -->\n)(.*?)(<!-- end -->)", code + "\n")
    for name, (marked, must) in parts.items():
        found = re.search(marked, text, re.S)
        if not found:
            failures.append(f"docs/embedding.md has no marked part for {name}")
        elif write:
            text = text[: found.start(2)] + must + text[found.end(2) :]
        elif of_the_machine(found[2]) != of_the_machine(must):
            failures.append(f"docs/embedding.md: {name} differs from this run: `make host-table` writes it")
    if write:
        PAGE.write_text(text, "utf-8")


def of_the_machine(table):
    return re.sub(r"\| (Node|Python) [0-9.]+;", r"| \1;", table)


main()

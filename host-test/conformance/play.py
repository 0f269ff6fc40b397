"""Plays the table of cases in a component host that is not ours, against the stand-in, and judges as ../tests/conformance does.

    play.py --stand-in PROGRAM --component FILE [--only PART-OF-A-NAME] [--cases FILE] -- COMMAND…

COMMAND is the host: it gets the component's file as its last argument, says `{"host", "runtime", "packages"}`, and then, for each line of
its standard input (the JSON door's input, as a JSON text), one of `{"answer": text}`, `{"error": record}` or `{"trap": text}`.

These hosts neither trust the stand-in's certificate authority nor find it under another name, so their cases go over plain HTTP: what the
input calls `acme` gets `snEndpoint`, and the header `host` is that address. `differences.json` holds every case in which a host gives
something else than our own: a merge patch (RFC 7396) of what the case expects, why, and where that is known upstream. It is exact: a host
that gives what is stated there passes, one that gives anything else fails, and so does one that no longer differs (unless it differs only
`sometimes`, in a race).
"""

import argparse
import base64
import copy
import json
import pathlib
import re
import subprocess
import sys
import threading
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
TABLES = ["answers", "authentication", "refusals", "requests"]
BASE = HERE / "base.json"
INSTANCE = "acme.service-now.com"
TOKEN_ENDPOINT = "/oauth_token.do"
# Of the component, as its user agent says it.
VERSION = re.search(r'^version = "(.+)"$', (HERE.parent.parent / "Cargo.toml").read_text("utf-8"), re.M)[1]
# No case waits longer than half a second; a slow machine may.
LONGEST = 15.0
# A proxy of the machine's is not for loopback.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Wrong(Exception):
    """What was not as it must be."""


class StandIn:
    """The stand-in program, told and asked by its control address."""

    def __init__(self, program):
        # It says a line for each request; what nobody reads would stop it in the end.
        self.process = subprocess.Popen([program], stdout=subprocess.PIPE, text=True)
        greeting = []
        for line in self.process.stdout:
            greeting.append(line)
            if line.startswith("Try it:"):
                break
        greeting = "".join(greeting)
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        self.address = re.search(r"^http +(\S+)$", greeting, re.M)[1]
        self.control = re.search(r"^control +(\S+)/$", greeting, re.M)[1]
        self.credentials = credentials(greeting)

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.control + path, data, method=method)
        with DIRECT.open(request, timeout=10) as answer:
            return json.load(answer)

    def end(self):
        self.process.terminate()
        self.process.wait()


def credentials(greeting):
    """All that must come out of no call, as given and as basic authentication sends it."""
    found = []
    for what, value in re.findall(r"^(user|API key|OAuth|bearer) +(.+?)  \(", greeting, re.M):
        if what in ("user", "OAuth"):
            name, secret = value.split(" / ")
            found += [secret, base64.b64encode(f"{name}:{secret}".encode()).decode()]
        else:
            found.append(value)
    if len(found) < 5:
        raise SystemExit("the stand-in's greeting does not tell its credentials")
    return found


class Host:
    """A component host: a process that takes a call a line."""

    def __init__(self, command, component):
        self.command = [*command, component]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.command[0]} did not start")
        told = json.loads(line)
        self.name, self.runtime, self.packages = told["host"], told["runtime"], told["packages"]

    def execute(self, text):
        self.process.stdin.write(json.dumps(text) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            code = self.process.wait()
            self.start()
            return {"trap": f"the host's process ended with {code}"}
        return json.loads(line)

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)


def cases(address, files):
    for file in files:
        text = file.read_text("utf-8").replace("${stand-in}", address).replace("${port}", address.split(":")[1])
        text = text.replace("${version}", VERSION)
        for case in json.loads(text):
            yield file.stem, over_plain_http(case, address)


def over_plain_http(case, address):
    """The same case with the stand-in's address for plain HTTP in place of the instance's name."""
    case = copy.deepcopy(case)
    endpoint = f"http://{address}"
    # An input that is refused is refused as it stands: nothing is requested. An endpoint beside it could make it a right one.
    refused = case.get("requests", 1) == 0 and case.get("error", {}).get("kind") == "invalid-input"
    if "raw" in case:
        # Byte for byte but for this.
        if not refused:
            text = re.sub(r'"snEndpoint":(null|"")', f'"snEndpoint":"{endpoint}"', case["raw"])
            case["text"] = text if text != case["raw"] else text.replace("{", '{"snEndpoint":"%s",' % endpoint, 1)
        else:
            case["text"] = case["raw"]
    else:
        value = merged(json.loads(BASE.read_text("utf-8")), case.get("input", {}))
        if isinstance(value, dict) and value.get("snInstance") == "acme" and "snEndpoint" not in value and not refused:
            value["snEndpoint"] = endpoint
            if value.get("snTarget") == "instance":
                value["snTarget"] = "url"
        elsewhere = value.get("authentication") if isinstance(value, dict) else None
        if isinstance(elsewhere, dict) and not refused and str(elsewhere.get("oauthTokenEndpoint", "")).startswith(f"https://{INSTANCE}/"):
            elsewhere["oauthTokenEndpoint"] = elsewhere["oauthTokenEndpoint"].replace(f"https://{INSTANCE}", endpoint)
        case["text"] = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for sent in (case.get("sent"), case.get("sentForToken")):
        if sent and sent.get("headers", {}).get("host") == INSTANCE:
            sent["headers"]["host"] = address
    return case


def merged(target, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    target = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = merged(target.get(name), value)
    return target


class Played:
    """What came of a case: what the host gave, and what the stand-in had and did."""

    def __init__(self, stand_in, host, case):
        stand_in.ask("DELETE", "/behaviours")
        stand_in.ask("DELETE", "/requests")
        for path, behaviour in case.get("server", {}).items():
            stand_in.ask("POST", "/behaviours", {"path": path, "behaviour": behaviour})
        begun = time.monotonic()
        self.gave = host.execute(case["text"])
        self.took = time.monotonic() - begun
        self.requests = stand_in.ask("GET", "/requests")
        self.starts = stand_in.ask("GET", "/starts")
        self.text = case["text"]

    def hold_what_must_always_hold(self, known):
        """Whatever a host makes of a case: nothing is called not started that may have started, and no credential comes out."""
        error = self.gave.get("error")
        told = copy.deepcopy(self.gave)
        if "answer" in told:
            # The process asked for the body as it is.
            told["answer"] = json.loads(told["answer"])
            told["answer"].pop("body", None)
        told = json.dumps(told, ensure_ascii=False)
        sent = [value.split(" ", 1)[-1] for request in self.requests for value in header(request, "authorization")]
        for credential in known + [value for value in sent if len(value) >= 4]:
            if credential in told:
                raise Wrong(f"a credential came out: {told}")
        if not error:
            return
        arrived = any(it["complete"] and it["target"].split("?")[0] != TOKEN_ENDPOINT for it in self.requests)
        status = (error.get("response") or {}).get("status")
        refused = status not in (None, 202, 303, 408) and (300 <= status <= 499 or status == 503 or error["kind"] == "not-servicenow")
        if error["flow"] == "not-started" and self.starts:
            raise Wrong("a flow was started, and the error says that none was")
        if error["flow"] == "not-started" and arrived and not refused:
            raise Wrong("the whole request arrived and was not refused, and the error says that no flow was started")
        if error["flow"] == "started" and not any(200 <= (it["answered"] or 0) <= 299 for it in self.requests):
            raise Wrong("no 2xx was sent, and the error says that a flow was started")
        if error["retryable"] and error["flow"] != "not-started":
            raise Wrong("only what did not start is safe to try again")
        for value in private(self.text):
            if value in error["message"]:
                raise Wrong(f"the message holds {value!r} of the input: {error['message']}")

    def hold(self, case):
        """All that the case expects."""
        if case.get("trap"):
            same("trap", self.gave.get("trap"), case["trap"])
        elif "answer" in case:
            self.hold_answer(case["answer"])
        else:
            self.hold_error(case["error"])
        same("requests", len(self.requests), case.get("requests", 1))
        same("starts", len(self.starts), case.get("starts", int("answer" in case)))
        hold_sent("to the token endpoint: ", case.get("sentForToken"), self.requests[:1])
        hold_sent("", case.get("sent"), self.requests[-1:])
        if self.took > LONGEST:
            raise Wrong(f"it took {self.took:.1f} s")

    def hold_answer(self, expected):
        if "answer" not in self.gave:
            raise Wrong(f"it failed: {self.gave}")
        answer = json.loads(self.gave["answer"])
        same("status", answer["status"], expected["status"])
        for name in ("reason", "body"):
            if name in expected:
                same(name, answer[name], expected[name])
        for name, value in expected.get("headers", {}).items():
            same(f"header {name}", answer["headers"].get(name), value)
        own = "executionId" in expected or "sysId" in expected
        for name, flavour in (("executionId", "execution-id"), ("sysId", "sys-id")):
            issued = self.starts[-1]["id"] if self.starts and expected.get("id", "execution-id") == flavour else None
            same(name, answer.get(name), expected.get(name) if own else issued)

    def hold_error(self, expected):
        error = self.gave.get("error")
        if not error:
            raise Wrong(f"it is no error: {self.gave}")
        told, response = error["message"], error.get("response") or {}
        headers, body = response.get("headers", []), response.get("body", "")
        same("kind", error["kind"], expected["kind"], told)
        same("flow", error["flow"], expected["flow"])
        same("retryable", error["retryable"], expected.get("retryable", False))
        same("retry-after-ms", error.get("retryAfterMs"), expected.get("retryAfterMs"))
        same("status", response.get("status"), expected.get("status"))
        if expected.get("body") is not None:
            same("body", body, expected["body"])
        for name, value in expected.get("headers", {}).items():
            same(f"header {name}", [own for known, own in headers if known == name], listed(value))
        for part in expected.get("says", []):
            if part not in told:
                raise Wrong(f"the message does not say {part!r}: {told}")
        for part in expected.get("unsaid", []) + expected.get("hides", []):
            if part in told:
                raise Wrong(f"the message says {part!r}: {told}")
        for secret in expected.get("hides", []):
            if secret in json.dumps([headers, body], ensure_ascii=False):
                raise Wrong(f"the response shows {secret!r}: {headers} {body}")


def hold_sent(where, expected, requests):
    if not expected:
        return
    if not requests:
        raise Wrong(f"{where}nothing was sent")
    for name in ("method", "target", "body"):
        if expected.get(name) is not None:
            same(where + name, requests[0][name], expected[name])
    for name, value in expected.get("headers", {}).items():
        same(f"{where}header {name}", header(requests[0], name), listed(value))


def header(request, name):
    return [value for own, value in request["headers"] if own.lower() == name.lower()]


def listed(value):
    """A value, a list for repeats, or null for none."""
    return value if isinstance(value, list) else [] if value is None else [value]


def private(text):
    """What the input holds that no message may hold; shorter values are words of ordinary sentences."""
    try:
        given = json.loads(text)
    except ValueError:
        return
    if not isinstance(given, dict):
        return
    authentication = given.get("authentication")
    authentication = authentication if isinstance(authentication, dict) else {}
    for value, shortest in [
        (given.get("headers"), 8),
        (given.get("body"), 8),
        *((authentication.get(name), 4) for name in ("password", "token", "value", "clientSecret")),
    ]:
        yield from (leaf for leaf in leaves(value) if len(leaf) >= shortest)


def leaves(value):
    """The texts and numbers in a value, wherever they stand in it."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield str(value)


def same(what, found, must, told=None):
    if found != must or type(found) is not type(must):
        raise Wrong(f"{what} is {found!r}, not {must!r}" + (f" ({told})" if told else ""))


def differences(host, known):
    """Case name → the difference; a name that is no case is a mistake."""
    found = {}
    for difference in json.loads((HERE / "differences.json").read_text("utf-8")):
        if host not in difference["hosts"]:
            continue
        for name in difference["cases"]:
            if name not in known or name in found:
                raise SystemExit(f"differences.json: {name} is no case, or stands twice for {host}")
            found[name] = difference
    return found


def play(stand_in, host, case, difference):
    """None, or what is wrong; and whether the host differed as it is stated."""
    try:
        played = Played(stand_in, host, case)
        played.hold_what_must_always_hold(stand_in.credentials)
    except Wrong as wrong:
        return str(wrong), False
    as_said = unmet(played, case)
    if difference is None:
        return as_said, False
    if as_said is None:
        stale = None if difference.get("sometimes") else "it does what the case says, and differences.json says that it does not"
        return stale, False
    # What is a race is not counted: the table in docs/embedding.md would not be the same twice.
    return unmet(played, merged(case, difference["instead"])), not difference.get("sometimes")


def unmet(played, case):
    try:
        played.hold(case)
    except Wrong as wrong:
        return str(wrong)
    return None


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--stand-in", required=True, help="the program servicenow-stand-in")
    arguments.add_argument("--component", required=True, help="the component's file")
    arguments.add_argument("--only", default="", help="cases whose name holds this")
    arguments.add_argument("--cases", type=pathlib.Path, help="another file of cases, in place of the table")
    arguments.add_argument("host", nargs="+", help="the host's command")
    given = arguments.parse_args()

    stand_in = StandIn(given.stand_in)
    try:
        files = [given.cases] if given.cases else [HERE / f"{table}.json" for table in TABLES]
        table = list(cases(stand_in.address, files))
        host = Host(given.host, given.component)
        stated = {} if given.cases else differences(host.name, {case["name"] for _, case in table})
        failed = passed = differing = 0
        for file, case in table:
            if given.only not in case["name"]:
                continue
            wrong, differs = play(stand_in, host, case, stated.get(case["name"]))
            if wrong:
                failed += 1
                print(f"{file}: {case['name']}: {wrong}", file=sys.stderr)
            else:
                passed += 1
                differing += differs
        host.end()
    finally:
        stand_in.end()
    result = {"host": host.name, "runtime": host.runtime, "packages": host.packages}
    print(json.dumps(result | {"cases": passed + failed, "passed": passed, "differing": differing}))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

"""Plays the same inputs through Camunda's REST connector (the judge) and through flow-starter, and compares what came of them.

    compare.py --stand-in PROGRAM --flow-starter PROGRAM [--only PART-OF-A-NAME]

Compared are the requests on the wire, and what a process sees: the response, or the error. cases.json holds the inputs, and for each which
differences are expected; differences.json holds the reason for each of these. It fails on a difference that no reason covers, and on a
reason that covers none. What both sides did is written to results.json.
"""

import argparse
import base64
import collections
import concurrent.futures
import contextlib
import fnmatch
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent / "conformance"))
from play import StandIn, TOKEN_ENDPOINT  # noqa: E402

BUILT = HERE.parent.parent / "target" / "judge"
OLDEST_JAVA = 21
FLOWS = ["/api/sn_cico/flow_starter/my_flow", "/api/sn_cico/flow_starter/parameter_flow/{number}"]
# What differs from run to run and from machine to machine. It is replaced, so that results.json changes only where a program does.
CHANGING = [
    (re.compile(r"\(Java/[0-9._+]+\)"), "(Java)"),
    (re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"), "Tue, 01 Sep 2026 10:00:00 GMT"),
    (re.compile(r"httpclient_boundary_[0-9a-f-]{36}"), "httpclient_boundary_0"),
    (re.compile(r"JSESSIONID=[0-9A-F]{32}"), "JSESSIONID=0"),
    (re.compile(r"glide_user_route=glide\.[0-9a-f]{32}"), "glide_user_route=glide.0"),
]
STARTED = {"answer": {"status": 200, "body": '{"result":{"executionId":"ndoxeRhshDSezldeGfbYlviFSeFnBjCO"}}'}}
TOKEN = {"answer": {"status": 200, "body": '{"access_token":"token-of-the-endpoint","token_type":"Bearer","expires_in":1799,"scope":"useraccount"}'}}
# Of the connection, not of the message.
IGNORED_HEADERS = {"connection"}
ABSENT = None
# Seconds for one call of flow-starter. No case waits longer than a second; a slow machine may.
LONGEST = 60


class Number:
    """A JSON number as it was written: 1.10 is not 1.1."""

    def __init__(self, text):
        self.text = text

    def __eq__(self, other):
        return isinstance(other, Number) and self.text == other.text

    def __hash__(self):
        return hash(self.text)


def load(text):
    return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=Number)


def dump(value):
    """JSON without white space, as an engine has it: numbers as they were written, members in their order."""
    if isinstance(value, Number):
        return value.text
    if isinstance(value, dict):
        return "{" + ",".join(f"{dump(name)}:{dump(item)}" for name, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(dump, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def in_order(value):
    """The members of an error by name: Java's maps have another order in each run. A body's order is compared."""
    if isinstance(value, dict):
        return {name: item if name == "body" else in_order(item) for name, item in sorted(value.items())}
    return value


class Side:
    """One of the two programs, with a stand-in of its own."""

    def __init__(self, stand_in):
        self.stand_in = StandIn(stand_in)
        self.origin = f"http://{self.stand_in.address}"

    def play(self, case, base):
        self.stand_in.ask("DELETE", "/behaviours")
        self.stand_in.ask("DELETE", "/requests")
        for path in FLOWS:
            self.behave(path, case.get("server", STARTED))
        self.behave(TOKEN_ENDPOINT, case.get("token", TOKEN))
        outcome = self.call({**base, **case.get("input", {})}, case)
        requests = [seen(request) for request in self.stand_in.ask("GET", "/requests")]
        text = dump({"requests": requests, **outcome}).replace(self.stand_in.address, "stand-in")
        for pattern, fixed in CHANGING:
            text = pattern.sub(fixed, text)
        return load(text)

    def behave(self, path, behaviour):
        self.stand_in.ask("POST", "/behaviours", json.loads(dump({"path": path, "behaviour": behaviour})))

    def located(self, value):
        return dump(value).replace("${stand-in}", self.origin)

    def end(self):
        self.stand_in.end()


class Camunda(Side):
    """The judge: one process for all cases."""

    def __init__(self, stand_in, java):
        super().__init__(stand_in)
        options = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{BUILT}/classes{os.pathsep}{BUILT}/lib/*"]
        self.process = subprocess.Popen(
            [java, *options, "Judge"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
        )
        self.read()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("the judge has ended")
        return load(line)

    def call(self, given, case):
        variables = {name: value for name, value in given.items() if not name.startswith("sn") and name != "restApiTriggerPath"}
        # As the hidden field of the official template makes it.
        variables["url"] = self.origin + given["restApiTriggerPath"]
        variables.update(case.get("camunda", {}))
        job = {"variables": self.located(variables), "secrets": case.get("secrets", {})}
        self.process.stdin.write(dump(job) + "\n")
        self.process.stdin.flush()
        answer = self.read()
        if answer["outcome"] == "complete":
            return {"response": answer["response"]}
        return {"error": in_order(answer["failure"]["error"])}

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)
        super().end()


class FlowStarter(Side):
    """`flow-starter trigger`: one process for each case."""

    def __init__(self, stand_in, program):
        super().__init__(stand_in)
        compiled = str(BUILT / "flow-starter.cwasm")
        # Compiling the component takes a second each time; loading it takes none.
        subprocess.run([program, "compile", "--to", compiled], check=True, stdout=subprocess.DEVNULL)
        settings = ["--config", os.devnull, "--precompiled", compiled, "--allow", self.origin, "--proxy", "none"]
        self.command = [program, "trigger", "-", "--output", "json", *settings]

    def call(self, given, case):
        secrets = {f"SECRET_{name}": value for name, value in case.get("secrets", {}).items()}
        # No setting of the machine's counts.
        environment = {**{name: value for name, value in os.environ.items() if not name.startswith("FLOW_STARTER_")}, **secrets}
        played = subprocess.run(
            self.command,
            input=self.located({**given, "snEndpoint": self.origin}),
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=LONGEST,
        )
        if not played.stdout:
            raise SystemExit(f"flow-starter has written nothing for {case['name']}: {played.stderr}")
        answer = load(played.stdout)
        if "error" not in answer:
            return {"response": answer}
        return {"error": error_of_a_process(answer["error"], answer["requests"])}


def error_of_a_process(error, requests):
    """What the job worker shows to an error expression."""
    response = error.get("response")
    answered = [request["status"] for request in requests if request["status"]]
    if answered:
        code = answered[-1].text
    else:
        code = {"invalid-input": "INVALID_INPUT", "denied": "DENIED"}.get(error["kind"], "408")
    variables = {"kind": error["kind"], "flow": error["flow"], "retryable": error["retryable"]}
    if response:
        variables["response"] = response
    return {"code": code, "message": error["message"], "type": error["kind"], "variables": variables}


def seen(request):
    """A request on the wire. Header values are shown as ISO-8859-1, one character for each byte."""
    lines = base64.b64decode(request["head_base64"]).decode("iso-8859-1").split("\r\n")
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon and name.lower() not in IGNORED_HEADERS:
            headers.setdefault(name.lower(), []).append(value.strip(" "))
    body = request["body"]
    if body is None:
        body = {"base64": request["body_base64"]}
    method, _, target = lines[0].rpartition(" ")[0].partition(" ")
    return {"method": method, "target": target, "headers": headers, "body": body}


def differing(camunda, ours):
    """Each aspect in which the two differ, with what each has there."""
    found = {}

    def compare(aspect, theirs, own):
        if theirs != own:
            found[aspect] = (theirs, own)

    for purpose in ("token", "request"):
        sent = [[it for it in side["requests"] if is_for_token(it) == (purpose == "token")] for side in (camunda, ours)]
        compare(f"{purpose}s", *(len(requests) for requests in sent))
        if all(sent):
            for name in ("method", "target", "body"):
                compare(f"{purpose}.{name}", *(requests[0][name] for requests in sent))
            headers = [requests[0]["headers"] for requests in sent]
            same_body = sent[0][0]["body"] == sent[1][0]["body"]
            for name in sorted({*headers[0], *headers[1]}):
                if name == "content-length" and not same_body:
                    continue
                compare(f"{purpose}.headers.{name}", *(of.get(name, ABSENT) for of in headers))

    completed = ["completes" if "response" in side else "fails" for side in (camunda, ours)]
    if completed[0] != completed[1]:
        compare("outcome", *map(told, (camunda, ours)))
    if completed == ["completes", "completes"]:
        for name in ("status", "reason"):
            compare(f"response.{name}", camunda["response"].get(name), ours["response"].get(name))
        compare_answer("response", camunda["response"], ours["response"], compare)
    elif completed == ["fails", "fails"]:
        theirs, own = camunda["error"], ours["error"]
        compare("error.code", theirs.get("code"), own["code"])
        compare("error.type", theirs.get("type"), own["type"])
        # Ours is a whole sentence, with the status and its phrase in it.
        if f"(status {theirs.get('code')} {theirs.get('message')})" not in own["message"]:
            compare("error.message", theirs.get("message"), own["message"])
        answers = [(error.get("variables") or {}).get("response") for error in (theirs, own)]
        if all(answers):
            compare_answer("error.variables.response", *answers, compare)
        else:
            compare("error.variables.response", *(bool(answer) and "present" for answer in answers))
    return found


def told(side):
    if "response" in side:
        return {"completes": side["response"]["status"]}
    return {"fails": side["error"]["message"]}


def is_for_token(request):
    return request["target"].split("?")[0] == TOKEN_ENDPOINT


def compare_answer(aspect, theirs, own, compare):
    known = theirs.get("headers") or {}
    names = {name.lower() for name in known}
    for name, value in known.items():
        compare(f"{aspect}.headers.{name}", value, own["headers"].get(name, ABSENT))
    for name, value in own["headers"].items():
        # Ours has every name in lower case as well.
        if name.lower() not in names:
            compare(f"{aspect}.headers.{name}", ABSENT, value)
    compare(f"{aspect}.body", theirs.get("body"), own["body"])
    if theirs.get("body") == own["body"]:
        compare(f"{aspect}.key-order", *(dump(answer.get("body")) for answer in (theirs, own)))


class Reasons:
    """differences.json: an id, the aspects that it covers in the cases that name it, and why. `everywhere`: what it covers in all cases, where
    the two values match these regular expressions."""

    def __init__(self):
        self.table = load((HERE / "differences.json").read_text("utf-8"))
        self.unused = set(self.table)

    def covering(self, aspect, theirs, own, expected):
        for name in expected:
            if name not in self.table:
                raise SystemExit(f"cases.json: {name} is not in differences.json")
            if any(fnmatch.fnmatchcase(aspect, pattern) for pattern in self.table[name].get("aspects", [])):
                return name
        for name, reason in self.table.items():
            for pattern in reason.get("everywhere", []):
                values = [re.fullmatch(pattern[side], shown(value)) for side, value in (("camunda", theirs), ("ours", own))]
                if fnmatch.fnmatchcase(aspect, pattern["aspect"]) and all(values):
                    return name
        return None


def judge(case, camunda, ours, reasons):
    """Aspect → the reason's id; the aspects that nothing explains; and what is wrong, in lines."""
    expected = [] if case["expected"] == "same" else case["expected"]
    explained, unexplained, wrong, lacking = {}, [], [], {}
    for aspect, (theirs, own) in differing(camunda, ours).items():
        reason = reasons.covering(aspect, theirs, own, expected)
        if reason:
            explained[aspect] = reason
            reasons.unused.discard(reason)
            continue
        headers, found, name = aspect.rpartition(".headers.")
        if found and own is ABSENT:
            lacking.setdefault(headers + ".headers", []).append(name)
        else:
            unexplained.append(aspect)
            wrong += [f"{aspect} differs, and nothing explains it", f"    Camunda: {shown(theirs)}", f"    ours:    {shown(own)}"]
    for headers, names in lacking.items():
        unexplained.append(headers)
        wrong.append(f"{headers}: ours lacks {', '.join(sorted(names))}")
    for name in expected:
        if name not in explained.values():
            wrong.append(f"expected to differ by `{name}`, and does not: take it out of `expected`")
    return explained, unexplained, wrong


def shown(value):
    return "nothing" if value is ABSENT else dump(value)


def java_home():
    """A JDK that is new enough: JAVA_HOME, or else the newest where Linux distributions install them."""
    given = os.environ.get("JAVA_HOME")
    if given and java_version(pathlib.Path(given)) >= OLDEST_JAVA:
        return given
    known = [(java_version(home), str(home)) for home in pathlib.Path("/usr/lib/jvm").glob("*")]
    version, newest = max(known, default=(0, None))
    return newest if version >= OLDEST_JAVA else None


def java_version(home):
    """0 if there is no JDK, which has a compiler, in this directory."""
    if not (home / "bin" / "javac").exists():
        return 0
    try:
        version = re.search(r'^JAVA_VERSION="(\d+)', (home / "release").read_text("utf-8"), re.M)
    except OSError:
        return 0
    return int(version[1]) if version else 0


def skip(why):
    if os.environ.get("CI"):
        raise SystemExit(f"compare: {why}")
    print(f"compare: skipped: {why}")
    raise SystemExit(0)


def build(home):
    """The judge, with what it needs from Maven Central, in target/judge."""
    sources = [HERE / "pom.xml", *HERE.glob("src/main/java/*.java")]
    stamp = BUILT / "built"
    if stamp.exists() and all(source.stat().st_mtime < stamp.stat().st_mtime for source in sources):
        return
    print("compare: building the judge; the first time, Maven fetches about 75 MB")
    subprocess.run(
        ["mvn", "--quiet", "--batch-mode", "--file", str(HERE / "pom.xml"), "compile", "dependency:copy-dependencies"],
        env={**os.environ, "JAVA_HOME": home},
        check=True,
    )
    stamp.touch()


def write_results(results):
    lines = []
    for name, camunda, ours, explained in results:
        members = [f'"name": {dump(name)}', f'"camunda": {dump(camunda)}', f'"ours": {dump(ours)}', f'"differences": {dump(explained)}']
        lines.append("  {\n    " + ",\n    ".join(members) + "\n  }")
    # A run that only judges leaves the checkout as it was.
    if "CI" not in os.environ:
        (HERE / "results.json").write_text("[\n" + ",\n".join(lines) + "\n]\n", "utf-8")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--stand-in", required=True)
    arguments.add_argument("--flow-starter", required=True)
    arguments.add_argument("--only", default="")
    given = arguments.parse_args()
    home = java_home()
    if not home:
        skip(f"there is no JDK {OLDEST_JAVA} or newer (JAVA_HOME)")
    if not shutil.which("mvn"):
        skip("there is no Maven (mvn)")
    build(home)

    table = load((HERE / "cases.json").read_text("utf-8"))
    names = [case["name"] for case in table["cases"]]
    if len(set(names)) < len(names):
        raise SystemExit(f"cases.json: these names stand twice: {sorted({name for name in names if names.count(name) > 1})}")
    reasons, results, failed, same, unexplained = Reasons(), [], 0, 0, collections.Counter()
    with contextlib.ExitStack() as stack:
        sides = []
        for start in (lambda: Camunda(given.stand_in, f"{home}/bin/java"), lambda: FlowStarter(given.stand_in, given.flow_starter)):
            sides.append(start())
            stack.callback(sides[-1].end)
        pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(len(sides)))
        for case in table["cases"]:
            if given.only not in case["name"]:
                continue
            camunda, ours = pool.map(lambda side: side.play(case, table["base"]), sides)
            explained, aspects, wrong = judge(case, camunda, ours, reasons)
            unexplained.update(aspects)
            results.append((case["name"], camunda, ours, explained))
            same += case["expected"] == "same" and not wrong
            if wrong:
                failed += 1
                print(f"FAILED {case['name']}")
                for line in wrong:
                    print(f"    {line}")
    if not given.only:
        write_results(results)
    gone = [] if given.only else sorted(reasons.unused)
    for name in gone:
        print(f"FAILED differences.json: `{name}` explains no case: take it out")
    for aspect, count in unexplained.most_common():
        print(f"compare: {aspect}: not explained in {count} cases")
    print(f"compare: {len(results)} cases: {same} the same, {len(results) - same - failed} with the differences expected, {failed} not as expected")
    return 1 if failed or gone else 0


if __name__ == "__main__":
    sys.exit(main())

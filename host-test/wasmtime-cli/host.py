"""wasmtime's own command line as a host for ../conformance/play.py: WASMTIME and a component's file as the arguments.

Each call is a process: `wasmtime run -Shttp --invoke 'execute("…")'`, which takes and prints WAVE (values of components as text).
"""

import json
import re
import subprocess
import sys
import tempfile

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\](){}:,]|%?[A-Za-z][A-Za-z0-9-]*|-?[0-9][0-9.eE+-]*')
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "'": "'", "\\": "\\"}


def main():
    wasmtime, component = sys.argv[1:]
    version = subprocess.run([wasmtime, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    say({"host": "wasmtime", "runtime": "command line", "packages": f"wasmtime-cli {version}"})
    with tempfile.NamedTemporaryFile(suffix=".cwasm") as compiled:
        subprocess.run([wasmtime, "compile", "-o", compiled.name, component], capture_output=True)
        # Where this build of wasmtime cannot compile ahead, each call compiles.
        ready = ["--allow-precompiled", compiled.name] if compiled.file.seek(0, 2) else [component]
        for line in sys.stdin:
            call = f"execute({quoted(json.loads(line))})"
            try:
                done = subprocess.run([wasmtime, "run", "-Shttp", "--invoke", call, *ready], capture_output=True, text=True, encoding="utf-8")
            except OSError as error:
                say({"trap": error.strerror})
                continue
            say(result(done.stdout) if done.returncode == 0 else {"trap": done.stderr.strip()})


def quoted(text):
    """A text in WAVE."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c >= " " and c != "\x7f" else "\\u{%x}" % ord(c) for c in plain) + '"'


def result(text):
    value, rest = read(TOKEN.findall(text))
    if rest:
        raise ValueError(f"not understood: {rest[:3]}")
    (tag, payload), = value.items()
    return {"answer": payload} if tag == "ok" else {"error": payload}


def read(tokens):
    """The first value, and the tokens after it. A field that is none is not printed."""
    first, rest = tokens[0], tokens[1:]
    if first.startswith('"'):
        return re.sub(r"\\(?:u\{([0-9a-f]+)\}|(.))", lambda it: chr(int(it[1], 16)) if it[1] else ESCAPES[it[2]], first[1:-1], flags=re.S), rest
    if first in "[(":
        items = []
        while rest[0] not in "])":
            item, rest = read(rest)
            items.append(item)
            rest = rest[1:] if rest[0] == "," else rest
        return items, rest[1:]
    if first == "{":
        fields = {}
        while rest[0] != "}":
            fields[camel(rest[0])], rest = read(rest[2:])
            rest = rest[1:] if rest[0] == "," else rest
        return fields, rest[1:]
    if first in ("true", "false"):
        return first == "true", rest
    if first[0].isdigit() or first[0] == "-":
        return int(first), rest
    if rest and rest[0] == "(":
        payload, rest = read(rest[1:])
        return payload if first == "some" else {first: payload}, rest[1:]
    return None if first == "none" else first, rest


def camel(name):
    first, *rest = name.split("-")
    return first + "".join(word.capitalize() for word in rest)


def say(value):
    print(json.dumps(value), flush=True)


main()

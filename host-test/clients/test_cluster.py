"""Lets Camunda's own programs and documents judge the test cluster (`make test-cluster`).

typescript, java: Camunda's clients, as a cluster of 8.9; openapi: Camunda's OpenAPI document. Without Node, Java or Maven, or when a registry
gives nothing, that part is skipped with a line; with CI set, this is a failure.
"""

import argparse
import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "judge"))
from compare import OLDEST_JAVA, java_home  # noqa: E402

OLDEST_NODE = 20
# The user, and the OAuth client, that the tests know.
ACCESS = "demo:demo"
# Far beyond what a part takes.
LONGEST = 600


class Missing(Exception):
    """A part cannot run here: why."""


class Failed(Exception):
    """A part has found something wrong: what it printed."""


def run(command, what=Failed, **more):
    """The output; an exit code other than 0 raises `what`."""
    done = subprocess.run(
        [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
        errors="replace", timeout=LONGEST, check=False, **more,
    )
    if done.returncode:
        raise what(done.stdout)
    return done.stdout


def download(command, what, **more):
    """A command that asks a registry for packages."""
    try:
        return run(command, **more)
    except Failed as failed:
        lines = [line.strip() for line in str(failed).splitlines() if "error" in line.lower()]
        raise Missing(f"{what} has failed: {(lines or ['no reason given'])[0][:300]}") from failed


@contextlib.contextmanager
def clusters(program):
    """The environment with three clusters of 8.9: open, with basic authentication, with OAuth."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CAMUNDA_", "ZEEBE_"))}
    with contextlib.ExitStack() as stack:
        for name, more in (("CLUSTER", []), ("CLUSTER_BASIC", ["--user", ACCESS]), ("CLUSTER_OAUTH", ["--client", ACCESS])):
            process = subprocess.Popen([program, "--version", "8.9", *more], stdout=subprocess.PIPE, encoding="utf-8")
            stack.callback(process.wait)
            stack.callback(process.terminate)
            environment[name] = process.stdout.readline().strip()
            # It goes on to say what happens to its jobs; a full pipe would stop it.
            threading.Thread(target=process.stdout.read, daemon=True).start()
        yield environment


def typescript(given):
    for program in ("node", "npm"):
        if not shutil.which(program):
            raise Missing(f"there is no {program}: install Node.js {OLDEST_NODE} or newer")
    version = run(["node", "--version"]).strip()
    if int(version.removeprefix("v").split(".")[0]) < OLDEST_NODE:
        raise Missing(f"Node {version} is too old: install {OLDEST_NODE} or newer")
    folder = HERE / "typescript"
    installed, lock = folder / "node_modules" / ".package-lock.json", folder / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        download(["npm", "ci", "--loglevel", "error"], "npm ci", cwd=folder)
        installed.touch()
    with clusters(given.cluster) as environment:
        output = run(["node", "--test", "--test-reporter=tap"], cwd=folder, env=environment)
    passed = int(re.search(r"^# pass (\d+)$", output, re.M)[1])
    if not passed:
        raise Failed("no test was run")
    return f"{passed} tests passed"


def java(given):
    home = java_home()
    if not home:
        raise Missing(f"there is no JDK {OLDEST_JAVA} or newer (JAVA_HOME)")
    if not shutil.which("mvn"):
        raise Missing("there is no Maven (mvn)")
    built = ROOT / "target" / "clients-java"
    pom = HERE / "java" / "pom.xml"
    sources = [pom, *(HERE / "java").glob("src/main/java/*.java")]
    stamp = built / "built"
    if not stamp.exists() or any(source.stat().st_mtime > stamp.stat().st_mtime for source in sources):
        maven = ["mvn", "--quiet", "--batch-mode", "-Dstyle.color=never", "--file", pom]
        environment = {**os.environ, "JAVA_HOME": home}
        download([*maven, "dependency:copy-dependencies"], "Maven", env=environment)
        try:
            download([*maven, "compile"], "Maven", env=environment)
        except Missing as missing:
            if "COMPILATION ERROR" in str(missing.__cause__):
                raise missing.__cause__
            raise
        stamp.touch()
    with clusters(given.cluster) as environment:
        # For a program of a few seconds, the quick compiler alone.
        options = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        output = run([f"{home}/bin/java", *options, "-cp", f"{built}/classes:{built}/lib/*", "TestCluster"], env=environment)
    return output.strip().splitlines()[-1].removeprefix("java: ")


def openapi(given):
    manifest = HERE.parent / "openapi" / "Cargo.toml"
    cargo = [os.environ.get("CARGO", "cargo")]
    try:
        download([*cargo, "fetch", "--locked", "--manifest-path", manifest], "cargo fetch")
    except Missing as missing:
        if "--locked" in str(missing.__cause__):
            raise missing.__cause__
        raise
    target = ROOT / "target" / "openapi"
    run([*cargo, "build", "--locked", "--manifest-path", manifest, "--target-dir", target])
    programs = ["--cluster", given.cluster, "--flow-starter", given.flow_starter, "--stand-in", given.stand_in]
    output = run([target / "debug" / "openapi-check", *programs])
    return output.strip().splitlines()[-1].removeprefix("openapi: ")


PARTS = {"typescript": typescript, "java": java, "openapi": openapi}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for program in ("cluster", "flow-starter", "stand-in"):
        arguments.add_argument(f"--{program}", required=True, type=os.path.abspath)
    arguments.add_argument("--only", choices=PARTS, default=None)
    given = arguments.parse_args()
    failed = False
    for name, part in PARTS.items():
        if given.only not in (None, name):
            continue
        started = time.monotonic()
        try:
            print(f"test-cluster: {name}: {part(given)} ({time.monotonic() - started:.0f} s)", flush=True)
        except Missing as why:
            print(f"test-cluster: {name}: skipped: {why}", flush=True)
            failed |= bool(os.environ.get("CI"))
        except Failed as why:
            print(f"{why}\ntest-cluster: {name}: FAILED", flush=True)
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

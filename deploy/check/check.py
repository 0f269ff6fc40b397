"""Checks the files of deploy/ with the tools of those who will read them; `make check-deploy` runs it.

| file | checked by |
|---|---|
| kubernetes.yaml | Kubernetes' own schemas, unknown fields refused (package kubernetes-validate) |
| flow-starter-worker.service | systemd-analyze verify, and systemd-analyze security with a limit |
| alerts.yaml, and the dashboard's queries | promtool check rules, promtool test rules |
| grafana-dashboard.json | Grafana's own types (package @grafana/schema) |

Names, times and metrics are compared with the program by its tests: host-test/tests/it/worker/deploy/.
A tool that is not installed is skipped with a line, and is a failure where the variable CI is set.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import kubernetes_validate
import yaml

CHECK = Path(__file__).resolve().parent
DEPLOY = CHECK.parent

# The oldest that the manifest is for, and the newest that the package knows.
KUBERNETES = ("1.29", "1.37")

# systemd's figure, times ten: 13 of 100. What is left is mostly the network, which the worker needs.
EXPOSURE = 15

# Its interval, for promtool, which knows no variables of Grafana's.
GRAFANA = {"$__rate_interval": "5m", "$__range": "6h", "$job": ".*"}

failed = []
skipped = []
passed = []


def run(*command, cwd=DEPLOY, **options):
    return subprocess.run(command, cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **options)


def check(name, problem):
    """`problem` is empty for a check that passed."""
    if problem:
        failed.append(name)
        print(f"FAILED  {name}\n{problem.rstrip()}")
    else:
        passed.append(name)
        print(f"ok      {name}")


def tool(name, package):
    """The path of a program, or None and a line."""
    found = shutil.which(name)
    if found is None:
        skipped.append(name)
        print(f"skipped {name}: it is not installed (Debian: {package})")
    return found


def kubernetes():
    documents = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text("utf-8")))
    for version in KUBERNETES:
        for document in documents:
            name = f"kubernetes.yaml: {document['kind']} {document['metadata']['name']}, Kubernetes {version}"
            try:
                kubernetes_validate.validate(document, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                check(name, f"{list(error.path)}: {error.message}")
            else:
                check(name, "")


def systemd():
    analyze = tool("systemd-analyze", "systemd")
    if analyze is None:
        return
    name = "flow-starter-worker.service"
    with tempfile.TemporaryDirectory() as folder:
        # The program is not installed here: any that exists takes its place.
        unit = Path(folder) / name
        unit.write_text((DEPLOY / name).read_text("utf-8").replace("/usr/local/bin/flow-starter", "/bin/true"), "utf-8")
        verified = run(analyze, "verify", str(unit))
        # It may warn and still end with 0.
        check(f"{name}: systemd-analyze verify", verified.stdout if verified.returncode or verified.stdout.strip() else "")
        secure = run(analyze, "security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager", str(unit))
        check(f"{name}: systemd-analyze security, at most {EXPOSURE / 10}", secure.stdout if secure.returncode else "")


def queries(dashboard):
    """Every PromQL expression of the dashboard."""
    found = []

    def walk(value):
        if isinstance(value, dict):
            if isinstance(value.get("expr"), str):
                found.append(value["expr"])
            value = list(value.values())
        if isinstance(value, list):
            for item in value:
                walk(item)

    walk(dashboard)
    return found


def prometheus(dashboard):
    promtool = tool("promtool", "prometheus")
    if promtool is None:
        return
    checked = run(promtool, "check", "rules", "--lint=all", "--lint-fatal", "alerts.yaml")
    check("alerts.yaml: promtool check rules", checked.stdout if checked.returncode else "")
    tested = run(promtool, "test", "rules", "alerts-test.yaml", cwd=CHECK)
    check("alerts.yaml: promtool test rules", tested.stdout if tested.returncode else "")
    rules = []
    for number, expression in enumerate(queries(dashboard)):
        for variable, value in GRAFANA.items():
            expression = expression.replace(variable, value)
        rules.append({"record": f"query:{number}", "expr": expression})
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "queries.yaml"
        file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}), "utf-8")
        checked = run(promtool, "check", "rules", str(file))
        check(f"grafana-dashboard.json: promtool, {len(rules)} queries", checked.stdout if checked.returncode else "")


SCHEMA = "@grafana/schema/dist/esm/raw"
PANELS = {
    "stat": (f"{SCHEMA}/composable/stat/panelcfg/x/StatPanelCfg_types.gen", False),
    "timeseries": (f"{SCHEMA}/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen", True),
}


def grafana(dashboard):
    npm = tool("npm", "npm")
    if npm is None:
        return
    if not (CHECK / "node_modules").is_dir():
        installed = run(npm, "ci", "--silent", cwd=CHECK)
        if installed.returncode:
            check("grafana-dashboard.json: npm ci", installed.stdout)
            return
    lines = [
        f"import type {{ Dashboard }} from '{SCHEMA}/dashboard/x/Dashboard_types.gen';",
        # JSON has an enum's values, not its members.
        "type Json<T> = T extends string ? `${T}` : T extends object ? { [K in keyof T]: Json<T[K]> } : T;",
        f"export const dashboard: Json<Dashboard> = {json.dumps(dashboard, indent=1)};",
    ]
    for number, panel in enumerate(dashboard["panels"]):
        if panel["type"] not in PANELS:
            check(f"grafana-dashboard.json: panel {panel['title']}", f"its type {panel['type']} is not checked: add it to check.py")
            continue
        module, has_fields = PANELS[panel["type"]]
        lines.append(f"import type {{ Options as Options{number} }} from '{module}';")
        lines.append(f"export const options{number}: Json<Options{number}> = {json.dumps(panel['options'])};")
        if has_fields:
            custom = json.dumps(panel["fieldConfig"]["defaults"]["custom"])
            lines.append(f"import type {{ FieldConfig as Fields{number} }} from '{module}';")
            lines.append(f"export const fields{number}: Json<Fields{number}> = {custom};")
    # Beside node_modules, where the compiler looks for the types.
    file = CHECK / "node_modules" / "dashboard.ts"
    file.write_text("\n".join(lines), "utf-8")
    compiler = [str(CHECK / "node_modules" / ".bin" / "tsc"), "--noEmit", "--strict", "--skipLibCheck", "--target", "es2022"]
    compiled = run(*compiler, "--module", "preserve", "--moduleResolution", "bundler", str(file), cwd=CHECK)
    check("grafana-dashboard.json: Grafana's types", compiled.stdout if compiled.returncode else "")


def main():
    dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text("utf-8"))
    kubernetes()
    systemd()
    prometheus(dashboard)
    grafana(dashboard)
    if skipped and os.environ.get("CI"):
        check("every tool is installed", ", ".join(skipped))
    print(f"{len(passed)} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Gathers beside the built component what a stranger takes away: its contract, an SBOM, the licences of what is in it, checksums.

    gather.py FOLDER       FOLDER holds servicenow-flow-starter.wasm

The SBOM (CycloneDX 1.5) names what is compiled into the component: the crates that it depends on for wasm32-unknown-unknown, without
those that only run while it is compiled (macros, build scripts), and Rust's standard library.
"""

import hashlib
import json
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAME = "servicenow-flow-starter"
TARGET = "wasm32-unknown-unknown"


def main():
    folder = pathlib.Path(sys.argv[1])
    component = folder / f"{NAME}.wasm"
    own, crates, checksums = parts()
    shutil.copytree(ROOT / "wit", folder / "wit", dirs_exist_ok=True)
    bill = sbom(component, own, crates, checksums)
    (folder / f"{NAME}.cdx.json").write_text(json.dumps(bill, indent=2, ensure_ascii=False) + "\n", "utf-8")
    (folder / "THIRD-PARTY-LICENSES.txt").write_text(licences(crates), "utf-8")
    shutil.copy(ROOT / "LICENSE", folder)
    names = [component.name, f"{NAME}.cdx.json", "THIRD-PARTY-LICENSES.txt", "LICENSE"]
    names += sorted(str(file.relative_to(folder)) for file in (folder / "wit").rglob("*.wit"))
    (folder / "SHA256SUMS").write_text("".join(f"{sha256(folder / name)}  {name}\n" for name in names), "utf-8")
    print(f"{folder}: the component, wit/, {', '.join(names[1:4])}, SHA256SUMS ({len(crates)} crates)")


def parts():
    """Our own package, the crates in it, and the lock file's checksums."""
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", TARGET]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    own = next(package for package in packages.values() if package["name"] == NAME)
    found, waiting = {}, [own["id"]]
    while waiting:
        for dependency in nodes[waiting.pop()]["deps"]:
            package = packages[dependency["pkg"]]
            compiled_in = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            macro = any("proc-macro" in target["kind"] for target in package["targets"])
            if compiled_in and not macro and package["id"] not in found:
                found[package["id"]] = package
                waiting.append(package["id"])
    checksums = {}
    for entry in (ROOT / "Cargo.lock").read_text("utf-8").split("[[package]]"):
        lines = dict(line.split(" = ", 1) for line in entry.splitlines() if " = " in line)
        if "checksum" in lines:
            checksums[lines["name"].strip('"'), lines["version"].strip('"')] = lines["checksum"].strip('"')
    return own, sorted(found.values(), key=lambda it: (it["name"], it["version"])), checksums


def sbom(component, own, crates, checksums):
    rust = subprocess.run(["rustc", "--version"], check=True, text=True, stdout=subprocess.PIPE).stdout.split()[1]
    components = [{"type": "library", "name": "std", "version": rust, "licenses": [{"expression": "MIT OR Apache-2.0"}]}]
    for crate in crates:
        entry = {
            "type": "library",
            "name": crate["name"],
            "version": crate["version"],
            "purl": f"pkg:cargo/{crate['name']}@{crate['version']}",
            "licenses": [{"expression": crate["license"].replace("/", " OR ")}],
        }
        if (crate["name"], crate["version"]) in checksums:
            entry["hashes"] = [{"alg": "SHA-256", "content": checksums[crate["name"], crate["version"]]}]
        components.append(entry)
    subject = {
        "type": "application",
        "name": component.name,
        "version": own["version"],
        "licenses": [{"expression": own["license"]}],
        "hashes": [{"alg": "SHA-256", "content": sha256(component)}],
    }
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "metadata": {"component": subject}, "components": components}


def licences(crates):
    """Each crate's own licence files; the same text once, under all that come with it."""
    holders = {}
    for crate in crates:
        folder = pathlib.Path(crate["manifest_path"]).parent
        files = sorted(file for file in folder.iterdir() if file.is_file() and file.name.upper().startswith(("LICEN", "COPYING", "NOTICE", "UNLICENSE")))
        for file in files:
            holders.setdefault(file.read_text("utf-8", "replace").strip(), []).append(f"{crate['name']} {crate['version']}")
        if not files:
            holders.setdefault(f"{crate['license']} (the crate comes without the text)", []).append(f"{crate['name']} {crate['version']}")
    rule = "\n\n" + "=" * 80 + "\n\n"
    texts = [f"{', '.join(names)}\n\n{text}" for text, names in holders.items()]
    return rule.join(["What is compiled into the component beside its own code, and Rust's standard library (MIT OR Apache-2.0):", *texts]) + "\n"


def sha256(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


main()

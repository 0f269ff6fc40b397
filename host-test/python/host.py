"""Python as a host for ../conformance/play.py: a component's file as the argument, then a call for each line of standard input."""

import importlib.metadata
import json
import platform
import sys

from wasmtime import Engine, Store, Trap, WasiConfig, WasmtimeError
from wasmtime.component import Component, Linker, Record

CONNECTOR = "connectors:servicenow-flow-starter/connector@0.1.0"


def main():
    engine = Engine()
    component = Component.from_file(engine, sys.argv[1])
    linker = Linker(engine)
    linker.add_wasip2()
    linker.add_wasi_http()
    packages = f"wasmtime {importlib.metadata.version('wasmtime')}"
    say({"host": "Python", "runtime": f"Python {platform.python_version()}", "packages": packages})
    connector = component.get_export_index(CONNECTOR)
    execute = component.get_export_index("execute", connector)
    for line in sys.stdin:
        # A fresh instance for each call, as our own host does: one that has trapped cannot be entered again.
        store = Store(engine)
        store.set_wasi(WasiConfig())
        store.set_wasi_http()
        try:
            result = linker.instantiate(store, component).get_func(store, execute)(store, json.loads(line))
        except (Trap, WasmtimeError) as trap:
            say({"trap": str(trap)})
            continue
        # A result of a text or a record needs no tag: the value's type says which it is.
        say({"error": plain(result)} if isinstance(result, Record) else {"answer": result})


def plain(value):
    """A component's value as JSON has it, with the names that JavaScript gives to a record's fields."""
    if isinstance(value, Record):
        return {camel(name): plain(field) for name, field in vars(value).items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def camel(name):
    first, *rest = name.split("-")
    return first + "".join(word.capitalize() for word in rest)


def say(value):
    print(json.dumps(value), flush=True)


main()

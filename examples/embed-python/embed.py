"""embed.py COMPONENT ORIGIN starts a flow at ORIGIN. COMPONENT is the gated one (make gated), which calls one host name only."""
import json, os, sys
from wasmtime import Engine, Store, WasiConfig
from wasmtime.component import Component, Linker, Record, Variant

component_file, origin = sys.argv[1:]
engine = Engine()
component = Component.from_file(engine, component_file)  # Compiled once; each call gets its own store.
linker = Linker(engine)
linker.add_wasip2()
linker.add_wasi_http()
interface = component.get_export_index("connectors:servicenow-flow-starter/flow-starter@0.1.0")
trigger_flow = component.get_export_index("trigger-flow", interface)


def record(**fields):
    made = Record()
    for name, value in fields.items():
        setattr(made, name, value)
    return made


store = Store(engine)
store.set_wasi(WasiConfig())
store.set_wasi_http()
store.set_limits(memory_size=64 * 1024 * 1024)
user = record(username=os.environ["SN_USER"], password=os.environ["SN_PASSWORD"])
config = record(
    instance="", domain=None, endpoint=origin, path="/api/sn_cico/flow_starter/my_flow", method="post",
    headers=[("hello", "header")], query=[("hello", "query")], body=json.dumps({"correlationValue": "cam-id-1"}),
    authentication=Variant("basic", user), limits=None,
)
result = linker.instantiate(store, component).get_func(store, trigger_flow)(store, config)

if result.tag == "ok":
    print("started:", getattr(result.payload, "execution-id"))
elif result.payload.flow == "started":
    print("started, but the response is lost:", result.payload.message)
elif result.payload.flow == "unknown":
    print("unknown, look in ServiceNow before you retry:", result.payload.message)
else:
    print("not started,", "retry later:" if result.payload.retryable else "fix this first:", result.payload.message)

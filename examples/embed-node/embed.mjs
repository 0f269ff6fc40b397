// node embed.mjs COMPONENT ORIGIN starts a flow at ORIGIN, the only origin that the component may call.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { transpileBytes } from "@bytecodealliance/jco-transpile";
import { WASIShim } from "@bytecodealliance/preview2-shim/instantiation";

const [component, origin] = process.argv.slice(2);

// Do this once, at build time: it makes JavaScript and core modules of the component, in a folder from which the packages above resolve.
const folder = "transpiled";
await mkdir(folder, { recursive: true });
const options = { name: "component", instantiation: "async", noComponentErrorWrapping: false };
const { files } = await transpileBytes(await readFile(component), options);
for (const name of Object.keys(files).filter((name) => !name.includes("/"))) {
  await writeFile(`${folder}/${name.replace(/\.js$/, ".mjs")}`, files[name]);
}
const { instantiate } = await import(new URL(`${folder}/component.mjs`, `file://${process.cwd()}/`));

// The component sends requests only through this function, which checks their destination.
const wasi = new WASIShim().getImportObject();
const { handle } = wasi["wasi:http/outgoing-handler"];
wasi["wasi:http/outgoing-handler"] = {
  handle(request, limits) {
    if (`${request.scheme().tag.toLowerCase()}://${request.authority()}` !== origin) throw { tag: "HTTP-request-denied" };
    return handle(request, limits);
  },
};
const { flowStarter } = await instantiate(async (name) => WebAssembly.compile(await readFile(`${folder}/${name}`)), wasi);

try {
  const { executionId } = flowStarter.triggerFlow({
    instance: "",
    endpoint: origin,
    path: "/api/sn_cico/flow_starter/my_flow",
    method: "post",
    headers: [["hello", "header"]],
    query: [["hello", "query"]],
    body: JSON.stringify({ correlationValue: "cam-id-1" }),
    authentication: { tag: "basic", val: { username: process.env.SN_USER, password: process.env.SN_PASSWORD } },
  });
  console.log(`started: ${executionId}`);
} catch ({ payload: error, message }) {
  if (!error) throw message; // The component or the host failed: it is unknown whether the flow started.
  if (error.flow === "started") console.log(`started, but the response is lost: ${error.message}`);
  else if (error.flow === "unknown") console.log(`unknown, look in ServiceNow before you retry: ${error.message}`);
  else console.log(`not started, ${error.retryable ? "retry later" : "fix this first"}: ${error.message}`);
}
process.exit(); // preview2-shim's worker thread would keep the process running.

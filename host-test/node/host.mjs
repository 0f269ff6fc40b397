// Node as a host for ../conformance/play.py: a component's file as the argument, then a call for each line of standard input.
//
// jco's transpiler turns the component into JavaScript and core modules here, in each run: nothing generated is kept.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";

import { transpileBytes } from "@bytecodealliance/jco-transpile";
import { WASIShim } from "@bytecodealliance/preview2-shim/instantiation";

const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const component = process.argv[2];
const folder = await mkdtemp(join(tmpdir(), "flow-starter-"));
try {
  // The instance's imports are the embedder's to give, and an error of the component's is an Error that carries it.
  const options = { name: "component", instantiation: "async", noComponentErrorWrapping: false };
  const { files } = await transpileBytes(await readFile(component), options);
  for (const [name, bytes] of Object.entries(files)) {
    if (!name.includes("/")) {
      await writeFile(join(folder, name.replace(/\.js$/, ".mjs")), bytes);
    }
  }
  const { instantiate } = await import(pathToFileURL(join(folder, "component.mjs")).href);
  say({ host: "Node", runtime: `Node ${process.versions.node}`, packages: packages() });

  const modules = new Map();
  const coreModule = async (name) => {
    if (!modules.has(name)) {
      modules.set(name, await WebAssembly.compile(await readFile(join(folder, name))));
    }
    return modules.get(name);
  };
  for await (const line of createInterface({ input: process.stdin })) {
    // A fresh instance for each call, as our own host does: one that has trapped cannot be entered again.
    const { connector } = await instantiate(coreModule, new WASIShim().getImportObject());
    say(call(connector, JSON.parse(line)));
  }
} finally {
  await rm(folder, { recursive: true });
}
// preview2-shim's worker thread would keep the process alive.
process.exit();

// A result's error arrives as an exception that carries it; any other exception is a trap, or the shim's own.
function call(connector, input) {
  try {
    return { answer: connector.execute(input) };
  } catch (error) {
    return error.payload ? { error: error.payload } : { trap: String(error) };
  }
}

function packages() {
  const require = createRequire(import.meta.url);
  const { dependencies } = require(join(dirname(fileURLToPath(import.meta.url)), "package.json"));
  return Object.entries(dependencies)
    .map(([name, version]) => `${name.split("/")[1]} ${version}`)
    .join(", ");
}

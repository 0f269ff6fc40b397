//! Bytes in, connector out: WebAssembly that is compiled here, or machine code compiled earlier.

use wasmtime::Precompiled;
use wasmtime::component::Component;

use super::connector::Connector;
use super::engine::Engine;
use super::limits::in_its_words;
use super::newer;
use super::refusal::LoadError;
use super::typecheck::{Mismatch, mismatches};

impl Engine {
    /// Compiles a component, once for all its calls, and checks that it implements the contract and imports only what is allowed.
    ///
    /// # Errors
    /// [`LoadError`] names everything that is missing, different or not allowed.
    pub async fn load(&self, wasm: &[u8]) -> Result<Connector, LoadError> {
        self.check(self.compiled(wasm)?).await
    }

    /// Compiles a component ahead of time, for [`Self::load_compiled`]: machine code for this kind of processor, this version of wasmtime
    /// and these settings. Accepts and refuses the same files as [`Self::load`].
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn compile(&self, wasm: &[u8]) -> Result<Vec<u8>, LoadError> {
        let component = self.compiled(wasm)?;
        self.check_at_once(component.clone())?;
        component
            .serialize()
            .map_err(|error| LoadError::NotCompiled(format!("{error:#}")))
    }

    /// The same for every processor of this architecture: without the instructions that only newer ones have. It runs a little slower.
    ///
    /// # Errors
    /// As [`Self::compile`].
    pub fn compile_portable(&self, wasm: &[u8]) -> Result<Vec<u8>, LoadError> {
        self.check_at_once(self.compiled(wasm)?)?;
        let compile = || {
            let mut config = self.limits.config(self.reservation);
            // A named target has none of this processor's features.
            config.target(&target_lexicon::HOST.to_string())?;
            wasmtime::Engine::new(&config)?.precompile_component(wasm)
        };
        compile().map_err(|error| LoadError::NotCompiled(format!("{error:#}")))
    }

    /// Loads the output of [`Self::compile`] in a fraction of the time, since nothing is compiled. The contract, the imports and the
    /// limits are checked as in [`Self::load`].
    ///
    /// # Safety
    /// These bytes are machine code, and nothing in them is checked: trust their author, and everybody who could have changed them, as you
    /// trust the program itself. For any other component use [`Self::load`].
    ///
    /// # Errors
    /// If the file is for another version, machine or configuration, is not such a file, or would be refused by [`Self::load`].
    ///
    /// ```no_run
    /// use flow_starter_host::{Engine, Limits};
    ///
    /// # fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = Engine::new(Limits::default())?;
    /// std::fs::write("flow-starter.cwasm", engine.compile(&std::fs::read("flow-starter.wasm")?)?)?;
    ///
    /// // SAFETY: the file was just written to a place where nobody else can write.
    /// let connector = unsafe { engine.load_compiled(&std::fs::read("flow-starter.cwasm")?)? };
    /// # let _ = connector;
    /// # Ok(()) }
    /// ```
    pub unsafe fn load_compiled(&self, bytes: &[u8]) -> Result<Connector, LoadError> {
        match wasmtime::Engine::detect_precompiled(bytes) {
            Some(Precompiled::Component) => {}
            Some(Precompiled::Module) => return Err(LoadError::NotCompiled("it is a core module's".to_owned())),
            None => return Err(LoadError::NotCompiled(not_compiled(bytes).to_owned())),
        }
        // SAFETY: the caller vouches for the bytes.
        let component = unsafe { Component::deserialize(&self.wasmtime, bytes) };
        let component = component.map_err(|error| {
            let why = in_its_words(&error);
            LoadError::NotCompiled(format!("{why}; compile it again from the WebAssembly file"))
        })?;
        self.check_at_once(component)
    }

    pub(super) fn compiled(&self, wasm: &[u8]) -> Result<Component, LoadError> {
        if !is_component(wasm) {
            return Err(LoadError::NotAComponent(no_component(wasm).to_owned()));
        }
        Component::from_binary(&self.wasmtime, wasm).map_err(|error| {
            let why = in_its_words(&error);
            // It compiles, but does not fit into the pool of instances: refused for its shape.
            match self.wasmtime.precompile_component(wasm) {
                Ok(_) => LoadError::Limit(why),
                Err(_) => newer::refusal(wasm, &why).unwrap_or(LoadError::NotAComponent(why)),
            }
        })
    }

    async fn check(&self, component: Component) -> Result<Connector, LoadError> {
        let found = mismatches(self, &component);
        if !found.is_empty() {
            return Err(LoadError::Contract(found));
        }
        let instance = self
            .linker
            .instantiate_pre(&component)
            .map_err(|error| LoadError::Contract(vec![Mismatch::ImportType(format!("{error:#}"))]))?;
        Connector::new(self.clone(), instance).await
    }

    /// The blocking version, on its own thread, because the caller's thread may belong to a runtime.
    pub(super) fn check_at_once(&self, component: Component) -> Result<Connector, LoadError> {
        let failed = |why: &dyn std::fmt::Display| LoadError::Instantiate(format!("no thread for the check: {why}"));
        std::thread::scope(|scope| {
            let trial = std::thread::Builder::new().spawn_scoped(scope, || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_time()
                    .build()
                    .map_err(|error| failed(&error))?;
                runtime.block_on(self.check(component))
            });
            trial
                .map_err(|error| failed(&error))?
                .join()
                .unwrap_or_else(|_| Err(failed(&"the thread panicked")))
        })
    }
}

/// The component model's preamble: `\0asm`, version 13, layer 1.
fn is_component(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm\x0d\0\x01\0")
}

pub(super) fn is_core_module(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm\x01\0\0\0")
}

fn is_elf(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x7fELF")
}

fn no_component(bytes: &[u8]) -> &'static str {
    if is_core_module(bytes) {
        "it is a core module; build the connector as a component"
    } else if bytes.starts_with(b"\0asm") {
        "it is for another version of the component model"
    } else if wasmtime::Engine::detect_precompiled(bytes).is_some() {
        "it is precompiled machine code, which runs without a sandbox; use the WebAssembly file, or load it as precompiled if you trust its author"
    } else if is_elf(bytes) {
        "it is a program or library of this system (ELF)"
    } else if bytes.is_empty() {
        "it is empty"
    } else {
        "it does not start like one"
    }
}

fn not_compiled(bytes: &[u8]) -> &'static str {
    if is_component(bytes) {
        "it is the WebAssembly component itself; compile it first, or load it as it is"
    } else if is_core_module(bytes) {
        "it is a core module of WebAssembly"
    } else if is_elf(bytes) {
        "it is a program or library of this system (ELF), or was cut short"
    } else if bytes.is_empty() {
        "it is empty"
    } else {
        "it does not start like one"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    fn small() -> Engine {
        Engine::new(Limits {
            concurrent_calls: 4,
            ..Limits::default()
        })
        .unwrap()
    }

    fn wat(text: &str) -> Vec<u8> {
        wat::parse_str(text).unwrap()
    }

    async fn refusal(engine: &Engine, wasm: &[u8]) -> String {
        engine.load(wasm).await.unwrap_err().to_string()
    }

    /// Precompiled by wasmtime, from a component without the contract.
    fn precompiled(engine: &Engine) -> Vec<u8> {
        engine.wasmtime.precompile_component(&wat("(component)")).unwrap()
    }

    #[tokio::test]
    async fn files_that_are_not_components_are_distinguished() {
        let engine = small();
        for (wasm, what) in [
            (&b""[..], "it is empty"),
            (b"<!DOCTYPE html>", "does not start like one"),
            (b"\x7fELF\x02\x01", "program or library of this system"),
            (&precompiled(&engine), "it is precompiled machine code"),
            (&wat("(module)"), "it is a core module"),
            (b"\0asm\x0e\0\x01\0", "another version"),
            (b"\0asm\x0d\0\x01\0\xff\xff\xff", "not a WebAssembly component"),
        ] {
            let message = refusal(&engine, wasm).await;
            assert!(message.contains(what), "{message}");
            assert_eq!(engine.compile(wasm).unwrap_err().to_string(), message);
            assert_eq!(engine.inspect(wasm).refusal.unwrap().to_string(), message);
        }
    }

    #[tokio::test]
    async fn nothing_in_a_file_steers_a_terminal() {
        let mut wasm = wat(r#"(component (import "acme:own/call" (func)))"#);
        let name = wasm.windows(4).position(|found| found == b"acme").unwrap();
        wasm[name..name + 4].copy_from_slice(b"\x1b[2J");
        let message = refusal(&small(), &wasm).await;
        assert!(message.contains("[2J") && !message.contains('\x1b'), "{message}");
    }

    #[tokio::test]
    async fn every_import_beyond_http_is_refused_by_name_and_reason() {
        let wasm = wat(r#"(component
            (import "wasi:io/error@0.2.6" (instance))
            (import "wasi:cli/environment@0.2.6" (instance (export "get-arguments" (func (result (list string))))))
            (import "wasi:http/types@0.3.0" (instance (export "f" (func))))
            (import "wasi:sockets/tcp@0.2.6" (instance (export "f" (func))))
            (import "acme:own/call" (func))
            (import "wasi:cli/exit@0.2.6" (instance (export "f" (func))))
            (import "acme:types/only" (instance (type u32) (export "t" (type (eq 0))))))"#);
        let message = refusal(&small(), &wasm).await;
        for sentence in [
            "it imports wasi:cli/environment@0.2.6, wasi:cli/exit@0.2.6: a connector may import this only if the host's settings name it;",
            "it imports wasi:http/types@0.3.0: a connector may import this only at a version of WASI 0.2;",
            "it imports wasi:sockets/tcp@0.2.6: sockets are never allowed,",
            "it imports acme:own/call: no connector may import this:",
        ] {
            assert!(message.contains(sentence), "{message}");
        }
        assert!(
            !message.contains("acme:types/only") && !message.contains("wasi:io/error"),
            "{message}"
        );
    }

    #[tokio::test]
    async fn every_mismatch_is_reported_at_once() {
        let message = refusal(&small(), &wat("(component)")).await;
        assert_eq!(
            message,
            "the component does not implement the contract connectors:servicenow-flow-starter@0.1.0: \
             it does not export connectors:servicenow-flow-starter/flow-starter@0.1.0, with trigger-flow and request-token; \
             it does not export connectors:servicenow-flow-starter/connector@0.1.0, with execute"
        );
        let message = refusal(
            &small(),
            &wat(r#"(component
                (core module $m
                    (memory (export "memory") 1)
                    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 0)
                    (func (export "f") (param i32 i32) (result i32) i32.const 0))
                (core instance $i (instantiate $m))
                (func $f (param "config" string) (result string) (canon lift
                    (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
                (instance $typed (export "trigger-flow" (func $f)))
                (instance $json (export "execute" (func $f)))
                (export "connectors:servicenow-flow-starter/flow-starter@0.1.0" (instance $typed))
                (export "connectors:servicenow-flow-starter/connector@0.1.0" (instance $json)))"#),
        )
        .await;
        for sentence in [
            "its trigger-flow of connectors:servicenow-flow-starter/flow-starter@0.1.0 differs from the contract's types: ",
            "it does not export request-token of connectors:servicenow-flow-starter/flow-starter@0.1.0",
            "its execute of connectors:servicenow-flow-starter/connector@0.1.0 differs from the contract's types: ",
        ] {
            assert!(message.contains(sentence), "{message}");
        }
    }

    #[test]
    fn invalid_precompiled_files_are_distinguished() {
        let engine = small();
        let mut damaged = precompiled(&engine);
        damaged.truncate(damaged.len() / 2);
        let module = engine.wasmtime.precompile_module(&wat("(module)")).unwrap();
        let with_memory = |memory_bytes| {
            Engine::new(Limits {
                concurrent_calls: 4,
                memory_bytes,
                ..Limits::default()
            })
        };
        // Only what is beyond 32 bits changes the code.
        let (other_limit, other_code) = (with_memory(32 << 20).unwrap(), with_memory(8 << 30).unwrap());
        for (bytes, what) in [
            (b"".to_vec(), "it is empty"),
            (b"<!DOCTYPE html>".to_vec(), "does not start like one"),
            (b"\x7fELF\x02\x01".to_vec(), "program or library of this system"),
            (wat("(module)"), "it is a core module of WebAssembly"),
            (wat("(component)"), "it is the WebAssembly component itself"),
            (module, "it is a core module's"),
            (damaged, "or was cut short"),
            (
                of_version(&precompiled(&engine), b"47"),
                "version '47'; compile it again",
            ),
            (precompiled(&other_code), "Module was compiled with"),
        ] {
            // SAFETY: none of them is loaded as code.
            let message = unsafe { engine.load_compiled(&bytes) }.unwrap_err().to_string();
            assert!(message.starts_with("this is not a compiled connector"), "{message}");
            assert!(message.contains(what), "{message}");
        }
        for compiler in [&engine, &other_limit] {
            // SAFETY: this process compiled it.
            let message = unsafe { engine.load_compiled(&precompiled(compiler)) }.unwrap_err();
            assert!(
                matches!(&message, LoadError::Contract(found) if found.len() == 2),
                "{message}"
            );
        }
    }

    /// The same file with another version in it. Wasmtime writes its major version, after a zero and its length.
    fn of_version(compiled: &[u8], version: &[u8; 2]) -> Vec<u8> {
        let ours = b"\0\x0248";
        let at = compiled.windows(ours.len()).position(|found| found == ours).unwrap();
        let mut other = compiled.to_vec();
        other[at + 2..at + 4].copy_from_slice(version);
        other
    }
}

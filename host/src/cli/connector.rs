//! Settings → an engine, a loaded component, a way out, secrets, and all of them together.

use std::path::Path;

use anyhow::Result;
use flow_starter_host::{Connector, Egress, Engine, EngineError, FlowStarter, Limits};

use crate::exit::{bad, unreadable};
use crate::inside;
use crate::progress::Waiting;
use crate::settings::{Code, Settings};

/// An engine for one call at a time: a pool of many places would only take address space.
pub(crate) fn engine(settings: &Settings) -> Result<Engine> {
    let limits = Limits {
        concurrent_calls: 1,
        ..settings.limits()?
    };
    Engine::new(limits).map_err(|error| match error {
        EngineError::Limit(_) => bad(error.to_string()),
        error => error.into(),
    })
}

/// The component, compiled.
pub(crate) async fn connector(settings: &Settings, engine: &Engine) -> Result<Connector> {
    if !settings.imports().is_empty() {
        return Err(bad(
            "component.imports: this version gives a component no further interface",
        ));
    }
    let _waiting = Waiting::begin("compiling the component");
    match settings.code()? {
        // It runs under the default limits, as the tests know.
        Code::Inside => engine
            .load(the_one_inside()?)
            .await
            .map_err(|error| settings.too_small(error)),
        Code::File(file) => load(engine, file).await,
        Code::Precompiled(_) => Err(bad("component.precompiled: this version cannot load precompiled code")),
    }
}

async fn load(engine: &Engine, file: &Path) -> Result<Connector> {
    let wasm = std::fs::read(file).map_err(|error| unreadable("the component", file, &error))?;
    let loaded = engine.load(&wasm).await;
    loaded.map_err(|error| bad(format!("`{}` cannot run: {error}", file.display())))
}

fn the_one_inside() -> Result<&'static [u8]> {
    inside::component().ok_or_else(|| {
        anyhow::anyhow!(
            "this binary was built without a component inside: give one by --component, or build it by `make install`"
        )
    })
}

/// All that a call takes, and its way out by itself.
pub(crate) async fn starter(settings: &Settings) -> Result<(FlowStarter, Egress)> {
    // What is wrong with a setting is known before the seconds of compiling.
    settings.check_secrets_are_there()?;
    let (egress, secrets) = (settings.egress()?, settings.secrets()?);
    let connector = connector(settings, &engine(settings)?).await?;
    Ok((FlowStarter::new(connector, egress.clone()).secrets(secrets), egress))
}

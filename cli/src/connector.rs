//! Settings → an engine, a loaded component, egress, secrets, and a flow starter from them.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use anyhow::Result;
use flow_starter_host::component::{EngineError, LoadError};
use flow_starter_host::{Connector, Egress, Engine, FlowStarter, Limits};

use crate::embedded;
use crate::exit::{bad, unreadable};
use crate::progress::Waiting;
use crate::settings::{Code, Resolved};

/// An engine for one call at a time: a larger pool would only take address space.
pub(crate) fn engine(settings: &Resolved<'_>) -> Result<Engine> {
    engine_for(settings, 1)
}

/// An engine for so many calls at a time.
pub(crate) fn engine_for(settings: &Resolved<'_>, concurrent_calls: u32) -> Result<Engine> {
    let limits = Limits {
        concurrent_calls,
        ..settings.limits
    };
    Engine::with_imports(limits, settings.imports.iter().copied()).map_err(|error| match error {
        EngineError::Limit(_) => bad(error.to_string()),
        error => error.into(),
    })
}

/// The component, compiled.
pub(crate) async fn connector(settings: &Resolved<'_>, engine: &Engine) -> Result<Connector> {
    let _waiting = Waiting::begin("compiling the component");
    match settings.code {
        // The tests guarantee that it runs under the default limits.
        Code::Embedded => engine
            .load(embedded_component()?)
            .await
            .map_err(|error| settings.too_small(error)),
        Code::File(file) => {
            let loaded = engine.load(&read(file)?).await;
            loaded.map_err(|error| unusable(file, &error))
        }
        Code::Precompiled(file) => {
            let code = read(file)?;
            // SAFETY: whoever names the file trusts it like this binary; the help of --precompiled says so.
            let loaded = unsafe { engine.load_compiled(&code) };
            loaded.map_err(|error| unusable(file, &error))
        }
    }
}

/// A component's bytes and its name in messages: the named file, or the one that a call would run.
pub(crate) fn bytes<'a>(named: Option<&Path>, settings: &Resolved<'a>) -> Result<(PathBuf, Cow<'a, [u8]>)> {
    match (named, settings.code) {
        (Some(file), _) | (None, Code::File(file)) => Ok((file.to_owned(), read(file)?.into())),
        (None, Code::Embedded | Code::Precompiled(_)) => {
            Ok(("embedded component".into(), embedded_component()?.into()))
        }
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).map_err(|error| unreadable("the component", file, &error))
}

fn unusable(file: &Path, error: &LoadError) -> anyhow::Error {
    bad(format!("`{}` cannot run: {error}", file.display()))
}

fn embedded_component() -> Result<&'static [u8]> {
    embedded::component().ok_or_else(|| {
        anyhow::anyhow!(
            "this binary has no embedded component: name one with --component, or build it with `make install`"
        )
    })
}

/// Everything that a call needs, and the egress separately.
pub(crate) async fn starter(settings: &Resolved<'_>) -> Result<(FlowStarter, Egress)> {
    // Checks settings first, before the component compiles for seconds.
    settings.check_secrets_are_there().await?;
    let (egress, secrets) = (settings.egress()?, settings.secrets.clone());
    let connector = connector(settings, &engine(settings)?).await?;
    Ok((FlowStarter::new(connector, egress.clone()).secrets(secrets), egress))
}

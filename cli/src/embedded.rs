//! The component embedded in this binary (`build.rs`).

const COMPONENT: Option<&[u8]> = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// Its bytes; `None` if the binary was built before the component.
pub(crate) fn component() -> Option<&'static [u8]> {
    COMPONENT
}

/// For `--version`.
pub(crate) fn long_version() -> String {
    let inside = match COMPONENT {
        Some(wasm) => format!("embedded component: {} bytes", wasm.len()),
        None => "no embedded component".to_owned(),
    };
    format!("{}\n{inside}", env!("CARGO_PKG_VERSION"))
}

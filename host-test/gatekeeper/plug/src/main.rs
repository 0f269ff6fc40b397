//! `plug PLUG SOCKET OUT`: the socket's imports are met by the plug's exports, and what neither meets is the composition's import.

use std::path::Path;

use anyhow::Context;
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, PackageId, plug};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [front, socket, out] = arguments.as_slice() else {
        anyhow::bail!("plug PLUG SOCKET OUT");
    };
    let mut graph = CompositionGraph::new();
    let front = package(&mut graph, "front", front.as_ref())?;
    let socket = package(&mut graph, "socket", socket.as_ref())?;
    plug(&mut graph, vec![front], socket)?;
    std::fs::write(out, graph.encode(EncodeOptions::default())?).with_context(|| out.clone())
}

fn package(graph: &mut CompositionGraph, name: &str, file: &Path) -> anyhow::Result<PackageId> {
    let package = Package::from_file(name, None, file, graph.types_mut())?;
    Ok(graph.register_package(package)?)
}

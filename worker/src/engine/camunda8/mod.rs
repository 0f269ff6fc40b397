//! A Camunda 8 Orchestration Cluster over its REST API.

// The calls follow.
#![allow(dead_code)]

mod address;
mod builder;

pub use builder::{Builder, Call, OAuth, Observer, Proxies, SettingsError, TokenObserver};

/// A client of one cluster. Share it: its connections and its access token are for the whole process.
#[derive(Debug)]
pub struct Camunda8 {
    base: address::BaseUrl,
}

impl Camunda8 {
    /// The settings of a client for the cluster at this REST address: http or https, with or without `/v2`, a path before it is kept.
    pub fn builder(address: &str) -> Builder {
        Builder::new(address)
    }

    fn new(builder: Builder) -> Result<Self, SettingsError> {
        Ok(Self {
            base: address::BaseUrl::parse(&builder.address)?,
        })
    }
}

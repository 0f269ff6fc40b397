//! A Camunda 8 Orchestration Cluster over its REST API.

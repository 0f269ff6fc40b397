//! Messages: published once while they are buffered.

use std::time::Duration;

use camunda_test_cluster::{Call, Cluster, Version};
use serde_json::{Value, json};

use crate::client::{Client, Reply, start};

fn publish(client: &mut Client, more: Value) -> Reply {
    let mut body = json!({ "name": "answer", "correlationKey": "k", "timeToLive": 60_000, "messageId": "1" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    client.call("POST", "/messages/publication", &body)
}

fn cluster() -> (Cluster, Client) {
    let cluster = start(Version::V8_8);
    let client = Client::to(&cluster);
    (cluster, client)
}

#[test]
fn a_message_is_published_once_while_it_is_buffered() {
    let (cluster, mut client) = cluster();
    let first = publish(&mut client, json!({ "variables": { "a": 1 } }));
    assert_eq!((first.status, &first.body["tenantId"]), (200, &json!("<default>")));
    assert!(first.body["messageKey"].is_string());
    let again = publish(&mut client, json!({}));
    assert_eq!((again.status, again.title()), (409, "ALREADY_EXISTS"));
    cluster.advance(Duration::from_secs(61));
    assert_eq!(publish(&mut client, json!({})).status, 200);
    assert_eq!(cluster.count(Call::Publication), 3);
}

#[test]
fn another_name_key_or_id_is_another_message() {
    let (_cluster, mut client) = cluster();
    for more in [
        json!({}),
        json!({ "name": "other" }),
        json!({ "correlationKey": "l" }),
        json!({ "messageId": "2" }),
        json!({ "messageId": "" }),
        json!({ "messageId": "" }),
        json!({ "messageId": null }),
    ] {
        assert_eq!(publish(&mut client, more.clone()).status, 200, "{more}");
    }
}

#[test]
fn a_message_without_a_time_to_live_is_not_buffered() {
    let (_cluster, mut client) = cluster();
    for _ in 0..2 {
        assert_eq!(publish(&mut client, json!({ "timeToLive": 0 })).status, 200);
    }
}

#[test]
fn a_publication_is_refused_for_its_fields() {
    let (_cluster, mut client) = cluster();
    for (more, status) in [
        (json!({ "name": "" }), 400),
        (json!({ "timeToLive": -1 }), 400),
        (json!({ "key": "k" }), 400),
        (json!({ "businessId": "8.10 has it" }), 400),
        (json!({ "tenantId": "others" }), 401),
    ] {
        assert_eq!(publish(&mut client, more.clone()).status, status, "{more}");
    }
}

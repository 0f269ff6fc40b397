//! A secret in any field of the input comes out nowhere, whether the field is right or wrong.

use std::sync::Arc;

use flow_starter_host::egress::{AddressKind, Resolve, ResolveError, Resolving};
use flow_starter_host::{FlowStarter, Policy, Secrets};
use host_test::rig::{Rig, connector};
use servicenow_stand_in::{Instance, StandIn};

use super::{Held, Log, input};
use crate::secret_fields::{NAME, assert_unsaid, cases};

/// A resolver that has no name, and says which one it was asked for.
#[derive(Debug)]
struct Nowhere;

impl Resolve for Nowhere {
    fn resolve<'a>(&'a self, name: &'a str) -> Resolving<'a> {
        Box::pin(std::future::ready(Err(ResolveError::Failed(format!(
            "no entry for {name}"
        )))))
    }
}

#[tokio::test]
async fn a_secret_in_any_field_comes_out_nowhere() {
    let stand_in = StandIn::start(Instance::demo()).unwrap();
    let log = Log::default();
    let _listening = log.listen();
    let allowed = || {
        let patterns = [
            "*.service-now.com",
            "*.example.com",
            "acme.quetzal-two2024x",
            "10.77.88.99:8443",
        ];
        let policy = Policy::new(patterns.into_iter().map(|pattern| pattern.parse().unwrap()));
        Rig::reaching(&stand_in)
            .unwrap()
            .policy(policy.open(AddressKind::Loopback))
    };
    let mut named = 0;
    for case in cases() {
        for value in case.values {
            for egress in [Rig::reaching(&stand_in).unwrap(), allowed()] {
                let secrets = Secrets::none().with(Held(vec![(NAME, (*value).to_owned())]));
                let egress = egress.resolver(Arc::new(Nowhere)).build().unwrap();
                let starter = FlowStarter::new(connector().await.unwrap().clone(), egress).secrets(secrets);
                let input = input(case.members.clone());
                let outcome = starter.execute(&input).await;
                let dry_run = starter.dry_run(&input).await;
                let shown = match &outcome.result {
                    Ok(_) => String::new(),
                    Err(error) => format!("{error} {error:?}"),
                };
                let requests: Vec<_> = outcome.requests.iter().map(ToString::to_string).collect();
                let all = format!("{shown} {requests:?} {outcome:?} {dry_run:?}");
                assert_unsaid(value, &all, case.field);
                named += usize::from(all.contains(NAME));
            }
        }
    }
    assert!(named > 60, "only {named} refusals name the secret");
    let logged = log.text();
    for case in cases() {
        for value in case.values {
            assert_unsaid(value, &logged, case.field);
        }
    }
}

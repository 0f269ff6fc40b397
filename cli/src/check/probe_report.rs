//! The steps of a connection test, for the report.

use flow_starter_host::egress::{ClientCertificate, Probe, ProbedStep, ServerCertificate, Step, StepOutcome};

use super::{StepReport, Verdict};
use crate::advice::{Failed, day};

/// Maximum number of certificate names in the report.
const NAMES_SHOWN: usize = 6;

/// Each step; `field` is the input field that names the origin.
pub(super) fn steps(probe: &Probe, field: &str) -> Vec<StepReport> {
    probe
        .steps
        .iter()
        .map(|step| (name(step.step), verdict(probe, step, field)))
        .collect()
}

fn name(step: Step) -> &'static str {
    match step {
        Step::Policy => "policy",
        Step::Dns => "DNS",
        Step::Address => "address",
        Step::Proxy => "proxy",
        Step::Tcp => "TCP",
        Step::Tls => "TLS",
    }
}

fn verdict(probe: &Probe, step: &ProbedStep, field: &str) -> Verdict {
    match &step.outcome {
        StepOutcome::Passed(found) => Verdict::Passed(detail(probe, step, found)),
        StepOutcome::Failed(stop) => {
            let to_do = Failed {
                origin: &probe.origin,
                stop,
                field,
                client_certificate: Some(probe.client_certificate),
            };
            Verdict::Failed(detail(probe, step, &stop.why), to_do.advice())
        }
        StepOutcome::Skipped(why) => Verdict::Skipped(why.clone()),
    }
}

fn detail(probe: &Probe, step: &ProbedStep, found: &str) -> String {
    let mut detail = found.to_owned();
    if let (Step::Tls, Some(certificate)) = (step.step, &probe.certificate) {
        detail = format!("{found}; {}", described(certificate));
    }
    if step.step == Step::Tls {
        detail.push_str(match probe.client_certificate {
            ClientCertificate::NotAsked => "",
            ClientCertificate::Missing => "; it requests a client certificate, and none is configured",
            ClientCertificate::Shown => "; it requested a client certificate and got one",
        });
    }
    if matches!(step.step, Step::Policy | Step::Address) {
        return detail;
    }
    format!("{detail} ({} ms)", step.took.as_millis())
}

fn described(certificate: &ServerCertificate) -> String {
    let mut names = certificate.names.iter().take(NAMES_SHOWN).cloned().collect::<Vec<_>>();
    match certificate.names.len().saturating_sub(NAMES_SHOWN) {
        0 if names.is_empty() => names.push("no name".to_owned()),
        0 => {}
        more => names.push(format!("{more} more")),
    }
    format!(
        "the certificate is for {}; issued by {}; valid from {} to {}",
        names.join(", "),
        certificate.issuer,
        day(certificate.not_before),
        day(certificate.not_after)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow_starter_host::Egress;
    use flow_starter_host::egress::{EgressBuilder, Proxy, Resolve, ResolveError, Resolving};
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::time::Duration;

    #[derive(Debug)]
    struct Leads(Result<&'static str, ResolveError>);

    impl Resolve for Leads {
        fn resolve<'a>(&'a self, _name: &'a str) -> Resolving<'a> {
            let found = self.0.clone().map(|address| vec![address.parse().unwrap()]);
            Box::pin(std::future::ready(found))
        }
    }

    fn leading(leads: Result<&'static str, ResolveError>) -> EgressBuilder {
        Egress::builder().resolver(Arc::new(Leads(leads)))
    }

    async fn to_do(egress: EgressBuilder) -> (&'static str, String) {
        let acme = "https://acme.service-now.com".parse().unwrap();
        let probe = egress.build().unwrap().probe(&acme, Duration::from_secs(5)).await;
        let failed = steps(&probe, "snInstance")
            .into_iter()
            .find_map(|(step, verdict)| match verdict {
                Verdict::Failed(_, fix) => Some((step, fix)),
                _ => None,
            });
        failed.unwrap()
    }

    #[tokio::test]
    async fn advice_about_a_name_depends_on_its_addresses() {
        for (leads, step, words) in [
            (Ok("10.1.2.3"), "address", "--open-address private"),
            (Ok("fc00::1"), "address", "--open-address unique-local"),
            (Err(ResolveError::NoSuchName), "DNS", "DNS to add acme.service-now.com"),
            (Err(ResolveError::TimedOut), "DNS", "DNS to add"),
        ] {
            let (failed, fix) = to_do(leading(leads)).await;
            assert_eq!(failed, step);
            assert!(fix.contains(words), "{fix}");
        }
        let (_, fix) = to_do(leading(Ok("169.254.169.254"))).await;
        assert!(
            !fix.contains("--open-address"),
            "a cloud's credentials are there: {fix}"
        );
    }

    /// A proxy that answers `CONNECT` with this status line.
    fn proxy(status: &'static str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                head.extend(byte);
            }
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
        });
        Proxy::new(&url, "").unwrap()
    }

    #[tokio::test]
    async fn advice_about_a_proxy_depends_on_its_status() {
        for (status, words) in [
            (
                "407 Proxy Authentication Required",
                "Set a user name and a password for the proxy",
            ),
            ("403 Forbidden", "to allow CONNECT to acme.service-now.com:443"),
            ("502 Bad Gateway", "Check the proxy's own address"),
        ] {
            let (step, fix) = to_do(Egress::builder().proxy(proxy(status))).await;
            assert_eq!(step, "proxy");
            assert!(fix.contains(words), "{status}: {fix}");
        }
    }
}

//! A probe's steps in words, and what an administrator can do about one that fails.

use std::time::SystemTime;

use flow_starter_host::{
    AddressKind, CertificateFault, ClientCertificate, Probe, ProbedStep, ServerCertificate, Step, StepOutcome, Stop,
    StopCause,
};

use super::{Told, Verdict};

/// How many names of a certificate are shown.
const NAMES_SHOWN: usize = 6;

/// Each step; `field` is the input's that names the origin.
pub(super) fn told(probe: &Probe, field: &str) -> Vec<Told> {
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
        StepOutcome::Failed(stop) => Verdict::Failed(detail(probe, step, &stop.why), fix(probe, stop, field)),
        StepOutcome::Skipped(why) => Verdict::Skipped(why.clone()),
    }
}

fn detail(probe: &Probe, step: &ProbedStep, found: &str) -> String {
    let mut detail = found.to_owned();
    match (step.step, &probe.proxy, &probe.certificate) {
        (Step::Proxy, Some(proxy), _) => detail = format!("{proxy}: {found}"),
        (Step::Tls, _, Some(certificate)) => {
            let what = certificate.fault.map_or(found, |fault| distrusted(fault, found));
            detail = format!("{what}; {}", described(certificate));
        }
        _ => {}
    }
    if step.step == Step::Tls {
        detail.push_str(match probe.client_certificate {
            ClientCertificate::NotAsked => "",
            ClientCertificate::Missing => "; it asks for a client certificate, and there is none to show",
            ClientCertificate::Shown => "; it asked for a client certificate, and was shown one",
        });
    }
    if matches!(step.step, Step::Policy | Step::Address) {
        return detail;
    }
    format!("{detail} ({} ms)", step.took.as_millis())
}

/// The TLS library's own words are for programmers.
fn distrusted(fault: CertificateFault, found: &str) -> &str {
    match fault {
        CertificateFault::Expired => "the certificate has expired",
        CertificateFault::NotYetValid => "the certificate is not valid yet",
        CertificateFault::WrongName => "the certificate is another server's",
        CertificateFault::UnknownAuthority => "no authority that is trusted here issued the certificate",
        _ => found,
    }
}

fn described(certificate: &ServerCertificate) -> String {
    let mut names = certificate.names.iter().take(NAMES_SHOWN).cloned().collect::<Vec<_>>();
    match certificate.names.len().saturating_sub(NAMES_SHOWN) {
        0 if names.is_empty() => names.push("nobody".to_owned()),
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

/// `25 Nov 2026`, of `Wed, 25 Nov 2026 14:44:55 GMT`.
fn day(time: SystemTime) -> String {
    // What lies beyond the year 9999 cannot be written so, and means never (RFC 5280, section 4.1.2.5).
    let last = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(253_402_300_799);
    if time < SystemTime::UNIX_EPOCH || time > last {
        return "a day out of mind".to_owned();
    }
    let whole = httpdate::fmt_http_date(time);
    whole.get(5..16).unwrap_or(&whole).to_owned()
}

fn fix(probe: &Probe, stop: &Stop, field: &str) -> String {
    let origin = &probe.origin;
    let (host, port) = (origin.host(), origin.port());
    match stop.step {
        Step::Policy => format!(
            "Check {field}. If it is right, allow it: --allow {origin}; or ask whoever runs the connector host to."
        ),
        Step::Dns => format!(
            "Check {field}. If it is right, ask whoever runs this machine's name servers for an entry of {host}; where only a proxy can \
             look names up, name the proxy by --proxy or HTTPS_PROXY."
        ),
        Step::Address => {
            let wrong = format!("ask whoever runs the name servers why {host} leads there");
            match stop.cause {
                Some(StopCause::PlainHttp) => {
                    format!("Write https, or let {host} lead to this machine: see --connect-to and the hosts file.")
                }
                Some(StopCause::Address(kind)) if kind != AddressKind::Metadata => {
                    format!("If it is meant to be there, open such addresses: --open-address {kind}. If not, {wrong}.")
                }
                _ => format!("No instance is there: {wrong}."),
            }
        }
        Step::Proxy => match stop.cause {
            Some(StopCause::ProxyStatus(407)) => {
                "Give the proxy a user and a password: --proxy http://USER:PASSWORD@HOST:PORT, or HTTPS_PROXY."
                    .to_owned()
            }
            Some(StopCause::ProxyStatus(403)) => {
                format!("Ask whoever runs the proxy to allow CONNECT to {host}:{port}.")
            }
            _ => format!(
                "Check the proxy's own address (--proxy or HTTPS_PROXY), and ask whoever runs it whether it lets {host}:{port} through. A \
                 host that needs no proxy stands in NO_PROXY."
            ),
        },
        Step::Tcp => format!(
            "Check the address (DNS, or --connect-to). If it is right, ask whoever runs the firewall to let this machine connect to \
             {host}, TCP port {port}; if this network has a proxy, name it by --proxy or HTTPS_PROXY."
        ),
        Step::Tls => tls(probe, field),
    }
}

fn tls(probe: &Probe, field: &str) -> String {
    let host = probe.origin.host();
    let fault = probe.certificate.as_ref().and_then(|certificate| certificate.fault);
    match (fault, probe.client_certificate) {
        (Some(CertificateFault::Expired | CertificateFault::NotYetValid), _) => format!(
            "Look at this machine's clock: it says {}. If that is right, ask whoever runs {host} for a certificate that is valid now.",
            day(SystemTime::now())
        ),
        (Some(CertificateFault::WrongName), _) => format!(
            "Another server answers there. Check {field}, then where the name leads (DNS, or --connect-to); or ask whoever runs {host} for a \
             certificate with this name."
        ),
        (Some(CertificateFault::UnknownAuthority), _) => {
            "If your company's own authority issued it (a gateway, or a proxy that opens TLS), get that authority's certificate as a PEM file: \
             --ca-file FILE. If not, do not trust it: somebody stands between."
                .to_owned()
        }
        (Some(_), _) => format!("Ask whoever runs {host} to look at the certificate."),
        (None, ClientCertificate::Missing) => format!(
            "{host} lets in only who shows a certificate: --client-certificate FILE --client-key FILE, from whoever runs it."
        ),
        (None, ClientCertificate::Shown) => format!(
            "Ask whoever runs {host} whether it accepts the certificate of --client-certificate, and look at the dates of that one."
        ),
        (None, ClientCertificate::NotAsked) => format!(
            "Something ends the handshake: a firewall that lets TCP through but not TLS to {host}, or a port that does not speak TLS. Ask \
             whoever runs the firewall."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow_starter_host::{Egress, EgressBuilder, Proxy, Resolve, ResolveError, Resolving};
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
        let failed = told(&probe, "snInstance")
            .into_iter()
            .find_map(|(step, verdict)| match verdict {
                Verdict::Failed(_, fix) => Some((step, fix)),
                _ => None,
            });
        failed.unwrap()
    }

    #[tokio::test]
    async fn what_to_do_about_a_name_depends_on_where_it_leads() {
        for (leads, step, words) in [
            (Ok("10.1.2.3"), "address", "--open-address private"),
            (Ok("fc00::1"), "address", "--open-address unique-local"),
            (
                Err(ResolveError::NoSuchName),
                "DNS",
                "name servers for an entry of acme.service-now.com",
            ),
            (Err(ResolveError::TimedOut), "DNS", "name servers"),
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
    async fn what_to_do_about_a_proxy_depends_on_its_status() {
        for (status, words) in [
            (
                "407 Proxy Authentication Required",
                "Give the proxy a user and a password",
            ),
            ("403 Forbidden", "to allow CONNECT to acme.service-now.com:443"),
            ("502 Bad Gateway", "Check the proxy's own address"),
        ] {
            let (step, fix) = to_do(Egress::builder().proxy(proxy(status))).await;
            assert_eq!(step, "proxy");
            assert!(fix.contains(words), "{status}: {fix}");
        }
    }

    #[test]
    fn a_day_is_told_whatever_the_certificate_says() {
        let day_of = |seconds| day(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(day_of(1_795_617_895), "25 Nov 2026");
        assert_eq!(day_of(253_402_300_799), "31 Dec 9999");
        assert_eq!(day_of(253_402_300_800), "a day out of mind");
        assert_eq!(
            day(SystemTime::UNIX_EPOCH - Duration::from_secs(1)),
            "a day out of mind"
        );
    }
}

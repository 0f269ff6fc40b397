//! Advice for an operator if a connection fails. The component's messages are for every host, so they know no flags or settings.

use std::time::SystemTime;

use flow_starter_host::egress::{
    AddressKind, CertificateFault, ClientCertificate, Origin, Progress, Purpose, RequestRecord, Step, Stop, StopCause,
};

/// Advice for a call's last request, if it failed before it was sent.
pub(crate) fn of_call(requests: &[RequestRecord]) -> Option<String> {
    let request = requests.last()?;
    let unsent = matches!(request.progress, Progress::Denied | Progress::Unsent);
    let stop = request.stopped.as_ref().filter(|_| unsent)?;
    let failed = Failed {
        origin: &request.origin()?,
        stop,
        field: match request.purpose {
            Purpose::Flow => "snInstance (or snEndpoint)",
            Purpose::Token => "authentication.oauthTokenEndpoint",
        },
        client_certificate: None,
    };
    Some(failed.advice())
}

/// A failed connection to an origin.
pub(crate) struct Failed<'a> {
    pub(crate) origin: &'a Origin,
    pub(crate) stop: &'a Stop,
    /// The input field that names the origin.
    pub(crate) field: &'a str,
    /// Whether the server requested a client certificate, if known.
    pub(crate) client_certificate: Option<ClientCertificate>,
}

impl Failed<'_> {
    /// What to do.
    pub(crate) fn advice(&self) -> String {
        let Self { origin, field, .. } = self;
        let (host, port) = (origin.host(), origin.port());
        match self.stop.step {
            Step::Policy => format!("Check {field}. If it is right, allow it: --allow {origin}"),
            Step::Dns => format!(
                "Check {field}. If it is right, ask whoever runs this machine's DNS to add {host}; if only a proxy can resolve names, set it with --proxy or \
                 HTTPS_PROXY."
            ),
            Step::Address => {
                let wrong = format!("ask whoever runs the DNS why {host} resolves to it");
                match self.stop.cause {
                    Some(StopCause::PlainHttp) => {
                        format!("Use https, or make {host} resolve to this machine: --connect-to, or the hosts file.")
                    }
                    Some(StopCause::Address(kind)) if kind != AddressKind::Metadata => {
                        format!(
                            "If this address is right, allow such addresses: --open-address {kind}. If not, {wrong}."
                        )
                    }
                    _ => format!("No instance has such an address: {wrong}."),
                }
            }
            Step::Proxy => self.proxy(),
            Step::Tcp => format!(
                "Check the address (DNS, or --connect-to). If it is right, ask whoever runs the firewall to let this machine connect to \
                 {host}, TCP port {port}; if this network has a proxy, set it with --proxy or HTTPS_PROXY."
            ),
            Step::Tls => self.tls(),
        }
    }

    fn proxy(&self) -> String {
        let (host, port) = (self.origin.host(), self.origin.port());
        match self.stop.cause {
            Some(StopCause::ProxyStatus(407)) => {
                "Set a user name and a password for the proxy: --proxy http://USER:PASSWORD@HOST:PORT, or HTTPS_PROXY."
                    .to_owned()
            }
            Some(StopCause::ProxyStatus(403)) => {
                format!("Ask whoever runs the proxy to allow CONNECT to {host}:{port}.")
            }
            Some(StopCause::Certificate(CertificateFault::UnknownAuthority)) => UNKNOWN_AUTHORITY.to_owned(),
            Some(StopCause::Certificate(_)) => "Ask whoever runs the proxy to check its certificate.".to_owned(),
            _ => format!(
                "Check the proxy's own address (--proxy or HTTPS_PROXY), and ask whoever runs it whether it allows {host}:{port}. A host that needs no proxy belongs in NO_PROXY."
            ),
        }
    }

    fn tls(&self) -> String {
        let (host, field) = (self.origin.host(), self.field);
        match (self.stop.cause, self.client_certificate) {
            (Some(StopCause::Certificate(fault)), _) => match fault {
                CertificateFault::Expired | CertificateFault::NotYetValid => format!(
                    "Check this machine's clock: it says {}. If that is right, ask whoever runs {host} for a certificate that is valid now.",
                    day(SystemTime::now())
                ),
                CertificateFault::WrongName => format!(
                    "Another server may be responding. Check {field} and what the name resolves to (DNS, or --connect-to), or ask whoever \
                     runs {host} for a certificate with this name."
                ),
                CertificateFault::UnknownAuthority => UNKNOWN_AUTHORITY.to_owned(),
                CertificateFault::Authority => format!(
                    "Ask whoever runs {host} for a certificate of its own. `openssl req -x509` makes an authority's certificate unless you \
                     add -addext basicConstraints=critical,CA:FALSE"
                ),
                _ => format!("Ask whoever runs {host} to check the certificate."),
            },
            (_, Some(ClientCertificate::Missing)) => format!(
                "{host} requires a client certificate: get one from whoever runs it, and set --client-certificate FILE --client-key FILE."
            ),
            (_, Some(ClientCertificate::Shown)) => format!(
                "Ask whoever runs {host} whether it accepts the certificate of --client-certificate, and check that certificate's dates."
            ),
            (Some(StopCause::ClientCertificate), _) => format!(
                "{host} requires a client certificate that it accepts: get one from whoever runs it, and set --client-certificate FILE \
                 --client-key FILE."
            ),
            _ => format!(
                "Something ends the handshake: a firewall that allows TCP but not TLS to {host}, or a port that does not speak TLS. Ask \
                 whoever runs the firewall."
            ),
        }
    }
}

const UNKNOWN_AUTHORITY: &str = "If your company's own certificate authority issued it (for a gateway, or a proxy that inspects TLS), get that \
    authority's certificate as a PEM file and set --ca-file FILE. The system's authorities, and those of SSL_CERT_FILE, are trusted unless \
    --system-roots is off. If the authority is not yours, do not trust it: somebody may be intercepting the connection.";

/// `25 Nov 2026`, of `Wed, 25 Nov 2026 14:44:55 GMT`.
pub(crate) fn day(time: SystemTime) -> String {
    // Dates after 9999 cannot be written this way, and mean never (RFC 5280, section 4.1.2.5).
    let last = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(253_402_300_799);
    if time < SystemTime::UNIX_EPOCH || time > last {
        return "an unknown day".to_owned();
    }
    let whole = httpdate::fmt_http_date(time);
    whole.get(5..16).unwrap_or(&whole).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn request(url: &str, progress: Progress, stop: Option<Stop>) -> RequestRecord {
        RequestRecord {
            method: "POST".to_owned(),
            url: url.to_owned(),
            purpose: Purpose::Flow,
            progress,
            stopped: stop,
        }
    }

    fn stop(step: Step, cause: StopCause) -> Option<Stop> {
        Some(Stop {
            step,
            why: String::new(),
            cause: Some(cause),
        })
    }

    #[test]
    fn a_call_that_stopped_before_it_was_sent_has_something_to_do() {
        let plain = "http://127.0.0.1:8080/api/x";
        let advice = |step, cause| of_call(&[request(plain, Progress::Unsent, stop(step, cause))]).unwrap();
        assert!(advice(Step::Policy, StopCause::NotAllowed).ends_with("--allow http://127.0.0.1:8080"));
        assert!(advice(Step::Address, StopCause::Address(AddressKind::Private)).contains("--open-address private"));
        for (fault, words) in [
            (CertificateFault::UnknownAuthority, "--ca-file"),
            (CertificateFault::Authority, "CA:FALSE"),
            (CertificateFault::WrongName, "Check snInstance (or snEndpoint)"),
        ] {
            let advice = advice(Step::Tls, StopCause::Certificate(fault));
            assert!(advice.contains(words), "{advice}");
        }
        assert!(advice(Step::Tls, StopCause::ClientCertificate).contains("--client-certificate"));
    }

    #[test]
    fn there_is_no_advice_after_sending_or_for_a_secret_host() {
        let denied = || stop(Step::Policy, StopCause::NotAllowed);
        for request in [
            request("https://acme.example/x", Progress::Answered(500), denied()),
            request("https://acme.example/x", Progress::Unsent, None),
            request("https://***/x", Progress::Denied, denied()),
        ] {
            assert_eq!(of_call(&[request]), None);
        }
        assert_eq!(of_call(&[]), None);
    }

    #[test]
    fn every_certificate_date_is_shown() {
        let day_of = |seconds| day(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(day_of(1_795_617_895), "25 Nov 2026");
        assert_eq!(day_of(253_402_300_799), "31 Dec 9999");
        assert_eq!(day_of(253_402_300_800), "an unknown day");
        assert_eq!(day(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), "an unknown day");
    }
}

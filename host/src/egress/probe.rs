//! Tests the connection to an origin step by step, as a call makes it, without sending a request.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::ReadBuf;
use tokio::time::Instant;

use super::Egress;
use super::certificate::{Recorder, ServerCertificate, printable};
use super::connect::{Connected, Dialer};
use super::origin::Origin;
use super::record::{ConnectObserver, Step, Stop, StopCause};
use super::stream::Io;
use super::tls::Tls;
use super::tls_error;

/// The result of each step of a connection test ([`Egress::probe`]).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Probe {
    /// The tested origin.
    pub origin: Origin,
    /// Every step, in order.
    pub steps: Vec<ProbedStep>,
    /// The proxy, without its credentials.
    pub proxy: Option<String>,
    /// The server's certificate, if the test got that far, even if it was refused.
    pub certificate: Option<ServerCertificate>,
    /// Whether the server requested a client certificate.
    pub client_certificate: ClientCertificate,
}

impl Probe {
    /// Whether a request could be sent.
    pub fn passed(&self) -> bool {
        !self
            .steps
            .iter()
            .any(|step| matches!(step.outcome, StepOutcome::Failed(_)))
    }
}

/// One step of a [`Probe`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProbedStep {
    /// Which one.
    pub step: Step,
    /// Its result.
    pub outcome: StepOutcome,
    /// How long it took.
    pub took: Duration,
}

/// The result of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepOutcome {
    /// It passed; the details, for people.
    Passed(String),
    /// It failed, and the test ends here.
    Failed(Stop),
    /// It was not needed or not reached; the reason, for people.
    Skipped(String),
}

/// Whether a server requests a client certificate (mutual TLS).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientCertificate {
    /// Not requested, as far as the test got.
    NotAsked,
    /// Requested, and none is configured.
    Missing,
    /// Requested, and sent.
    Shown,
}

/// In the order of execution.
const STEPS: [Step; 6] = [
    Step::Policy,
    Step::Dns,
    Step::Address,
    Step::Proxy,
    Step::Tcp,
    Step::Tls,
];

/// How long to wait for a server that requested a certificate: with TLS 1.3 it refuses one only after the handshake, one round trip later
/// (RFC 8446, section 4.4.2).
const AFTERWARDS: Duration = Duration::from_secs(2);

/// A longer limit could overflow the clock.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

impl Egress {
    /// Tests the connection to an origin: policy, DNS, each address against the policy, proxy or TCP, TLS. Each step may take at most
    /// `step_limit`. It follows a call's steps and stops where a call would, but never uses an idle connection, and sends no request.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use std::time::Duration;
    /// use flow_starter_host::egress::{Step, StepOutcome};
    /// use flow_starter_host::Egress;
    ///
    /// let probe = Egress::builder().build()?.probe(&"https://acme.example".parse()?, Duration::from_secs(20)).await;
    /// assert_eq!(probe.steps[0].step, Step::Policy);
    /// assert!(matches!(probe.steps[0].outcome, StepOutcome::Failed(_)));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn probe(&self, origin: &Origin, step_limit: Duration) -> Probe {
        let walk = Walk::default();
        walk.begins(Step::Policy, "not checked");
        if let Some(stop) = self.policy.refusal(origin) {
            walk.stops(stop);
            return walk.probe(origin);
        }
        walk.passed(Step::Policy, format_args!("it allows this destination"));
        let dialer = &self.transport.dialer;
        let (recorder, recorded) = Recorder::of(dialer.tls.configs().await);
        let dialer = Dialer {
            tls: Arc::new(Tls::of(recorded)),
            ..dialer.clone()
        };
        let connected = walk
            .within(step_limit, dialer.connect(origin, &self.policy, &walk))
            .await;
        let asked = recorder.asked();
        if let (Some(mut connected), Some(_)) = (connected, asked)
            && let Some(why) = refusal(&mut *connected.io).await
        {
            walk.stops(Stop {
                step: Step::Tls,
                why,
                cause: Some(StopCause::ClientCertificate),
            });
        }
        Probe {
            proxy: dialer.proxy_of(origin).map(ToString::to_string),
            certificate: recorder.certificate(),
            client_certificate: match asked {
                None => ClientCertificate::NotAsked,
                Some(false) => ClientCertificate::Missing,
                Some(true) => ClientCertificate::Shown,
            },
            ..walk.probe(origin)
        }
    }
}

/// The server's objection to the client's certificate, or to its absence, after the handshake.
async fn refusal(io: &mut dyn Io) -> Option<String> {
    let mut byte = [0];
    let mut heard = ReadBuf::new(&mut byte);
    let reading = std::future::poll_fn(|cx| Pin::new(&mut *io).poll_read(cx, &mut heard));
    match tokio::time::timeout(AFTERWARDS, reading).await {
        Ok(Err(error)) => Some(format!(
            "the server asked for a client's certificate, and then: {}",
            tls_error::words("server", &error)
        )),
        Ok(Ok(())) if heard.filled().is_empty() => {
            Some("the server asked for a client's certificate, and then closed the connection".to_owned())
        }
        _ => None,
    }
}

/// The state of a running test.
#[derive(Default)]
struct Walk(Mutex<Vec<Walked>>);

struct Walked {
    step: Step,
    outcome: StepOutcome,
    began: Instant,
    /// `None` while it runs; the outcome is then the one for a timeout.
    took: Option<Duration>,
}

impl Walk {
    fn steps(&self) -> MutexGuard<'_, Vec<Walked>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ends(&self, step: Step, outcome: StepOutcome) {
        let mut steps = self.steps();
        match steps.iter_mut().find(|walked| walked.step == step) {
            Some(walked) => {
                walked.took.get_or_insert_with(|| walked.began.elapsed());
                walked.outcome = outcome;
            }
            None => steps.push(Walked {
                step,
                outcome,
                began: Instant::now(),
                took: Some(Duration::ZERO),
            }),
        }
    }

    /// When the running step times out.
    fn deadline(&self, limit: Duration) -> Instant {
        let lasting = self
            .steps()
            .iter()
            .find(|walked| walked.took.is_none())
            .map(|walked| walked.began);
        lasting.unwrap_or_else(Instant::now) + limit.min(LONGEST)
    }

    async fn within<E>(
        &self,
        limit: Duration,
        connecting: impl Future<Output = Result<Connected, E>>,
    ) -> Option<Connected> {
        tokio::pin!(connecting);
        loop {
            tokio::select! {
                connected = &mut connecting => return connected.ok(),
                () = tokio::time::sleep_until(self.deadline(limit)) => {
                    if self.deadline(limit) <= Instant::now() {
                        return None;
                    }
                }
            }
        }
    }

    /// Every step, including those that were not reached.
    fn probe(&self, origin: &Origin) -> Probe {
        let walked = self.steps();
        let steps = STEPS.map(|step| match walked.iter().find(|walked| walked.step == step) {
            Some(walked) => ProbedStep {
                step,
                outcome: walked.outcome.clone(),
                took: walked.took.unwrap_or_else(|| walked.began.elapsed()),
            },
            None => ProbedStep {
                step,
                outcome: StepOutcome::Skipped("not reached".to_owned()),
                took: Duration::ZERO,
            },
        });
        Probe {
            origin: origin.clone(),
            steps: steps.into(),
            proxy: None,
            certificate: None,
            client_certificate: ClientCertificate::NotAsked,
        }
    }
}

impl ConnectObserver for Walk {
    fn begins(&self, step: Step, late: &str) {
        self.steps().push(Walked {
            step,
            outcome: StepOutcome::Failed(Stop::new(step, late)),
            began: Instant::now(),
            took: None,
        });
    }

    fn passed(&self, step: Step, found: fmt::Arguments<'_>) {
        self.ends(step, StepOutcome::Passed(printable(&found.to_string())));
    }

    fn skipped(&self, step: Step, why: &str) {
        self.ends(step, StepOutcome::Skipped(why.to_owned()));
    }

    fn stops(&self, mut stop: Stop) {
        stop.why = printable(&stop.why);
        self.ends(stop.step, StepOutcome::Failed(stop));
    }
}

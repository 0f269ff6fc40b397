//! The way to an origin tried step by step, just as a call goes it, and no request sent.

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

/// What became of each step on the way to an origin ([`Egress::probe`]).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Probe {
    /// Where the way leads.
    pub origin: Origin,
    /// Every step, in order.
    pub steps: Vec<ProbedStep>,
    /// The proxy on the way, without its credentials.
    pub proxy: Option<String>,
    /// The server's certificate, where the way came so far; also one that was refused.
    pub certificate: Option<ServerCertificate>,
    /// What the server asked of the client.
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
    /// What became of it.
    pub outcome: StepOutcome,
    /// How long it took.
    pub took: Duration,
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepOutcome {
    /// It passed; in words for a person, what was found.
    Passed(String),
    /// It failed, and the way ends here.
    Failed(Stop),
    /// There was nothing to do, or the way did not come so far; in words for a person.
    Skipped(String),
}

/// Whether a server asks who the client is (mutual TLS).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientCertificate {
    /// It was not asked for, as far as the way came.
    NotAsked,
    /// It was asked for, and there was none to show.
    Missing,
    /// It was asked for, and shown.
    Shown,
}

/// In the order in which they are taken.
const STEPS: [Step; 6] = [
    Step::Policy,
    Step::Dns,
    Step::Address,
    Step::Proxy,
    Step::Tcp,
    Step::Tls,
];

/// How long a server that asked for a certificate is listened to: with TLS 1.3 it refuses one only after the client's last word, which is
/// a journey there and back (RFC 8446, section 4.4.2).
const AFTERWARDS: Duration = Duration::from_secs(2);

/// Added to a clock, a longer limit could overflow it.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

impl Egress {
    /// Tries the way to an origin, each step of it no longer than `step_limit`: the policy, the look-up, each address against the policy,
    /// the proxy or the connection, TLS. It goes the way of a call and stops where a call would, but never over a kept connection; no
    /// request is sent.
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

/// What the server says against the client's certificate, or its absence, after the handshake.
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

/// What is known of a walk while it lasts.
#[derive(Default)]
struct Walk(Mutex<Vec<Walked>>);

struct Walked {
    step: Step,
    outcome: StepOutcome,
    began: Instant,
    /// None while it lasts; the outcome is then what is true if the time runs out.
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

    /// When the step that lasts has lasted too long.
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

    /// Every step, those included that the walk did not come to.
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

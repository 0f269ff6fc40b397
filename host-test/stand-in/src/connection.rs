//! One connection from its first request to its end: which requests come, what the instance does with each, and how the connection ends.

use std::io;

use crate::answer::{Answer, Sent};
use crate::behaviour::Behaviour;
use crate::exchange::{Arrived, Client, Exchange, Next};
use crate::http1::{Head, NoHead};
use crate::record::TlsSeen;
use crate::routes::State;
use crate::wire::Wire;

pub(crate) struct Connection<'a> {
    pub state: &'a State,
    pub number: usize,
    pub tls: Option<TlsSeen>,
    pub wire: Wire,
}

impl Connection<'_> {
    /// Serves requests until one side ends it.
    pub async fn serve(mut self) {
        loop {
            match self.exchange().await {
                Next::Request => {}
                Next::Close => return self.wire.end_of_output().await,
                Next::Cut => return self.wire.cut().await,
                Next::Linger => return self.wire.linger().await,
                Next::Over => return,
                Next::Reset => return self.wire.reset(),
                Next::Alert(description) => return self.wire.alert(description).await,
            }
        }
    }

    async fn exchange(&mut self) -> Next {
        let log = &self.state.log;
        let head = match Head::read(&mut self.wire).await {
            Ok(head) => head,
            Err(NoHead::End) => return Next::Close,
            Err(NoHead::BrokenOff(fragment)) => {
                log.over(log.begin(self.number, self.tls.as_ref(), &fragment));
                return Next::Close;
            }
            Err(NoHead::Bad(fragment)) => {
                let number = log.begin(self.number, self.tls.as_ref(), &fragment);
                return refuse_unread(self.state, &mut self.wire, number, "Not an HTTP request").await;
            }
        };
        let number = log.begin(self.number, self.tls.as_ref(), &head);
        let Some(framing) = head.framing() else {
            let what = "The length of the body is unknown";
            return refuse_unread(self.state, &mut self.wire, number, what).await;
        };
        let mut exchange = Exchange::new(self.state, &mut self.wire, number, &head, framing);
        // A connection that fails has ended: there is nothing more to do with it in good order.
        let next = exchange.run().await.unwrap_or(Next::Close);
        exchange.finish(next).await
    }
}

impl Exchange<'_> {
    async fn run(&mut self) -> io::Result<Next> {
        let (delay, behaviour) = self.state.plan(self.head).without_delay();
        let on_head = match &behaviour {
            Behaviour::Script(steps) => Some(steps.clone()),
            Behaviour::Fault(fault) => fault.on_head(),
            _ => None,
        };
        if let Some(steps) = on_head {
            return match self.wait(delay).await {
                Client::Waits => self.play(&steps, None).await,
                Client::Left => Ok(Next::Close),
            };
        }
        let refusal = match self.read_request().await? {
            Arrived::Whole => None,
            Arrived::BrokenOff => return Ok(Next::Close),
            Arrived::TooLarge => Some(too_large(self.state.instance.max_request_bytes)),
            Arrived::Bad => Some(bad_request("The chunks of the body are broken")),
        };
        if let Some(refusal) = refusal {
            self.send(&refusal, true).await?;
            return Ok(Next::Close);
        }
        if let Behaviour::Fault(fault) = &behaviour {
            let (own, steps) = match fault.refuses() {
                true => (None, fault.steps(&Answer::new(403), self.sent())),
                false => {
                    let own = self.state.answer(self.request());
                    let steps = fault.steps(&own, self.sent());
                    (Some(own), steps)
                }
            };
            return match self.wait(delay).await {
                Client::Waits => self.play(&steps, own).await,
                Client::Left => Ok(Next::Close),
            };
        }
        let answer = match behaviour.fixed_answer() {
            Some(answer) => answer,
            None => self.state.answer(self.request()),
        };
        if self.wait(delay).await == Client::Left {
            return Ok(Next::Close);
        }
        let closing = !self.head.keeps_alive();
        self.send(&answer, closing).await?;
        Ok(if closing { Next::Close } else { Next::Request })
    }
}

/// Answers 400 to what could not be read as a request, and takes nothing more from this connection.
async fn refuse_unread(state: &State, wire: &mut Wire, number: usize, what: &str) -> Next {
    let answer = bad_request(what);
    state.log.update(number, |record| record.answered = Some(answer.status));
    let sent = Sent {
        closing: true,
        ..Sent::default()
    };
    let _gone_already = wire.send(&answer.encode(sent)).await;
    state.log.over(number);
    wire.end_of_output().await;
    Next::Linger
}

fn bad_request(what: &str) -> Answer {
    Answer::failure(400, "Bad request", Some(what))
}

fn too_large(limit: usize) -> Answer {
    Answer::failure(
        400,
        "Request body too large",
        Some(&format!("The maximum size of a request is {limit} bytes")),
    )
}

/// Makes a [`Connection`]'s record of its handshake.
pub(crate) fn tls_seen(connection: &rustls::ServerConnection) -> TlsSeen {
    TlsSeen {
        server_name: connection.server_name().map(str::to_owned),
        version: connection
            .protocol_version()
            .and_then(|version| version.as_str())
            .unwrap_or("unknown")
            .to_owned(),
    }
}

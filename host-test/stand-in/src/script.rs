//! A script's steps, one after the other on one exchange.

use std::io;
use std::time::Duration;

use crate::answer::Answer;
use crate::exchange::{Arrived, Client, Exchange, Next};
use crate::step::Step;

impl Exchange<'_> {
    /// `own` is the instance's answer, if the request was done already.
    pub async fn play(&mut self, steps: &[Step], mut own: Option<Answer>) -> io::Result<Next> {
        for step in steps {
            match step {
                Step::ReadRequest => {
                    if self.read_request().await? == Arrived::BrokenOff {
                        return Ok(Next::Close);
                    }
                }
                Step::Start => own = Some(self.state.answer(self.request())),
                Step::Answer | Step::AnswerUpTo(_) => {
                    let answer = own.get_or_insert_with(|| self.state.answer(self.request()));
                    let mut bytes = answer.encode(self.sent());
                    if let Step::AnswerUpTo(count) = step {
                        bytes.truncate(*count);
                    }
                    self.send_bytes(&bytes).await?;
                }
                Step::Bytes(bytes) => self.send_bytes(bytes).await?,
                Step::Drip { bytes, every } => {
                    if self.drip(bytes, *every).await? == Client::Left {
                        return Ok(Next::Close);
                    }
                }
                Step::Endless(bytes) => self.pour(bytes).await?,
                Step::Pause(time) => {
                    if self.wait(*time).await == Client::Left {
                        return Ok(Next::Close);
                    }
                }
                Step::Silence => {
                    self.until_left().await;
                    return Ok(Next::Close);
                }
                Step::Close => return Ok(Next::Close),
                Step::Cut => return Ok(Next::Cut),
                Step::Reset => return Ok(Next::Reset),
                Step::Alert(description) => return Ok(Next::Alert(*description)),
            }
        }
        let answered_last = matches!(steps.last(), Some(Step::Answer));
        Ok(match self.is_whole() && answered_last && self.head.keeps_alive() {
            true => Next::Request,
            false => Next::Close,
        })
    }

    async fn drip(&mut self, bytes: &[u8], every: Duration) -> io::Result<Client> {
        self.note_status(bytes);
        for byte in bytes {
            if self.wait(every).await == Client::Left {
                return Ok(Client::Left);
            }
            self.wire.send(&[*byte]).await?;
        }
        Ok(Client::Waits)
    }

    /// Ends only by the error of a client that left.
    async fn pour(&mut self, bytes: &[u8]) -> io::Result<()> {
        let many = bytes.repeat((64 * 1024usize).div_ceil(bytes.len().max(1)));
        if many.is_empty() {
            return Ok(());
        }
        loop {
            self.wire.send(&many).await?;
        }
    }
}

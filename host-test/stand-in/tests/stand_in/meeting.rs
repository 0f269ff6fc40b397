//! One request and a fault: what its client meets, and what the stand-in knows.

use std::time::Duration;

use servicenow_stand_in::{Behaviour, DEMO_FLOW, Fault, Recorded, StandIn};

use crate::client::{Client, Ending, demo, recorded, start};

/// What is silent for so long has no more to say.
pub const QUIET: Duration = Duration::from_millis(100);

/// What the client of one request met.
pub struct Met {
    pub bytes: Vec<u8>,
    pub ending: Ending,
    pub seen: Recorded,
    pub starts: usize,
}

impl Met {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The head, up to and with the empty line, and what followed.
    pub fn parts(&self) -> (String, String) {
        let text = self.text();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (format!("{head}\r\n\r\n"), body.to_owned())
    }

    pub fn length(&self) -> usize {
        let (head, _) = self.parts();
        let line = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        line.unwrap().parse().unwrap()
    }
}

pub fn meet(fault: Fault) -> Met {
    let stand_in = demo();
    stand_in.behave(DEMO_FLOW, Behaviour::Fault(fault));
    let mut client = Client::tls(&stand_in);
    let (bytes, ending) = client.send(start()).rest();
    let starts = stand_in.starts().len();
    let seen = recorded(&stand_in);
    // The next connection is served as ever.
    stand_in.behave_well();
    assert_eq!(Client::tls(&stand_in).send(start()).answer().status, 200);
    Met {
        bytes,
        ending,
        seen,
        starts,
    }
}

pub fn stalled(fault: Fault) -> (StandIn, Client) {
    let stand_in = demo();
    stand_in.behave(DEMO_FLOW, Behaviour::Fault(fault));
    let mut client = Client::tls(&stand_in);
    client.send(start());
    (stand_in, client)
}

/// The client leaves, and the stand-in notices.
pub fn leaves(stand_in: &StandIn, client: Client) -> Recorded {
    drop(client);
    recorded(stand_in)
}

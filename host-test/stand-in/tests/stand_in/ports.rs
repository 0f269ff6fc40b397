//! Ports that go wrong.

use std::net::TcpStream;
use std::time::Duration;

use servicenow_stand_in::{FaultyPort, Instance, PortFault, StandIn, TlsFault};

use crate::client::{BOTH_VERSIONS, Client, Ending, demo, ending, handshake, start};

#[test]
fn a_silent_port_accepts_hears_and_says_nothing() {
    let stand_in = demo();
    let mut client = Client::to(stand_in.open_port(PortFault::Silent).unwrap());
    client.send("anything");
    assert!(client.is_silent_for(Duration::from_millis(100)));
    assert!(stand_in.requests().is_empty());
}

#[test]
fn a_port_closes_or_resets_at_once() {
    let stand_in = demo();
    for (fault, end) in [(PortFault::Close, Ending::Closed), (PortFault::Reset, Ending::Reset)] {
        let address = stand_in.open_port(fault).unwrap();
        match TcpStream::connect(address) {
            Ok(tcp) => assert_eq!(Client::over(tcp).rest(), (Vec::new(), end), "{fault:?}"),
            // The reset may overtake the connecting.
            Err(error) => assert_eq!(ending(&error), Ending::Reset),
        }
    }
}

#[test]
fn a_refusing_port_stays_reserved() {
    let stand_in = demo();
    let address = stand_in.open_port(PortFault::Refused).unwrap();
    assert_eq!(
        TcpStream::connect(address).unwrap_err().kind(),
        std::io::ErrorKind::ConnectionRefused
    );
    assert!(std::net::TcpListener::bind(address).is_err());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_port_never_accepts() {
    let stand_in = demo();
    let address = stand_in.open_port(PortFault::Full).unwrap();
    let error = TcpStream::connect_timeout(&address, Duration::from_millis(300)).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
}

#[test]
fn a_port_may_have_a_fault_of_tls_for_the_instances_own_name() {
    let stand_in = demo();
    let address = stand_in.open_port(PortFault::Tls(TlsFault::Only12)).unwrap();
    let mut client = Client::over(handshake(&stand_in, address, &stand_in.host(), &BOTH_VERSIONS).unwrap());
    assert_eq!(client.send(start()).answer().status, 200);
    assert_eq!(stand_in.requests()[0].tls.as_ref().unwrap().version, "TLSv1_2");

    let address = stand_in.open_port(PortFault::Tls(TlsFault::Expired)).unwrap();
    assert!(handshake(&stand_in, address, &stand_in.host(), &BOTH_VERSIONS).is_err());
    assert_eq!(Client::tls(&stand_in).send(start()).answer().status, 200);
}

#[test]
fn ports_of_the_file_are_open_when_it_starts() {
    let file = "hosts = [\"acme\"]\n[[faulty-port]]\nfault = \"close\"\n[[faulty-port]]\nfault = { tls = \"silence\" }";
    let instance = Instance::from_toml(file).unwrap();
    assert_eq!(
        instance.faulty_ports[0],
        FaultyPort {
            port: 0,
            fault: PortFault::Close
        }
    );
    let stand_in = StandIn::start(instance).unwrap();
    let open = stand_in.faulty_ports();
    assert_eq!(open.len(), 2);
    assert_eq!(Client::to(open[0].0).rest(), (Vec::new(), Ending::Closed));
}

#[tokio::test]
async fn a_port_opens_for_an_asynchronous_caller_too() {
    let stand_in = demo();
    assert!(stand_in.open_port(PortFault::Silent).unwrap().ip().is_loopback());
}

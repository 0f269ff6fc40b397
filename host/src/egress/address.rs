//! Addresses that are not public: a name must not resolve to them unless the policy allows it.
//!
//! Two tables decide, one for each version of IP: the longest block that holds an address says what it is. They follow IANA's
//! special-purpose registries (RFC 6890, RFC 8190) as of 2025-10-09; `special-addresses.tsv` is the registries' own text, and the tests
//! compare the two.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A kind of address that is not public (IANA's special-purpose registries, RFC 6890 and its successors).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressKind {
    /// `0.0.0.0/8`, `::`: this machine, to many systems.
    Unspecified,
    /// `127.0.0.0/8`, `::1`.
    Loopback,
    /// `10.0.0.0/8`, `172.16.0.0/12`, `192.168.0.0/16` (RFC 1918), `64:ff9b:1::/48` (RFC 8215).
    Private,
    /// `169.254.0.0/16`, `fe80::/10`.
    LinkLocal,
    /// `100.64.0.0/10` (RFC 6598).
    CarrierGrade,
    /// `fc00::/7` (RFC 4193), and the older `fec0::/10`.
    UniqueLocal,
    /// `224.0.0.0/4`, `ff00::/8`.
    Multicast,
    /// `192.0.2.0/24`, `198.51.100.0/24`, `203.0.113.0/24`, `2001:db8::/32`, `3fff::/20`.
    Documentation,
    /// Where clouds give out credentials; never opened: `169.254.169.254`, `169.254.170.2`, `169.254.170.23`, `168.63.129.16`,
    /// `100.100.100.200`, `192.0.0.192`,
    /// `fd00:ec2::254`, `fd00:ec2::23`, `fd20:ce::254`.
    Metadata,
    /// Everything else that is no public host's: benchmarking, protocol assignments, broadcast, relays and what is not assigned.
    Reserved,
}

impl AddressKind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Unspecified,
        Self::Loopback,
        Self::Private,
        Self::LinkLocal,
        Self::CarrierGrade,
        Self::UniqueLocal,
        Self::Multicast,
        Self::Documentation,
        Self::Metadata,
        Self::Reserved,
    ];

    /// The kind of an address; none for a public one. Where there are several reasons against it, metadata comes first, and then what the
    /// address itself is.
    pub fn of(address: IpAddr) -> Option<Self> {
        let reasons = Self::all_of(address);
        if reasons.contains(&Self::Metadata) {
            return Some(Self::Metadata);
        }
        let own = match judged_by(address) {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        };
        own.or_else(|| reasons.first().copied())
    }

    /// Every reason against an address: what it is itself, and what the IPv4 addresses inside it are. All of them must be opened.
    pub(super) fn all_of(address: IpAddr) -> BTreeSet<Self> {
        match judged_by(address) {
            IpAddr::V4(address) => of_v4(address).into_iter().collect(),
            IpAddr::V6(address) => {
                let inside = embedded(address).into_iter().filter_map(of_v4);
                of_v6(address).into_iter().chain(inside).collect()
            }
        }
    }

    /// Its name in a policy.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::LinkLocal => "link-local",
            Self::CarrierGrade => "carrier-grade",
            Self::UniqueLocal => "unique-local",
            Self::Multicast => "multicast",
            Self::Documentation => "documentation",
            Self::Metadata => "metadata",
            Self::Reserved => "reserved",
        }
    }
}

impl fmt::Display for AddressKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not a kind of address that a policy can open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressKindError {
    /// No kind has this name.
    #[error(
        "must be one of unspecified, loopback, private, link-local, carrier-grade, unique-local, multicast, documentation and reserved"
    )]
    Unknown,
    /// [`AddressKind::Metadata`].
    #[error(
        "metadata addresses cannot be allowed: clouds give out credentials there, and no ServiceNow instance has such an address"
    )]
    Metadata,
}

impl std::str::FromStr for AddressKind {
    type Err = AddressKindError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match Self::ALL.into_iter().find(|kind| kind.as_str() == text) {
            Some(Self::Metadata) => Err(AddressKindError::Metadata),
            Some(kind) => Ok(kind),
            None => Err(AddressKindError::Unknown),
        }
    }
}

/// What the addresses of a block are, by its first bits; none: public.
type Block<A> = (A, u32, Option<AddressKind>);

/// Multicast (RFC 5771) is in a registry of its own; the metadata addresses are the clouds'. A block of which the registry says neither that it
/// is globally reachable nor that it is not (N/A) is not public.
#[rustfmt::skip]
const BLOCKS_V4: &[Block<Ipv4Addr>] = {
    use AddressKind::*;
    const fn v4(a: u8, b: u8, c: u8, d: u8) -> Ipv4Addr { Ipv4Addr::new(a, b, c, d) }
    &[
        (v4(0, 0, 0, 0), 0, None),
        (v4(0, 0, 0, 0), 8, Some(Unspecified)),            // "This network"
        (v4(10, 0, 0, 0), 8, Some(Private)),               // Private-Use
        (v4(100, 64, 0, 0), 10, Some(CarrierGrade)),       // Shared Address Space
        (v4(100, 100, 100, 200), 32, Some(Metadata)),      // Alibaba Cloud
        (v4(127, 0, 0, 0), 8, Some(Loopback)),             // Loopback
        (v4(168, 63, 129, 16), 32, Some(Metadata)),        // Azure
        (v4(169, 254, 0, 0), 16, Some(LinkLocal)),         // Link Local
        (v4(169, 254, 169, 254), 32, Some(Metadata)),      // AWS, Google Cloud, Azure and others
        (v4(169, 254, 170, 2), 32, Some(Metadata)),        // AWS ECS
        (v4(169, 254, 170, 23), 32, Some(Metadata)),       // AWS EKS
        (v4(172, 16, 0, 0), 12, Some(Private)),            // Private-Use
        (v4(192, 0, 0, 0), 24, Some(Reserved)),            // IETF Protocol Assignments
        (v4(192, 0, 0, 0), 29, Some(Reserved)),            // IPv4 Service Continuity Prefix
        (v4(192, 0, 0, 8), 32, Some(Reserved)),            // IPv4 dummy address
        (v4(192, 0, 0, 9), 32, None),                      // Port Control Protocol Anycast
        (v4(192, 0, 0, 10), 32, None),                     // TURN Anycast
        (v4(192, 0, 0, 170), 32, Some(Reserved)),          // NAT64/DNS64 Discovery
        (v4(192, 0, 0, 171), 32, Some(Reserved)),          // NAT64/DNS64 Discovery
        (v4(192, 0, 0, 192), 32, Some(Metadata)),          // Oracle Cloud
        (v4(192, 0, 2, 0), 24, Some(Documentation)),       // Documentation (TEST-NET-1)
        (v4(192, 31, 196, 0), 24, None),                   // AS112-v4
        (v4(192, 52, 193, 0), 24, None),                   // AMT
        (v4(192, 88, 99, 0), 24, Some(Reserved)),          // Deprecated (6to4 Relay Anycast): N/A
        (v4(192, 168, 0, 0), 16, Some(Private)),           // Private-Use
        (v4(192, 175, 48, 0), 24, None),                   // Direct Delegation AS112 Service
        (v4(198, 18, 0, 0), 15, Some(Reserved)),           // Benchmarking
        (v4(198, 51, 100, 0), 24, Some(Documentation)),    // Documentation (TEST-NET-2)
        (v4(203, 0, 113, 0), 24, Some(Documentation)),     // Documentation (TEST-NET-3)
        (v4(224, 0, 0, 0), 4, Some(Multicast)),            // multicast
        (v4(240, 0, 0, 0), 4, Some(Reserved)),             // Reserved
        (v4(255, 255, 255, 255), 32, Some(Reserved)),      // Limited Broadcast
    ]
};

/// All that is assigned to hosts is in `2000::/3` (RFC 4291, section 2.4). Multicast (section 2.7) and the older site-local addresses (RFC
/// 3879) are beside the registry; the metadata addresses are the clouds'. The first four groups, and the last.
#[rustfmt::skip]
const BLOCKS_V6: &[Block<Ipv6Addr>] = {
    use AddressKind::*;
    const fn v6(a: u16, b: u16, c: u16, d: u16, last: u16) -> Ipv6Addr { Ipv6Addr::new(a, b, c, d, 0, 0, 0, last) }
    &[
        (v6(0, 0, 0, 0, 0), 0, Some(Reserved)),
        (v6(0, 0, 0, 0, 1), 128, Some(Loopback)),                       // Loopback Address
        (v6(0, 0, 0, 0, 0), 128, Some(Unspecified)),                    // Unspecified Address
        (v6(0x64, 0xff9b, 1, 0, 0), 48, Some(Private)),                 // IPv4-IPv6 Translation (local use)
        (v6(0x100, 0, 0, 0, 0), 64, Some(Reserved)),                    // Discard-Only Address Block
        (v6(0x100, 0, 0, 1, 0), 64, Some(Reserved)),                    // Dummy IPv6 Prefix
        (v6(0x2000, 0, 0, 0, 0), 3, None),
        (v6(0x2001, 0, 0, 0, 0), 23, Some(Reserved)),                   // IETF Protocol Assignments
        (v6(0x2001, 0, 0, 0, 0), 32, Some(Reserved)),                   // TEREDO: N/A
        (v6(0x2001, 1, 0, 0, 1), 128, None),                            // Port Control Protocol Anycast
        (v6(0x2001, 1, 0, 0, 2), 128, None),                            // TURN Anycast
        (v6(0x2001, 1, 0, 0, 3), 128, None),                            // DNS-SD Service Registration Protocol Anycast
        (v6(0x2001, 2, 0, 0, 0), 48, Some(Reserved)),                   // Benchmarking
        (v6(0x2001, 3, 0, 0, 0), 32, None),                             // AMT
        (v6(0x2001, 4, 0x112, 0, 0), 48, None),                         // AS112-v6
        (v6(0x2001, 0x10, 0, 0, 0), 28, Some(Reserved)),                // Deprecated (ORCHID)
        (v6(0x2001, 0x20, 0, 0, 0), 28, None),                          // ORCHIDv2
        (v6(0x2001, 0x30, 0, 0, 0), 28, None),                          // Drone Remote ID Protocol Entity Tags
        (v6(0x2001, 0xdb8, 0, 0, 0), 32, Some(Documentation)),          // Documentation
        (v6(0x2002, 0, 0, 0, 0), 16, Some(Reserved)),                   // 6to4: N/A
        (v6(0x2620, 0x4f, 0x8000, 0, 0), 48, None),                     // Direct Delegation AS112 Service
        (v6(0x3fff, 0, 0, 0, 0), 20, Some(Documentation)),              // Documentation
        (v6(0x5f00, 0, 0, 0, 0), 16, Some(Reserved)),                   // Segment Routing (SRv6) SIDs
        (v6(0xfc00, 0, 0, 0, 0), 7, Some(UniqueLocal)),                 // Unique-Local
        (v6(0xfd00, 0xec2, 0, 0, 0x23), 128, Some(Metadata)),           // AWS EKS
        (v6(0xfd00, 0xec2, 0, 0, 0x254), 128, Some(Metadata)),          // AWS
        (v6(0xfd20, 0xce, 0, 0, 0x254), 128, Some(Metadata)),           // Google Cloud
        (v6(0xfe80, 0, 0, 0, 0), 10, Some(LinkLocal)),                  // Link-Local Unicast
        (v6(0xfec0, 0, 0, 0, 0), 10, Some(UniqueLocal)),                // site-local
        (v6(0xff00, 0, 0, 0, 0), 8, Some(Multicast)),                   // multicast
    ]
};

fn of_v4(address: Ipv4Addr) -> Option<AddressKind> {
    let within = |block: &Ipv4Addr, bits: u32| (block.to_bits() ^ address.to_bits()).leading_zeros() >= bits;
    longest(BLOCKS_V4, within)
}

fn of_v6(address: Ipv6Addr) -> Option<AddressKind> {
    let within = |block: &Ipv6Addr, bits: u32| (block.to_bits() ^ address.to_bits()).leading_zeros() >= bits;
    longest(BLOCKS_V6, within)
}

/// What the longest of the blocks that hold an address says; the first row holds every one.
fn longest<A>(blocks: &[Block<A>], within: impl Fn(&A, u32) -> bool) -> Option<AddressKind> {
    let holding = blocks.iter().filter(|(block, bits, _)| within(block, *bits));
    holding
        .max_by_key(|(_, bits, _)| *bits)
        .map_or(Some(AddressKind::Reserved), |(_, _, kind)| *kind)
}

/// The address that decides: the IPv4 address in an IPv4-mapped one (RFC 4291, section 2.5.5.2) and in one of the well-known prefix of NAT64
/// (RFC 6052), by which a network without IPv4 reaches ServiceNow; in any other case the address itself.
fn judged_by(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => match v6.segments() {
            [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => joined(high, low).into(),
            _ => address,
        },
        IpAddr::V4(_) => address,
    }
}

fn joined(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low))
}

/// The IPv4 addresses to which a tunnel or a translator may carry what is sent to an IPv6 one. They can only speak against it.
fn embedded(address: Ipv6Addr) -> Vec<Ipv4Addr> {
    let mut inside = match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Vec::new(),
        // Compatible (RFC 4291, section 2.5.5.1), translated (RFC 2765), 6to4 (RFC 3056).
        [0, 0, 0, 0, 0, 0, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] | [0x2002, high, low, ..] => {
            vec![joined(high, low)]
        }
        // Teredo (RFC 4380, section 4): the server, and the client with its bits inverted.
        [0x2001, 0, high, low, _, _, client_high, client_low] => {
            vec![joined(high, low), joined(!client_high, !client_low)]
        }
        [0x64, 0xff9b, 1, ..] => locally_translated(address),
        _ => Vec::new(),
    };
    // ISATAP (RFC 5214, section 6.1): the interface's part of any prefix, whatever its two flags say.
    if let [_, _, _, _, flags, 0x5efe, high, low] = address.segments()
        && flags & !0x0300 == 0
    {
        inside.push(joined(high, low));
    }
    inside
}

/// NAT64 of one's own network (RFC 8215): its prefix may have 48, 56, 64 or 96 bits, and bits 64 to 71 are left out (RFC 6052, section 2.2).
/// Where one of the four readings gives 0.0.0.0/8, it is not the one that is meant.
fn locally_translated(address: Ipv6Addr) -> Vec<Ipv4Addr> {
    let [_, _, _, _, _, _, a, b, _, c, d, e, f, g, h, i] = address.octets();
    let readings = [[a, b, c, d], [b, c, d, e], [c, d, e, f], [f, g, h, i]];
    readings
        .into_iter()
        .filter(|first| first[0] != 0)
        .map(Ipv4Addr::from)
        .collect()
}

#[cfg(test)]
mod tests;

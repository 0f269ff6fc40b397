//! Which addresses are not the public internet's: what a name must not lead to unless the policy opens it.

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
    /// Where clouds give out credentials: `169.254.169.254`, `169.254.170.2`, `169.254.170.23`, `168.63.129.16`, `100.100.100.200`, `192.0.0.192`,
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

    /// The kind of an address; none for a public one. An IPv4 address inside an IPv6 one (mapped, compatible, 6to4, NAT64) is looked at
    /// as what it leads to.
    pub fn of(address: IpAddr) -> Option<Self> {
        match address {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
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

/// Not a kind of address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a kind of address is one of unspecified, loopback, private, link-local, carrier-grade, unique-local, multicast, documentation, metadata and reserved"
)]
pub struct AddressKindError;

impl std::str::FromStr for AddressKind {
    type Err = AddressKindError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(AddressKindError)
    }
}

fn of_v4(address: Ipv4Addr) -> Option<AddressKind> {
    use AddressKind::*;
    Some(match address.octets() {
        [169, 254, 169, 254]
        | [169, 254, 170, 2 | 23]
        | [168, 63, 129, 16]
        | [100, 100, 100, 200]
        | [192, 0, 0, 192] => Metadata,
        [0, ..] => Unspecified,
        [127, ..] => Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Private,
        [169, 254, ..] => LinkLocal,
        [100, 64..=127, ..] => CarrierGrade,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Documentation,
        [224..=239, ..] => Multicast,
        [192, 0, 0, _] | [192, 88, 99, _] | [198, 18 | 19, ..] | [240..=255, ..] => Reserved,
        _ => return None,
    })
}

fn of_v6(address: Ipv6Addr) -> Option<AddressKind> {
    use AddressKind::*;
    if let Some(inner) = v4_within(address) {
        return of_v4(inner);
    }
    Some(match address.segments() {
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254 | 0x23] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => Metadata,
        [0, 0, 0, 0, 0, 0, 0, 0] => Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => Loopback,
        [0x64, 0xff9b, 1, ..] => Private,
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => UniqueLocal,
        [0xfe80..=0xfebf, ..] => LinkLocal,
        [0xff00..=0xffff, ..] => Multicast,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Documentation,
        // 2001::/23 holds Teredo, benchmarking and other protocols' own.
        [0x2001, 0..=0x1ff, ..] => Reserved,
        // All that is assigned to hosts is in 2000::/3.
        [0x2000..=0x3fff, ..] => return None,
        _ => Reserved,
    })
}

/// The IPv4 address that an IPv6 one leads to.
fn v4_within(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        // Mapped (RFC 4291, 2.5.5.2), compatible (2.5.5.1), translated (RFC 2765), NAT64 (RFC 6052).
        [0, 0, 0, 0, 0, 0xffff | 0, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        // 6to4 (RFC 3056).
        | [0x2002, high, low, ..] => Some(v4(high, low)),
        // ISATAP (RFC 5214): the interface's part of any prefix.
        [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => Some(v4(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_that_is_not_public_is_known_in_every_spelling() {
        use AddressKind::*;
        for (kind, addresses) in [
            (
                Unspecified,
                &["0.0.0.0", "0.1.2.3", "::", "::ffff:0.0.0.0", "64:ff9b::"][..],
            ),
            (
                Loopback,
                &[
                    "127.0.0.1",
                    "127.255.255.255",
                    "::1",
                    "::ffff:127.0.0.1",
                    "::127.0.0.1",
                    "64:ff9b::7f00:1",
                    "2002:7f00:1::",
                    "::ffff:0:127.0.0.1",
                    "2606:4700::5efe:127.0.0.1",
                ],
            ),
            (
                Private,
                &[
                    "10.0.0.1",
                    "172.16.0.1",
                    "172.31.255.255",
                    "192.168.1.1",
                    "::ffff:10.0.0.1",
                    "64:ff9b::a00:1",
                    "64:ff9b:1::1",
                    "2002:c0a8:101::1",
                ],
            ),
            (LinkLocal, &["169.254.0.1", "fe80::1", "febf::1", "::ffff:169.254.0.1"]),
            (CarrierGrade, &["100.64.0.1", "100.127.255.255", "::ffff:100.64.0.1"]),
            (UniqueLocal, &["fc00::1", "fdff::1", "fec0::1"]),
            (Multicast, &["224.0.0.1", "239.255.255.255", "ff02::1"]),
            (
                Documentation,
                &["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
            ),
            (
                Metadata,
                &[
                    "169.254.169.254",
                    "169.254.170.2",
                    "168.63.129.16",
                    "100.100.100.200",
                    "::ffff:169.254.169.254",
                    "64:ff9b::a9fe:a9fe",
                    "2002:a9fe:a9fe::",
                    "fd00:ec2::254",
                ],
            ),
            (
                Reserved,
                &[
                    "192.0.0.1",
                    "198.18.0.1",
                    "240.0.0.1",
                    "255.255.255.255",
                    "2001::1",
                    "100::1",
                    "4000::1",
                    "5f00::1",
                ],
            ),
        ] {
            for address in addresses {
                assert_eq!(AddressKind::of(address.parse().unwrap()), Some(kind), "{address}");
            }
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        for public in [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "149.96.0.1",
            "2606:4700::1",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2002:101:101::",
        ] {
            assert_eq!(AddressKind::of(public.parse().unwrap()), None, "{public}");
        }
    }
}

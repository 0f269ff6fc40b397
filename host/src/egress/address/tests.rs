use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

/// IANA's registries as data, with their date and source.
const REGISTRIES: &str = include_str!("../special-addresses.tsv");

/// A block as text of bits, and what the registry says of it.
struct Registered {
    block: String,
    bits: String,
    globally_reachable: bool,
}

/// An address as 32 or 128 digits: nothing here is shared with the code under test.
fn bits_of(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.octets().iter().map(|octet| format!("{octet:08b}")).collect(),
        IpAddr::V6(address) => address.octets().iter().map(|octet| format!("{octet:08b}")).collect(),
    }
}

fn address_of(bits: &str) -> IpAddr {
    match bits.len() {
        32 => Ipv4Addr::from(u32::from_str_radix(bits, 2).unwrap()).into(),
        _ => Ipv6Addr::from(u128::from_str_radix(bits, 2).unwrap()).into(),
    }
}

static REGISTERED: LazyLock<Vec<Registered>> = LazyLock::new(|| {
    let rows = REGISTRIES.lines().filter(|line| !line.starts_with('#'));
    let read = rows.map(|row| {
        let cells: Vec<_> = row.split('\t').collect();
        let [block, _name, reachable] = cells[..] else {
            panic!("{row}")
        };
        let (address, length) = block.split_once('/').unwrap();
        Registered {
            block: block.to_owned(),
            bits: bits_of(address.parse().unwrap())[..length.parse().unwrap()].to_owned(),
            globally_reachable: match reachable {
                "yes" => true,
                "no" | "-" => false,
                other => panic!("{other}"),
            },
        }
    });
    read.collect()
});

/// What the registries' text says, read anew. IPv6 is public within `2000::/3` alone.
fn is_public_by_the_registries(address: IpAddr) -> bool {
    let bits = bits_of(address);
    let same_version = |row: &&Registered| row.block.contains(':') == address.is_ipv6();
    let holding = REGISTERED
        .iter()
        .filter(same_version)
        .filter(|row| bits.starts_with(&row.bits));
    match (holding.max_by_key(|row| row.bits.len()), address) {
        (Some(row), IpAddr::V6(_)) if matches!(&*row.block, "::ffff:0:0/96" | "64:ff9b::/96") => {
            is_public_by_the_registries(address_of(&bits[96..]))
        }
        (Some(row), IpAddr::V4(_)) => row.globally_reachable,
        (Some(row), IpAddr::V6(_)) => row.globally_reachable && bits.starts_with("001"),
        (None, IpAddr::V4(_)) => !bits.starts_with("1110"),
        (None, IpAddr::V6(_)) => bits.starts_with("001"),
    }
}

/// The first and the last address of a block, and the ones before and after it.
fn edges(block: &str) -> Vec<IpAddr> {
    let width = |bits: &str, filler: &str, of: usize| format!("{bits}{}", filler.repeat(of - bits.len()));
    let (address, length) = block.split_once('/').unwrap();
    let whole = bits_of(address.parse().unwrap());
    let bits = &whole[..length.parse().unwrap()];
    let first = address_of(&width(bits, "0", whole.len()));
    let last = address_of(&width(bits, "1", whole.len()));
    let beside: [Option<IpAddr>; 2] = match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => [
            first.to_bits().checked_sub(1).map(|bits| Ipv4Addr::from(bits).into()),
            last.to_bits().checked_add(1).map(|bits| Ipv4Addr::from(bits).into()),
        ],
        (IpAddr::V6(first), IpAddr::V6(last)) => [
            first.to_bits().checked_sub(1).map(|bits| Ipv6Addr::from(bits).into()),
            last.to_bits().checked_add(1).map(|bits| Ipv6Addr::from(bits).into()),
        ],
        _ => unreachable!(),
    };
    [first, last].into_iter().chain(beside.into_iter().flatten()).collect()
}

/// Where nothing but the registry speaks: no metadata service, and no IPv4 address inside.
fn is_plain(address: IpAddr) -> bool {
    !AddressKind::all_of(address).contains(&AddressKind::Metadata)
        && match judged_by(address) {
            IpAddr::V4(_) => true,
            IpAddr::V6(address) => embedded(address).is_empty(),
        }
}

#[test]
fn every_block_ends_where_the_registry_says() {
    let others = ["224.0.0.0/4", "2000::/3", "fec0::/10", "ff00::/8"];
    let blocks = REGISTERED.iter().map(|row| &*row.block).chain(others);
    for block in blocks {
        for address in edges(block) {
            let public = is_public_by_the_registries(address);
            let kind = AddressKind::of(address);
            if public {
                assert!(
                    kind.is_none() || !is_plain(address),
                    "{address} at the edge of {block}: {kind:?}"
                );
            } else {
                assert!(kind.is_some(), "{address} at the edge of {block} passes as public");
            }
        }
    }
}

/// A row that was forgotten would fall to the block around it.
#[test]
fn each_block_of_the_registries_has_a_row() {
    for row in REGISTERED.iter() {
        let known = match edges(&row.block)[0] {
            IpAddr::V4(first) => BLOCKS_V4
                .iter()
                .any(|(it, bits, _)| *it == first && *bits as usize == row.bits.len()),
            IpAddr::V6(first) => {
                let decided_inside = judged_by(first.into()).is_ipv4();
                decided_inside
                    || BLOCKS_V6
                        .iter()
                        .any(|(it, bits, _)| *it == first && *bits as usize == row.bits.len())
            }
        };
        assert!(known, "{}", row.block);
    }
}

/// Any address, and many that are near a block's edge or have an IPv4 address inside.
fn addresses() -> impl Strategy<Value = IpAddr> {
    let edges: Vec<_> = REGISTERED.iter().flat_map(|row| edges(&row.block)).collect();
    let heads: Vec<Ipv6Addr> = [
        "::",
        "::ffff:0:0",
        "::ffff:0:0:0",
        "64:ff9b::",
        "64:ff9b:1::",
        "fd00::5efe:0:0",
        "fe80::200:5efe:0:0",
    ]
    .iter()
    .map(|head| head.parse().unwrap())
    .collect();
    prop_oneof![
        any::<u32>().prop_map(|bits| Ipv4Addr::from(bits).into()),
        any::<u128>().prop_map(|bits| Ipv6Addr::from(bits).into()),
        prop::sample::select(edges.clone()),
        (prop::sample::select(edges), 0u32..128).prop_map(|(edge, at)| match edge {
            IpAddr::V4(edge) => Ipv4Addr::from(edge.to_bits() ^ (1 << (at % 32))).into(),
            IpAddr::V6(edge) => Ipv6Addr::from(edge.to_bits() ^ (1 << at)).into(),
        }),
        (prop::sample::select(heads), any::<u32>())
            .prop_map(|(head, inside)| Ipv6Addr::from(head.to_bits() | u128::from(inside)).into()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn no_address_passes_that_the_registries_do_not_call_reachable(address in addresses()) {
        let public = is_public_by_the_registries(address);
        match AddressKind::of(address) {
            None => prop_assert!(public, "{address} passes as public"),
            Some(kind) => prop_assert!(!public || !is_plain(address), "{address} is {kind}"),
        }
        prop_assert_eq!(AddressKind::of(address).is_none(), AddressKind::all_of(address).is_empty());
    }
}

#[test]
fn an_address_has_the_kind_of_its_block() {
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
                "64:ff9b::7f00:1",
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
                "192.0.0.192",
                "::ffff:169.254.169.254",
                "64:ff9b::a9fe:a9fe",
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
                "::127.0.0.1",
                "::ffff:0:127.0.0.1",
                "2001::1",
                "2002:101:101::",
                "2002:7f00:1::",
                "100::1",
                "4000::1",
                "5f00::1",
            ],
        ),
    ] {
        for address in addresses {
            assert_eq!(AddressKind::of(address.parse().unwrap()), Some(kind), "{address}");
        }
    }
    for public in [
        "1.1.1.1",
        "172.32.0.1",
        "100.128.0.1",
        "149.96.0.1",
        "2606:4700::1",
        "::ffff:1.1.1.1",
        "64:ff9b::101:101",
        "2606:4700::5efe:1.1.1.1",
    ] {
        assert_eq!(AddressKind::of(public.parse().unwrap()), None, "{public}");
    }
}

/// Twelve prefixes that are not public, and a public IPv4 address in the interface's part.
#[test]
fn a_public_address_inside_makes_no_prefix_public() {
    use AddressKind::*;
    for (prefix, kind) in [
        ("fc00::", UniqueLocal),
        ("fd00::", UniqueLocal),
        ("fe80::", LinkLocal),
        ("fec0::", UniqueLocal),
        ("ff02::", Multicast),
        ("2001:db8::", Documentation),
        ("3fff::", Documentation),
        ("2001::", Reserved),
        ("64:ff9b:1::", Private),
        ("100::", Reserved),
        ("5f00::", Reserved),
        ("4000::", Reserved),
    ] {
        for interface in ["0:5efe:808:808", "200:5efe:808:808", "300:5efe:808:808"] {
            let address = format!("{prefix}{interface}").parse().unwrap();
            assert_eq!(AddressKind::of(address), Some(kind), "{address}");
        }
    }
}

#[test]
fn a_metadata_address_is_found_wherever_it_is_inside() {
    for address in [
        "::ffff:169.254.169.254",
        "64:ff9b::169.254.169.254",
        "::169.254.169.254",
        "::ffff:0:169.254.169.254",
        "2002:a9fe:a9fe::1",
        "2001:0:a9fe:a9fe::1",
        "2001:0:808:808::5601:5601",
        "fd00::5efe:169.254.169.254",
        "fe80::200:5efe:169.254.169.254",
        "2606:4700::5efe:169.254.169.254",
        "64:ff9b:1::169.254.169.254",
        "64:ff9b:1:a9fe:a9:fe00::",
        "64:ff9b:1:a9:fe:a9fe::",
        "64:ff9b:1:0:a9:fea9:fe00:0",
    ] {
        assert_eq!(
            AddressKind::of(address.parse().unwrap()),
            Some(AddressKind::Metadata),
            "{address}"
        );
    }
}

#[test]
fn a_kind_is_read_as_it_is_written_but_metadata_cannot_be_opened() {
    for kind in AddressKind::ALL {
        let read = kind.as_str().parse();
        match kind {
            AddressKind::Metadata => assert_eq!(read, Err(AddressKindError::Metadata)),
            _ => assert_eq!(read, Ok(kind)),
        }
    }
    assert_eq!("public".parse::<AddressKind>(), Err(AddressKindError::Unknown));
}

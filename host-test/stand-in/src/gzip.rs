//! The gzip container (RFC 1952) around stored blocks (RFC 1951, section 3.2.4): a body nobody asked to have compressed
//! need not be small.

/// A gzip stream that unpacks to these bytes.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut blocks = bytes.chunks(usize::from(u16::MAX)).peekable();
    if blocks.peek().is_none() {
        stored(&mut out, true, &[]);
    }
    while let Some(block) = blocks.next() {
        stored(&mut out, blocks.peek().is_none(), block);
    }
    out.extend(crc32(bytes).to_le_bytes());
    // The length modulo 2^32.
    out.extend((bytes.len() as u32).to_le_bytes());
    out
}

fn stored(out: &mut Vec<u8>, last: bool, block: &[u8]) {
    let length = block.len() as u16;
    out.push(u8::from(last));
    out.extend(length.to_le_bytes());
    out.extend((!length).to_le_bytes());
    out.extend_from_slice(block);
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_standards() {
        // The check value that every catalogue of CRCs gives for CRC-32/ISO-HDLC.
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn large_data_is_split_into_blocks() {
        let packed = gzip(&[7; 70_000]);
        assert_eq!(packed[10..15], [0, 0xff, 0xff, 0, 0]);
        let second = 15 + 65_535;
        let length = 4_465_u16;
        assert_eq!(packed[second], 1);
        assert_eq!(packed[second + 1..second + 3], length.to_le_bytes());
        assert_eq!(packed.len(), second + 5 + usize::from(length) + 8);
        assert_eq!(gzip(b"")[10..15], [1, 0, 0, 0xff, 0xff]);
    }
}

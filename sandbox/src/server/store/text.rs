//! An object's JSON text as it is held in memory: LZ4, each by itself. Only here: on the disk and on the wire it is plain.
//!
//! As plain text ten thousand running Pods took 150 MiB, of which they are 44: the rest are former texts that the rings
//! hold, and what smaller former texts left free between others in each thread's heap. Packing makes all of it less than
//! half, and costs a list of all about as much as copying does.

use serde_json::Value;

/// A text, packed.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    packed: Box<[u8]>,
    length: usize,
}

impl Text {
    pub(crate) fn new(text: &[u8]) -> Self {
        Text { packed: lz4_flex::block::compress(text).into(), length: text.len() }
    }

    /// Bytes of the text itself.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Bytes held.
    pub(crate) fn held(&self) -> usize {
        self.packed.len()
    }

    /// Appends the text.
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start + self.length, 0);
        // What was packed here can be unpacked.
        let unpacked = lz4_flex::block::decompress_into(&self.packed, &mut out[start..]).unwrap_or_default();
        out.truncate(start + unpacked);
    }

    /// In one piece.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.length);
        self.append_to(&mut out);
        out
    }

    /// The object, parsed.
    pub(crate) fn value(&self) -> Value {
        serde_json::from_slice(&self.bytes()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_as_they_were_whether_they_can_be_packed_or_not() {
        let random = |n: u64| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as u8;
        for length in [0, 1, 100, 100_000] {
            for bytes in [(0..length).map(random).collect::<Vec<u8>>(), vec![b'a'; usize::try_from(length).expect("a length")]] {
                let text = Text::new(&bytes);
                assert_eq!((text.bytes(), text.len()), (bytes.clone(), bytes.len()));
                assert!(text.held() < bytes.len() + bytes.len() / 100 + 20);
                let mut out = b"before".to_vec();
                text.append_to(&mut out);
                assert_eq!(out, [b"before".as_slice(), &bytes].concat());
            }
        }
    }
}

//! Objects' texts, packed: LZ4 against a dictionary that a table makes of its own objects. Ten thousand Pods of one
//! workload differ in names, addresses and times; what they share is kept once, and a Pod of 4 KiB takes a few hundred
//! bytes. Unpacking costs about as much as copying.
//!
//! A dictionary never changes once made: texts that were packed with it hold it. Nothing here knows JSON.

use std::sync::Arc;

/// No dictionary is larger; the oldest text in it makes room.
const DICTIONARY: usize = 32 << 10;
/// Larger texts are packed, but nothing is learned from them.
const LEARNED_FROM: usize = 16 << 10;
/// A text is packed well when it is this many times smaller.
const WELL: usize = 4;
/// So many dictionaries are made without hesitation; later each must be worth so many badly packed texts, so that texts
/// that can't be packed don't each bring a dictionary.
const FIRST: u32 = 8;
const LATER: u32 = 64;

/// Texts to pack others against.
#[derive(Debug)]
pub(crate) struct Dictionary {
    /// Tells it from the table's others, which are numbered from 1.
    pub(crate) id: u64,
    pub(crate) text: Box<[u8]>,
}

/// A text as it is held.
#[derive(Debug, Clone)]
pub(crate) enum Packed {
    Plain(Box<[u8]>),
    Against { dictionary: Option<Arc<Dictionary>>, length: u32, bytes: Box<[u8]> },
}

impl Packed {
    /// Bytes of the text itself.
    pub(crate) fn len(&self) -> usize {
        match self {
            Packed::Plain(text) => text.len(),
            Packed::Against { length, .. } => *length as usize,
        }
    }

    /// Bytes held, without the dictionary.
    pub(crate) fn held(&self) -> usize {
        match self {
            Packed::Plain(text) => text.len(),
            Packed::Against { bytes, .. } => bytes.len(),
        }
    }

    /// Appends the text. Nothing is appended, and false returned, when the bytes are not what was packed: only a log
    /// that somebody edited has such.
    pub(crate) fn unpack(&self, out: &mut Vec<u8>) -> bool {
        match self {
            Packed::Plain(text) => out.extend_from_slice(text),
            Packed::Against { dictionary, length, bytes } => {
                let start = out.len();
                out.resize(start + *length as usize, 0);
                let made = lz4_flex::block::decompress_into_with_dict(bytes, &mut out[start..], text_of(dictionary));
                if !made.is_ok_and(|made| made == *length as usize) {
                    out.truncate(start);
                    return false;
                }
            }
        }
        true
    }
}

/// Packs the texts of one table.
#[derive(Debug, Default)]
pub(crate) struct Packer {
    dictionary: Option<Arc<Dictionary>>,
    made: u32,
    badly: u32,
    newest: u64,
}

impl Packer {
    pub(crate) fn pack(&mut self, text: Vec<u8>) -> Packed {
        let bytes = lz4_flex::block::compress_with_dict(&text, text_of(&self.dictionary));
        let dictionary = self.dictionary.clone();
        if bytes.len() * WELL > text.len() && text.len() <= LEARNED_FROM {
            self.badly += 1;
            if self.made < FIRST || self.badly >= LATER {
                self.learn(&text);
            }
        }
        match u32::try_from(text.len()) {
            Ok(length) if bytes.len() < text.len() => Packed::Against { dictionary, length, bytes: bytes.into() },
            _ => Packed::Plain(text.into()),
        }
    }

    /// Goes on with the dictionary of a log.
    pub(crate) fn resume(&mut self, dictionary: &Arc<Dictionary>) {
        if dictionary.id > self.newest {
            self.newest = dictionary.id;
            self.dictionary = Some(dictionary.clone());
        }
    }

    fn learn(&mut self, text: &[u8]) {
        let before = text_of(&self.dictionary);
        let kept = &before[before.len().saturating_sub(DICTIONARY - text.len())..];
        let text = [kept, text].concat().into();
        self.newest += 1;
        self.dictionary = Some(Arc::new(Dictionary { id: self.newest, text }));
        self.made += 1;
        self.badly = 0;
    }
}

fn text_of(dictionary: &Option<Arc<Dictionary>>) -> &[u8] {
    dictionary.as_ref().map_or(&[], |d| &d.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(packed: &Packed) -> Vec<u8> {
        let mut out = b"before".to_vec();
        assert!(packed.unpack(&mut out));
        out.split_off(6)
    }

    fn pod(n: usize) -> Vec<u8> {
        let spec = "abcdefghijklmnopqrstuvwxyz0123456789".repeat(40);
        format!(r#"{{"metadata":{{"name":"pod-{n}"}},"spec":"{n}{spec}"}}"#).into_bytes()
    }

    #[test]
    fn texts_of_one_shape_shrink_and_come_back_as_they_were() {
        let mut packer = Packer::default();
        let packed: Vec<Packed> = (0..100).map(|n| packer.pack(pod(n))).collect();
        for (n, packed) in packed.iter().enumerate() {
            assert_eq!(text(packed), pod(n));
            assert_eq!(packed.len(), pod(n).len());
        }
        assert!(packed.iter().skip(1).all(|p| p.held() * 10 < p.len()));
    }

    #[test]
    fn texts_that_cannot_be_packed_do_not_each_bring_a_dictionary() {
        let mut packer = Packer::default();
        let random = |n: u64| (0..4_000).map(|i: u64| ((n * 4_000 + i).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as u8).collect::<Vec<u8>>();
        for n in 0..512 {
            let packed = packer.pack(random(n));
            assert_eq!(text(&packed), random(n));
        }
        assert!(packer.made <= FIRST + 512 / LATER, "{}", packer.made);
    }

    #[test]
    fn bytes_that_were_not_packed_are_noticed() {
        let dictionary = Some(Arc::new(Dictionary { id: 1, text: b"dictionary".as_slice().into() }));
        let packed = Packed::Against { dictionary, length: 9, bytes: b"\xff\xff\xff".as_slice().into() };
        let mut out = b"x".to_vec();
        assert!(!packed.unpack(&mut out));
        assert_eq!(out, b"x");
    }
}

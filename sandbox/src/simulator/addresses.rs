//! The addresses of Pods: which are in use, and whose they are. The book is made again from the objects at each start.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::machinery::notation::fnv::fnv1a;

#[derive(Default)]
pub(super) struct Addresses {
    taken: Mutex<HashMap<String, String>>,
}

impl Addresses {
    /// A loopback address of its own for each Pod: by its uid, another where two would meet.
    pub(super) fn allocate(&self, uid: &str) -> Option<String> {
        let first = fnv1a(uid.as_bytes()) & 0xffff;
        let candidates = (0..0x1_0000).map(|n| (first + n) & 0xffff).filter(|number| (1..=254).contains(&(number & 0xff)));
        candidates.map(|number| format!("127.96.{}.{}", number >> 8, number & 0xff)).find(|ip| self.take(ip, uid))
    }

    /// Reserves an address for an object; false when another has it.
    fn take(&self, address: &str, uid: &str) -> bool {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let owner = taken.entry(address.to_owned()).or_insert_with(|| uid.to_owned());
        owner == uid
    }

    /// Learns who has an address, or that it is free again.
    pub(super) fn know(&self, address: &str, uid: &str, gone: bool) {
        if address.is_empty() {
            return;
        }
        if gone {
            self.taken.lock().unwrap_or_else(PoisonError::into_inner).remove(address);
        } else {
            self.take(address, uid);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_never_have_the_same_address_until_it_is_free_again() {
        let book = Addresses::default();
        let one = book.allocate("a").expect("an address");
        assert_eq!(book.allocate("a").as_ref(), Some(&one), "the same again");
        let other = Addresses::default();
        other.know(&one, "b", false);
        assert_ne!(other.allocate("a").as_ref(), Some(&one));
        other.know(&one, "b", true);
        assert_eq!(other.allocate("a").as_ref(), Some(&one));
    }
}

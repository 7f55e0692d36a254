//! Failed sign-ins, by address: whoever guesses is slowed down and told so.
//!
//! Only failures are counted, after the credential was looked at: a right one is never refused for what others behind the same
//! address do.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::http::request::Parts;
use ipnet::IpNet;
use tokio::time::Instant;
use types::Error;

use crate::{
    budget::Held,
    listen::{Peer, client_of},
};

/// Failures of one address in [`WINDOW`] that are answered at once.
const FREE: u32 = 10;
const WINDOW: Duration = Duration::from_secs(60);
/// How long each further one waits for its answer.
const SLOWED: Duration = Duration::from_secs(1);
/// Lines of the audit trail in [`WINDOW`]: nobody who is not let in fills it.
const WRITTEN: u32 = 60;
/// Addresses that are remembered; whoever has more of them is not stopped by this.
const ADDRESSES: usize = 10_000;

/// What is known of failures.
#[derive(Debug, Default)]
pub(crate) struct SignIns {
    trusted: Vec<IpNet>,
    failures: Mutex<HashMap<IpAddr, Failures>>,
    /// What was written down of them in this minute.
    written: Mutex<Option<Failures>>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    since: Instant,
    count: u32,
}

impl SignIns {
    /// `trusted` are the proxies whose word counts for where a request comes from.
    pub(crate) fn new(trusted: Vec<IpNet>) -> Self {
        Self { trusted, ..Self::default() }
    }

    /// Counts a failure. Answers its address and count where that is worth writing down: at the first of a minute, and at the first that is
    /// slowed down; not more of them in a minute than [`WRITTEN`], whatever anybody does.
    pub(crate) fn count(&self, parts: &Parts) -> Option<(IpAddr, u64)> {
        let address = self.address(parts)?;
        let failures = self.note(address);
        let worth = failures.count == 1 || failures.count == FREE + 1;
        (worth && self.may_write()).then_some((address, failures.count.into()))
    }

    /// What a failed sign-in is answered with, and when.
    pub(crate) async fn slow_down(&self, parts: &Parts, error: Error) -> Error {
        let Some(address) = self.address(parts) else { return error };
        let Some(failures) = self.failures().get(&address).copied() else { return error };
        let Some(over) = failures.count.checked_sub(FREE).filter(|over| *over > 0) else { return error };
        if over == 1 {
            tracing::warn!(%address, failures = failures.count, "sign-ins fail again and again; slowing them down");
        }
        // Who is held up takes nothing meanwhile that others need.
        Held::release(parts);
        if let Some(peer) = parts.extensions.get::<Peer>() {
            peer.gives_way();
        }
        tokio::time::sleep(SLOWED).await;
        let left = WINDOW.saturating_sub(failures.since.elapsed()).as_secs().max(1);
        let retry_after_seconds = u32::try_from(left).unwrap_or(u32::MAX);
        Error::TooMany { message: "Too many failed sign-ins from this address".to_owned(), retry_after_seconds }
    }

    /// Whether there is room for one more line in this minute.
    fn may_write(&self) -> bool {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *written {
            Some(failures) if failures.since.elapsed() < WINDOW => {
                failures.count += 1;
                failures.count <= WRITTEN
            }
            empty => {
                *empty = Some(Failures { since: Instant::now(), count: 1 });
                true
            }
        }
    }

    fn failures(&self) -> MutexGuard<'_, HashMap<IpAddr, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, address: IpAddr) -> Failures {
        let mut all = self.failures();
        if all.len() >= ADDRESSES && !all.contains_key(&address) {
            all.retain(|_, failures| failures.since.elapsed() < WINDOW);
            if all.len() >= ADDRESSES {
                all.clear();
            }
        }
        let failures = all.entry(address).or_insert_with(|| Failures { since: Instant::now(), count: 0 });
        if failures.since.elapsed() >= WINDOW {
            *failures = Failures { since: Instant::now(), count: 0 };
        }
        failures.count += 1;
        *failures
    }

    /// Where a request comes from: of a chain of proxies, the last address that is none of ours.
    pub(crate) fn address(&self, parts: &Parts) -> Option<IpAddr> {
        let peer = parts.extensions.get::<Peer>()?.address();
        let is_proxy = |address: &IpAddr| self.trusted.iter().any(|net| net.contains(address));
        if !is_proxy(&peer) {
            return Some(client_of(peer));
        }
        let told = parts.headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let chain: Vec<&str> = told.flat_map(|list| list.split(',')).collect();
        // What stands before a word that nobody understands may be the client's own.
        let mut understood = chain.into_iter().rev().map_while(forwarded);
        Some(client_of(understood.find(|address| !is_proxy(address)).unwrap_or(peer)))
    }
}

/// An address as proxies write it, some with its port.
fn forwarded(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = text.parse().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    const REFUSED: Error = Error::Unauthenticated("no");

    fn from(peer: &str, forwarded: &[&str]) -> Parts {
        let mut request = Request::builder().extension(Peer::at(peer.parse().expect("an address")));
        for list in forwarded {
            request = request.header("x-forwarded-for", *list);
        }
        request.body(()).expect("a request").into_parts().0
    }

    async fn failed(sign_ins: &SignIns, parts: &Parts) -> Error {
        sign_ins.count(parts);
        sign_ins.slow_down(parts, REFUSED).await
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_written_down_of_it_is_bounded() {
        let sign_ins = SignIns::default();
        let one = from("10.0.0.1", &[]);
        let written: Vec<_> = (0..100).filter_map(|_| sign_ins.count(&one)).map(|(_, times)| times).collect();
        assert_eq!(written, [1, u64::from(FREE) + 1], "when it begins, and when it does not end");
        let many = (0..200).filter(|n| sign_ins.count(&from(&format!("10.1.0.{n}"), &[])).is_some()).count();
        assert_eq!(many, WRITTEN as usize - 2);
        tokio::time::advance(WINDOW).await;
        assert!(sign_ins.count(&one).is_some(), "a new minute");
    }

    #[tokio::test(start_paused = true)]
    async fn who_fails_again_and_again_waits_and_others_do_not() {
        let (sign_ins, guesser, other) = (SignIns::default(), from("10.0.0.1", &[]), from("10.0.0.2", &[]));
        for _ in 0..FREE {
            let started = Instant::now();
            assert!(matches!(failed(&sign_ins, &guesser).await, Error::Unauthenticated(_)));
            assert_eq!(started.elapsed(), Duration::ZERO);
        }
        let started = Instant::now();
        assert!(matches!(failed(&sign_ins, &guesser).await, Error::TooMany { retry_after_seconds: 59, .. }));
        assert_eq!(started.elapsed(), SLOWED);
        assert!(matches!(failed(&sign_ins, &other).await, Error::Unauthenticated(_)));
        tokio::time::advance(WINDOW).await;
        assert!(matches!(failed(&sign_ins, &guesser).await, Error::Unauthenticated(_)), "a new minute");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_held_up_takes_no_room_from_others() {
        let (sign_ins, budget) = (SignIns::default(), crate::budget::Budget::default());
        let mut guesser = from("10.0.0.1", &[]);
        let room = budget.free();
        guesser.extensions.insert(Held::new(budget.request().expect("room")));
        let peer = guesser.extensions.get::<Peer>().expect("a peer").clone();
        for _ in 0..FREE {
            failed(&sign_ins, &guesser).await;
        }
        assert!(budget.free() < room && !peer.is_silent());
        let slowed = failed(&sign_ins, &guesser);
        assert!(tokio::time::timeout(SLOWED / 2, slowed).await.is_err(), "it is held up");
        assert!(budget.free() == room && peer.is_silent());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let sign_ins = SignIns::default();
        for n in 0..=u32::try_from(ADDRESSES).expect("small") {
            sign_ins.note(IpAddr::from(n.to_be_bytes()));
        }
        assert!(sign_ins.failures().len() <= ADDRESSES);
    }

    #[test]
    fn a_proxy_is_believed_and_a_client_is_not() {
        let sign_ins = SignIns::new(vec!["10.0.0.0/8".parse().expect("a network")]);
        let address = |parts: &Parts| sign_ins.address(parts).expect("an address").to_string();
        assert_eq!(address(&from("192.0.2.1", &["203.0.113.9"])), "192.0.2.1", "a client may say what it likes");
        assert_eq!(address(&from("10.0.0.1", &["203.0.113.9, 192.0.2.1", "10.0.0.2"])), "192.0.2.1", "the last that no proxy of ours is");
        assert_eq!(address(&from("10.0.0.1", &["203.0.113.9, 192.0.2.1:4711"])), "192.0.2.1", "with its port");
        assert_eq!(address(&from("10.0.0.1", &["203.0.113.9, nonsense"])), "10.0.0.1", "what stands before nonsense may be the client's");
        assert_eq!(address(&from("2001:db8::1:2:3:4", &[])), "2001:db8::", "a host has a /64");
    }
}

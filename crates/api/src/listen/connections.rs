//! The register of open connections, which keeps any client from taking the places of others.
//!
//! There are only so many places, and so many for one address. Who comes when there is none takes that of the connection that
//! has been silent longest; while all of them are being answered, nobody else comes in.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ipnet::IpNet;
use tokio::{sync::Notify, time::Instant};

use super::{activity::Activity, peer::client_of};

/// How many connections there may be.
#[derive(Debug, Clone)]
pub struct Limits {
    /// In all.
    pub connections: usize,
    /// From one address; of IPv6 from one /64, which is what one client has.
    pub per_address: usize,
    /// Proxies, which speak for many clients: no bound but the first.
    pub trusted: Vec<IpNet>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 4096, per_address: 1024, trusted: Vec::new() }
    }
}

/// One open connection.
pub(super) struct Connection {
    address: IpAddr,
    pub(super) activity: Arc<Activity>,
    /// Its place is needed, or its time is over.
    pub(super) end: Notify,
}

#[derive(Default)]
struct Open {
    next: u64,
    all: BTreeMap<u64, Arc<Connection>>,
    per_address: HashMap<IpAddr, usize>,
}

/// All open connections of one listener.
pub(super) struct Connections {
    limits: Limits,
    open: Mutex<Open>,
}

/// A connection's place, given back when dropped.
pub(super) struct Place {
    register: Arc<Connections>,
    number: u64,
    pub(super) connection: Arc<Connection>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.register.open().remove(self.number);
    }
}

impl Connections {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, open: Mutex::default() }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection from an address; `None` when all that it may take are busy.
    pub(super) fn admit(self: &Arc<Self>, from: IpAddr) -> Option<Place> {
        let address = client_of(from);
        let mut open = self.open();
        let own = open.per_address.get(&address).copied().unwrap_or(0);
        if own >= self.limits.per_address && !self.limits.trusted.iter().any(|net| net.contains(&from)) {
            open.make_room(|connection| connection.address == address)?;
        }
        if open.all.len() >= self.limits.connections {
            open.make_room(|_| true)?;
        }
        let number = open.next;
        open.next += 1;
        let connection = Arc::new(Connection { address, activity: Arc::new(Activity::new()), end: Notify::new() });
        open.all.insert(number, Arc::clone(&connection));
        *open.per_address.entry(address).or_default() += 1;
        Some(Place { register: Arc::clone(self), number, connection })
    }

    /// Ends the connections that have had their time.
    pub(super) fn sweep(&self) {
        let now = Instant::now();
        for connection in self.open().all.values().filter(|connection| connection.activity.is_overdue(now)) {
            connection.end.notify_one();
        }
    }
}

impl Open {
    /// Ends the connection that has been silent longest.
    fn make_room(&mut self, among: impl Fn(&Connection) -> bool) -> Option<()> {
        let silent = self.all.iter().filter(|(_, connection)| among(connection));
        let (_, number) = silent.filter_map(|(number, connection)| Some((connection.activity.silent_since()?, *number))).min()?;
        self.remove(number)?.end.notify_one();
        Some(())
    }

    fn remove(&mut self, number: u64) -> Option<Arc<Connection>> {
        let connection = self.all.remove(&number)?;
        if let Some(count) = self.per_address.get_mut(&connection.address) {
            *count -= 1;
            if *count == 0 {
                self.per_address.remove(&connection.address);
            }
        }
        Some(connection)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::FutureExt;

    use super::*;

    fn register(connections: usize, per_address: usize, trusted: &[&str]) -> Arc<Connections> {
        let trusted = trusted.iter().map(|net| net.parse().expect("a network")).collect();
        Arc::new(Connections::new(Limits { connections, per_address, trusted }))
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn is_ended(place: &Place) -> bool {
        place.connection.end.notified().now_or_never().is_some()
    }

    #[tokio::test(start_paused = true)]
    async fn who_was_silent_longest_makes_room_for_the_next_of_the_same_address() {
        let register = register(10, 2, &[]);
        let first = register.admit(address("10.0.0.1")).expect("a place");
        tokio::time::advance(Duration::from_secs(1)).await;
        let second = register.admit(address("10.0.0.1")).expect("a place");
        let other = register.admit(address("10.0.0.2")).expect("a place");
        first.connection.activity.asked();
        let _third = register.admit(address("10.0.0.1")).expect("the second's place");
        assert!(is_ended(&second) && !is_ended(&first) && !is_ended(&other), "one that is being answered stays");
        drop(second);
        assert_eq!(register.open().per_address[&address("10.0.0.1")], 2, "a place is given back once");
    }

    #[tokio::test]
    async fn nobody_who_is_being_answered_makes_room() {
        let register = register(10, 1, &[]);
        let place = register.admit(address("10.0.0.1")).expect("a place");
        place.connection.activity.asked();
        assert!(register.admit(address("10.0.0.1")).is_none());
        place.connection.activity.answered();
        assert!(register.admit(address("10.0.0.1")).is_some());
    }

    #[tokio::test]
    async fn a_full_house_makes_room_whoever_comes() {
        let register = register(2, 2, &[]);
        let first = register.admit(address("10.0.0.1")).expect("a place");
        let _second = register.admit(address("10.0.0.1")).expect("a place");
        let _other = register.admit(address("10.0.0.2")).expect("the first's place");
        assert!(is_ended(&first));
        assert_eq!(register.open().all.len(), 2);
    }

    #[tokio::test]
    async fn a_proxy_speaks_for_many_and_a_host_for_its_network() {
        let register = register(10, 1, &["192.0.2.0/24"]);
        let proxied: Vec<Place> = (0..3).map(|_| register.admit(address("192.0.2.7")).expect("a place")).collect();
        assert!(proxied.iter().all(|place| !is_ended(place)));
        let first = register.admit(address("2001:db8::1")).expect("a place");
        let _second = register.admit(address("2001:db8::2")).expect("the first's place");
        assert!(is_ended(&first), "one /64 is one client");
    }

    #[tokio::test(start_paused = true)]
    async fn those_that_have_had_their_time_are_ended() {
        let register = register(10, 10, &[]);
        let silent = register.admit(address("10.0.0.1")).expect("a place");
        let busy = register.admit(address("10.0.0.1")).expect("a place");
        busy.connection.activity.asked();
        tokio::time::advance(Duration::from_secs(11)).await;
        register.sweep();
        assert!(is_ended(&silent) && !is_ended(&busy));
    }
}

//! The other end of a connection.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use super::activity::Activity;

/// From where a request came, by its connection.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    address: IpAddr,
    activity: Arc<Activity>,
}

impl Peer {
    pub(super) const fn new(address: IpAddr, activity: Arc<Activity>) -> Self {
        Self { address, activity }
    }

    /// Of a test: one that has asked for something.
    #[cfg(test)]
    pub(crate) fn at(address: IpAddr) -> Self {
        let activity = Activity::new();
        activity.asked();
        Self::new(address, Arc::new(activity))
    }

    /// Whether it would give way.
    #[cfg(test)]
    pub(crate) fn is_silent(&self) -> bool {
        self.activity.silent_since().is_some()
    }

    pub(crate) const fn address(&self) -> IpAddr {
        self.address
    }

    /// The request is only held up from now on: its connection gives way to others like a silent one.
    pub(crate) fn gives_way(&self) {
        self.activity.answered();
    }
}

/// What counts as one client: of IPv6 a /64, which is what a host has.
pub(crate) fn client_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from(u128::from(address) >> 64 << 64)),
        canonical => canonical,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_an_address_or_a_network_of_64_bits() {
        let client = |text: &str| client_of(text.parse().expect("an address")).to_string();
        assert_eq!(client("10.0.0.9"), "10.0.0.9");
        assert_eq!(client("::ffff:10.0.0.9"), "10.0.0.9");
        assert_eq!(client("2001:db8::1:2:3:4"), "2001:db8::");
    }
}

//! `--admin-listen`: where health, readiness and measurements are answered.

use std::{net::SocketAddr, str::FromStr};

use anyhow::Context;
use tokio::net::TcpListener;

/// Unless said otherwise: loopback, where only this machine asks.
const DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9000);

/// An address, or nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AdminListen {
    At(SocketAddr),
    Off,
}

impl FromStr for AdminListen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        text.parse().map(Self::At).map_err(|_| "give an address with its port, such as 127.0.0.1:9000, or 'off'".to_owned())
    }
}

/// Listens. An address that was given must be free; where only the usual one is taken, as by a second process on the
/// same machine, any other does.
pub(crate) async fn listen(wanted: Option<AdminListen>) -> anyhow::Result<Option<TcpListener>> {
    let bind =
        |address: SocketAddr| async move { TcpListener::bind(address).await.with_context(|| format!("--admin-listen: cannot listen on {address}")) };
    match wanted {
        Some(AdminListen::Off) => Ok(None),
        Some(AdminListen::At(address)) => bind(address).await.map(Some),
        None => match bind(DEFAULT).await {
            Ok(listener) => Ok(Some(listener)),
            Err(_) => bind(SocketAddr::new(DEFAULT.ip(), 0)).await.map(Some),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_or_off() {
        assert_eq!("off".parse(), Ok(AdminListen::Off));
        assert_eq!("[::1]:9".parse(), Ok(AdminListen::At("[::1]:9".parse().expect("an address"))));
        assert!("9000".parse::<AdminListen>().is_err() && "localhost:9000".parse::<AdminListen>().is_err());
    }
}

//! For a server that trusts everybody on its machine, as `dev` does: who is on it.
//!
//! A page from elsewhere runs on the machine, too, in its browser. It can name any host of its own that leads to 127.0.0.1 (DNS
//! rebinding), and it can post without reading the answer. So the host must be a name that only this machine has, and
//! the origin, where a browser tells one, must be ours or one that was allowed.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};

use crate::error::ApiError;

/// Names of this machine that nobody else can give to another.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

#[derive(Debug)]
struct Local {
    hosts: Vec<String>,
    origins: Vec<String>,
}

/// Lets requests pass only that are meant for this machine's `port`, and come from no foreign page.
pub fn local_only(router: Router, port: u16, allowed_origins: Vec<String>) -> Router {
    router.layer(middleware::from_fn_with_state(Arc::new(Local::new(port, allowed_origins)), guard))
}

impl Local {
    fn new(port: u16, mut origins: Vec<String>) -> Self {
        let mut hosts: Vec<String> = NAMES.iter().map(|name| format!("{name}:{port}")).collect();
        if port == 80 {
            hosts.extend(NAMES.map(str::to_owned));
        }
        origins.extend(hosts.iter().map(|host| format!("http://{host}")));
        Self { hosts, origins }
    }

    fn check(&self, request: &Request) -> Result<(), ApiError> {
        let text = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
        let host = text(header::HOST).or_else(|| request.uri().authority().map(|authority| authority.as_str())).unwrap_or_default();
        if !self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host)) {
            return Err(ApiError::with_status(StatusCode::MISDIRECTED_REQUEST, "This server answers to localhost only"));
        }
        match text(header::ORIGIN) {
            Some(origin) if !self.origins.iter().any(|known| known.eq_ignore_ascii_case(origin)) => {
                Err(ApiError::with_status(StatusCode::FORBIDDEN, "Requests from this origin are not allowed"))
            }
            _ => Ok(()),
        }
    }
}

async fn guard(State(local): State<Arc<Local>>, request: Request, next: Next) -> Response {
    match local.check(&request) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn status(headers: &[(&str, &str)]) -> u16 {
        let local = Local::new(8000, vec!["https://console.example".to_owned()]);
        let request = headers.iter().fold(Request::builder(), |request, (name, value)| request.header(*name, *value));
        let request = request.body(Body::empty()).expect("a request");
        local.check(&request).map_or_else(|error| error.into_response().status().as_u16(), |()| 200)
    }

    #[test]
    fn only_names_of_this_machine_with_our_port_are_answered() {
        for host in ["localhost:8000", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST:8000"] {
            assert_eq!(status(&[("host", host)]), 200, "{host}");
        }
        for host in ["evil.example:8000", "127.0.0.1", "127.0.0.1:80", "localhost:8001", "localhost.evil.example:8000", ""] {
            assert_eq!(status(&[("host", host)]), 421, "{host}");
        }
        assert_eq!(status(&[]), 421);
    }

    #[test]
    fn pages_of_others_are_refused_and_those_that_were_allowed_are_not() {
        for origin in ["http://localhost:8000", "http://127.0.0.1:8000", "https://console.example"] {
            assert_eq!(status(&[("host", "localhost:8000"), ("origin", origin)]), 200, "{origin}");
        }
        for origin in ["http://evil.example", "https://localhost:8000", "null", "http://localhost:8000.evil.example"] {
            assert_eq!(status(&[("host", "localhost:8000"), ("origin", origin)]), 403, "{origin}");
        }
    }
}

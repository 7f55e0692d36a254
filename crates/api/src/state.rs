//! What handlers work with.

use std::{fmt, sync::Arc};

use app::App;
use ipnet::IpNet;
use wire::health::Check;

use crate::{budget::Budget, metrics::MetricsHandle, sign_in::SignIns};

/// How this process is: what `/readyz` shows, the database apart.
pub type Checks = Arc<dyn Fn() -> Vec<Check> + Send + Sync>;

/// What handlers need. Made once, cloned for each request.
#[derive(Clone)]
pub struct State {
    pub(crate) app: App,
    pub(crate) metrics: MetricsHandle,
    pub(crate) checks: Checks,
    pub(crate) budget: Arc<Budget>,
    pub(crate) sign_ins: Arc<SignIns>,
}

impl State {
    /// Of one process. `proxies` are believed in where a request comes from.
    pub fn new(app: App, metrics: MetricsHandle, checks: Checks, proxies: Vec<IpNet>) -> Self {
        Self { app, metrics, checks, budget: Arc::default(), sign_ins: Arc::new(SignIns::new(proxies)) }
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("app", &self.app).finish_non_exhaustive()
    }
}

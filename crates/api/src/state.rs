//! What handlers work with.

use std::{fmt, sync::Arc};

use app::App;
use wire::health::Check;

use crate::MetricsHandle;

/// What handlers need. Made once, cloned for each request.
#[derive(Clone)]
pub struct State {
    /// The use cases.
    pub app: App,
    /// What was measured.
    pub metrics: MetricsHandle,
    /// How reconciling is.
    pub checks: Arc<dyn Fn() -> Vec<Check> + Send + Sync>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("app", &self.app).finish_non_exhaustive()
    }
}

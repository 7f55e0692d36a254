//! Those that wait until VMs are known, named as soon as they are: waiting costs no passes.

use std::sync::Arc;

use types::Subject;

use crate::{
    compute::Context,
    queue::{Cause, Queue},
};

/// Names them whenever more, or something else, is known. For ever: the cache that tells lives as long.
pub(crate) async fn name_parked(context: Arc<Context>, queue: Arc<Queue>) {
    let mut known = context.cache.known();
    loop {
        for cluster in context.memories.take_parked() {
            queue.add(Subject::Cluster(cluster), Cause::Watch);
        }
        if known.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

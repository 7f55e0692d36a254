//! What a pass works with.

use std::sync::Arc;

use members::{Cache, Member, Writer};
use store::{Lease, Observations};
use tokio::time::Instant;
use types::MemberId;

use super::memory::Memories;
use crate::{Changes, Options};

/// What all passes under one lease share.
pub(crate) struct Context {
    pub(crate) store: Observations,
    pub(crate) lease: Lease,
    pub(crate) member_id: MemberId,
    pub(crate) writer: Writer,
    pub(crate) cache: Arc<Cache>,
    pub(crate) installation: String,
    pub(crate) options: Options,
    pub(crate) changes: Changes,
    pub(crate) memories: Memories,
    pub(crate) lease_held_since: Instant,
}

/// Reconciling one cluster once.
pub(super) struct Pass<'a> {
    pub(super) context: &'a Context,
}

impl Pass<'_> {
    pub(super) fn writer(&self) -> &Writer {
        &self.context.writer
    }

    pub(super) fn member(&self) -> &Arc<Member> {
        self.context.writer.member()
    }
}

//! Which controller makes a subject real, and what the store knows of a subject before that.

use types::{Error, Subject};

use crate::{
    compute::{self, Context},
    error::PassError,
    queue::{Class, Traits},
    requeue::Outcome,
    workers::Passes,
};

impl Passes for Context {
    fn member(&self) -> &str {
        self.writer.member().name()
    }

    async fn look_up(&self, subjects: &[Subject]) -> Result<Vec<(Subject, Traits)>, Error> {
        let clusters: Vec<_> = subjects.iter().filter_map(|subject| if let Subject::Cluster(id) = subject { Some(*id) } else { None }).collect();
        let found = self.store.cluster_traits(self.member_id, &clusters).await?;
        Ok(found.into_iter().map(|(id, owner, kind)| (Subject::Cluster(id), Traits { owner, class: Class::of(kind) })).collect())
    }

    async fn reconcile(&self, subject: Subject) -> Result<Outcome, PassError> {
        match subject {
            Subject::Cluster(id) => compute::reconcile(self, id).await,
            Subject::VirtualCluster(_) => Ok(Outcome::Gone),
        }
    }
}

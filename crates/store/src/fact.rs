//! What has happened: the one thing that is written into the audit trail and given to those who listen.
//!
//! A fact is recorded in the transaction that makes it true, by [`Tx::record`]; so neither can be forgotten, and
//! neither tells of what was rolled back. Facts that somebody caused have a [`By`] and stand in the audit trail; what was merely seen
//! (an instance runs, a cluster is gone) is an event only.

use serde_json::{Map, Value, json};
use types::{ClusterId, InstanceId, InstanceStatus, Operation, Result, Timestamp, UserId};

use crate::Tx;

/// Who caused a fact, as far as is known.
#[derive(Debug, Clone, Default)]
pub struct By {
    /// The user; nobody known, where a sign-in failed.
    pub actor: Option<UserId>,
    /// The request's id.
    pub request_id: Option<String>,
    /// Where the request came from.
    pub address: Option<String>,
}

/// Something that has happened. Never holds a credential.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are what the fact's own line speaks of")]
pub enum Fact {
    /// A user came to be.
    UserCreated { user: UserId, username: String },
    /// Quota, role or access of a user changed.
    UserUpdated { user: UserId, changes: String },
    /// A user is gone.
    UserDeleted { user: UserId, username: String },
    /// A user's token was replaced.
    TokenReplaced { user: UserId, how: Option<&'static str> },
    /// The first admin was made.
    AdminBootstrapped { user: UserId },
    /// Sign-ins from an address fail.
    SignInFailed { times: u64 },
    /// A cluster is wanted.
    ClusterCreated { cluster: ClusterId, owner: UserId, name: String, summary: String },
    /// Another number of instances is wanted.
    ClusterScaled { cluster: ClusterId, owner: UserId, from: i32, to: i32 },
    /// All instances that it applied to are wanted elsewhere.
    ClusterOperated { cluster: ClusterId, owner: UserId, operation: Operation, instances: usize },
    /// A cluster is to go.
    ClusterDeleted { cluster: ClusterId, owner: UserId, name: String },
    /// A cluster was dropped without being confirmed gone.
    ClusterAbandoned { cluster: ClusterId, owner: UserId, name: String },
    /// A cluster is confirmed gone.
    ClusterRemoved { cluster: ClusterId, owner: UserId, name: String },
    /// An instance is wanted elsewhere.
    InstanceOperated { instance: InstanceId, owner: UserId, name: String, operation: Operation, force: bool },
    /// An instance was seen to be something else.
    InstanceChanged { instance: InstanceId, owner: UserId, name: String, from: InstanceStatus, to: InstanceStatus, reason: Option<String> },
}

/// What is written of a fact.
struct Written {
    /// `noun.verb`.
    action: String,
    /// What it is about: `cluster/1`.
    target: String,
    /// A line for people.
    detail: Option<String>,
    /// Whom it concerns; others do not hear of it.
    owner: Option<UserId>,
    /// For programs, beside the target.
    data: Map<String, Value>,
}

fn object(value: Value) -> Map<String, Value> {
    if let Value::Object(map) = value { map } else { Map::new() }
}

impl Fact {
    fn written(self) -> Written {
        let of = |action: &str, target: String, detail: Option<String>, owner: Option<UserId>, data: Value| Written {
            action: action.to_owned(),
            target,
            detail,
            owner,
            data: object(data),
        };
        let user_target = |id: UserId| format!("user/{id}");
        let cluster_target = |id: ClusterId| format!("cluster/{id}");
        let instance_target = |id: InstanceId| format!("instance/{id}");
        match self {
            Self::UserCreated { user, username } => {
                of("user.create", user_target(user), Some(username.clone()), None, json!({"user_id": user, "username": username}))
            }
            Self::UserUpdated { user, changes } => {
                of("user.update", user_target(user), Some(changes.clone()), None, json!({"user_id": user, "changes": changes}))
            }
            Self::UserDeleted { user, username } => {
                of("user.delete", user_target(user), Some(username.clone()), None, json!({"user_id": user, "username": username}))
            }
            Self::TokenReplaced { user, how } => of("user.token", user_target(user), how.map(str::to_owned), Some(user), json!({"user_id": user})),
            Self::AdminBootstrapped { user } => of("user.bootstrap", user_target(user), None, None, json!({"user_id": user})),
            Self::SignInFailed { times } => {
                of("sign_in.failed", "sign_in".into(), Some(format!("{times} in a minute")), None, json!({"times": times}))
            }
            Self::ClusterCreated { cluster, owner, name, summary } => {
                let data = json!({"cluster_id": cluster, "name": name, "summary": summary});
                of("cluster.create", cluster_target(cluster), Some(format!("{name} {summary}")), Some(owner), data)
            }
            Self::ClusterScaled { cluster, owner, from, to } => {
                let data = json!({"cluster_id": cluster, "from": from, "to": to});
                of("cluster.scale", cluster_target(cluster), Some(format!("{from} -> {to}")), Some(owner), data)
            }
            Self::ClusterOperated { cluster, owner, operation, instances } => {
                let data = json!({"cluster_id": cluster, "operation": operation, "instances": instances});
                of("cluster.operate", cluster_target(cluster), Some(format!("{operation} {instances} instances")), Some(owner), data)
            }
            Self::ClusterDeleted { cluster, owner, name } => {
                of("cluster.delete", cluster_target(cluster), Some(name.clone()), Some(owner), json!({"cluster_id": cluster, "name": name}))
            }
            Self::ClusterAbandoned { cluster, owner, name } => {
                of("cluster.abandon", cluster_target(cluster), Some(name.clone()), Some(owner), json!({"cluster_id": cluster, "name": name}))
            }
            Self::ClusterRemoved { cluster, owner, name } => {
                of("cluster.removed", cluster_target(cluster), None, Some(owner), json!({"cluster_id": cluster, "name": name}))
            }
            Self::InstanceOperated { instance, owner, name, operation, force } => {
                let detail = if force { format!("{name} (forced)") } else { name.clone() };
                let data = json!({"instance_id": instance, "name": name, "operation": operation, "force": force});
                of(&format!("instance.{operation}"), instance_target(instance), Some(detail), Some(owner), data)
            }
            Self::InstanceChanged { instance, owner, name, from, to, reason } => {
                let data = json!({"instance_id": instance, "name": name, "from": from, "to": to, "reason": reason});
                of(&format!("instance.{to}"), instance_target(instance), None, Some(owner), data)
            }
        }
    }
}

impl Tx {
    /// Records what somebody did: in the audit trail and as an event.
    pub async fn record(&self, by: &By, fact: Fact) -> Result<()> {
        let written = fact.written();
        let By { actor, request_id, address } = by;
        self.defer(
            "INSERT INTO audit (at, actor_id, action, target, detail, request_id, address) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                Timestamp::now().0.into(),
                actor.map(|actor| actor.0).into(),
                written.action.as_str().into(),
                written.target.as_str().into(),
                written.detail.as_deref().into(),
                request_id.as_deref().into(),
                address.as_deref().into(),
            ],
        )
        .await?;
        self.tell(vec![written]).await
    }

    /// Records what was seen: as events, in one statement.
    pub(crate) async fn observe(&self, facts: Vec<Fact>) -> Result<()> {
        self.tell(facts.into_iter().map(Fact::written).collect()).await
    }

    async fn tell(&self, facts: Vec<Written>) -> Result<()> {
        /// Rows of one INSERT: the smallest limit on bound values is SQLite's 32,766.
        const ROWS_AT_ONCE: usize = 500;
        let now = Timestamp::now().0;
        for chunk in facts.chunks(ROWS_AT_ONCE) {
            let sql = format!("INSERT INTO outbox (at, type, subject, owner_id, data) VALUES {}", vec!["(?, ?, ?, ?, ?)"; chunk.len()].join(", "));
            let values = chunk.iter().flat_map(|fact| -> [sea_orm::Value; 5] {
                let owner = fact.owner.map(|owner| owner.0);
                let data = serde_json::to_string(&fact.data).unwrap_or_default();
                [now.into(), format!("kubekcloud.{}", fact.action).into(), fact.target.as_str().into(), owner.into(), data.into()]
            });
            self.defer(sql, values).await?;
        }
        Ok(())
    }
}

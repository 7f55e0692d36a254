//! Every write to a member, by name.
//!
//! A write needs a [`Step`] and a [`Writer`], and a `Writer` needs a [`Fence`]: there is no other way to change
//! anything in a member. What a level-triggered caller expects (it is there already, it is gone already) is an
//! outcome, not an error. Field validation is strict: a misspelt field is refused, not dropped.

use std::{future::Future, sync::Arc, time::Duration};

use http::Method;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::Value;
use types::{Step, failpoint, labels};

use crate::{Fence, Kind, Member, MemberError, Result, call::Call, member::REQUEST_DEADLINE, text, view::content};

/// Most time that a create, delete or patch may take. A person waits longer than a worker can, who has others to serve.
const WRITE_DEADLINE: Duration = Duration::from_secs(3);

/// What came of a create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Creation {
    /// It was made by this call.
    Created {
        /// Its UID.
        uid: String,
    },
    /// One of that name is there already, whoever made it.
    Exists,
}

/// What an apply made of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Its UID.
    pub uid: String,
    /// A number for its spec as it is now: a watched view of it says the same until somebody changes it.
    pub content: u64,
}

/// What came of a delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// It is going, or gone.
    Accepted,
    /// It was not there.
    Gone,
    /// What is there now under that name is another object (or, of a Namespace, it is going already).
    Refused,
}

/// What came of a pause or unpause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pausing {
    /// It was accepted.
    Accepted,
    /// The VM is not in the state for it: stopped, not running yet, or paused (unpaused) already.
    NotApplicable,
}

/// Writes to a member under a fence.
#[derive(Clone)]
pub struct Writer {
    member: Arc<Member>,
    fence: Fence,
}

#[derive(Deserialize)]
struct CreatedObject {
    metadata: CreatedMeta,
}

#[derive(Deserialize)]
struct AppliedObject {
    metadata: CreatedMeta,
    #[serde(default)]
    spec: Value,
}

#[derive(Deserialize)]
struct CreatedMeta {
    uid: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeleteOptions<'a> {
    api_version: &'static str,
    kind: &'static str,
    propagation_policy: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    grace_period_seconds: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preconditions: Option<Preconditions<'a>>,
}

#[derive(Serialize)]
struct Preconditions<'a> {
    uid: &'a str,
}

impl Writer {
    /// Writes to `member` while `fence` allows it.
    pub fn new(member: Arc<Member>, fence: Fence) -> Self {
        Self { member, fence }
    }

    /// The member written to, for reads.
    pub fn member(&self) -> &Arc<Member> {
        &self.member
    }

    /// Creates a Namespace by a plain POST: never by apply, which would adopt an existing one.
    pub async fn create_namespace(&self, step: Step, namespace: &impl Serialize) -> Result<Creation> {
        self.create(step, Kind::Namespace.collection(None), namespace).await
    }

    /// Creates a Pod.
    pub async fn create_pod(&self, step: Step, namespace: &str, pod: &impl Serialize) -> Result<Creation> {
        self.create(step, Kind::Pod.collection(Some(namespace)), pod).await
    }

    /// Server-side apply of the fields in `object`, taking them over from whoever had them.
    pub async fn apply(&self, step: Step, kind: Kind, namespace: Option<&str>, name: &str, object: &impl Serialize) -> Result<Applied> {
        let call = Call::new(Method::PATCH, kind.object(namespace, name))
            .query("fieldManager", labels::FIELD_MANAGER)
            .query("force", "true")
            .query("fieldValidation", "Strict")
            .body("application/apply-patch+yaml", object)?;
        let object = self.write(step, |left| self.member.call::<AppliedObject>(call, left)).await?;
        Ok(Applied { uid: text::name(Some(object.metadata.uid)), content: content(&object.spec) })
    }

    /// Deletes the object with that UID and no other. `namespace` is `None` for a Namespace itself.
    pub async fn delete(&self, step: Step, kind: Kind, namespace: Option<&str>, name: &str, uid: &str, grace: Option<u32>) -> Result<Deletion> {
        self.remove(step, kind, namespace, name, Some(uid), grace).await
    }

    /// Deletes whatever has that name: for Secrets and volumes, whose names only we give, within a namespace
    /// that is proven to be ours.
    pub async fn delete_named(&self, step: Step, kind: Kind, namespace: &str, name: &str) -> Result<Deletion> {
        self.remove(step, kind, Some(namespace), name, None, None).await
    }

    /// Pauses a running VM in memory.
    pub async fn vm_pause(&self, step: Step, namespace: &str, name: &str) -> Result<Pausing> {
        self.subresource(step, namespace, name, "pause").await
    }

    /// Lets a paused VM go on.
    pub async fn vm_unpause(&self, step: Step, namespace: &str, name: &str) -> Result<Pausing> {
        self.subresource(step, namespace, name, "unpause").await
    }

    async fn create(&self, step: Step, path: String, object: &impl Serialize) -> Result<Creation> {
        let call = Call::new(Method::POST, path)
            .query("fieldManager", labels::FIELD_MANAGER)
            .query("fieldValidation", "Strict")
            .body("application/json", object)?;
        let created = self.write(step, |left| self.member.call::<CreatedObject>(call, left)).await;
        match created {
            Ok(object) => Ok(Creation::Created { uid: text::name(Some(object.metadata.uid)) }),
            Err(error) if error.is_already_exists() => Ok(Creation::Exists),
            Err(error) => Err(error),
        }
    }

    async fn remove(&self, step: Step, kind: Kind, namespace: Option<&str>, name: &str, uid: Option<&str>, grace: Option<u32>) -> Result<Deletion> {
        let options = DeleteOptions {
            api_version: "v1",
            kind: "DeleteOptions",
            propagation_policy: "Background",
            grace_period_seconds: grace,
            preconditions: uid.map(|uid| Preconditions { uid }),
        };
        let call = Call::new(Method::DELETE, kind.object(namespace, name)).body("application/json", &options)?;
        let deleted = self.write(step, |left| self.member.call::<IgnoredAny>(call, left)).await;
        match deleted {
            Ok(_) => Ok(Deletion::Accepted),
            Err(error) if error.is_not_found() => Ok(Deletion::Gone),
            Err(error) if error.is_conflict() => Ok(Deletion::Refused),
            Err(error) => Err(error),
        }
    }

    async fn subresource(&self, step: Step, namespace: &str, name: &str, action: &str) -> Result<Pausing> {
        let path = format!("/apis/subresources.kubevirt.io/v1/namespaces/{namespace}/virtualmachineinstances/{name}/{action}");
        let call = Call::new(Method::PUT, path).body("application/json", &serde_json::json!({}))?;
        // Answered by the guest's node, not by the API server alone.
        match self.write_within(step, REQUEST_DEADLINE, |left| self.member.call_bytes(call, left)).await {
            Ok(_) => Ok(Pausing::Accepted),
            Err(error) if error.is_not_found() || error.is_conflict() => Ok(Pausing::NotApplicable),
            Err(error) => Err(error),
        }
    }

    /// Runs one write between its failpoints, if the fence allows it, for at most as long as it does.
    async fn write<T, F>(&self, step: Step, send: impl FnOnce(Duration) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        self.write_within(step, WRITE_DEADLINE, send).await
    }

    async fn write_within<T, F>(&self, step: Step, deadline: Duration, send: impl FnOnce(Duration) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let Some(left) = self.fence.remaining() else { return Err(MemberError::Fenced) };
        let result = failpoint::at(step, send(left.min(deadline))).await;
        let outcome = result.as_ref().map_or_else(MemberError::reason, |_| "Done");
        metrics::counter!("kubekcloud_member_writes_total", "member" => self.member.name().to_owned(), "step" => step.as_str(), "result" => outcome)
            .increment(1);
        result
    }
}

//! Reads for one question, each with a deadline. What is watched is read from the [`crate::Cache`] instead.

use http::Method;
use k8s_openapi::{
    api::core::v1::Event,
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time},
};
use serde::Deserialize;
use types::Timestamp;

use crate::{
    Kind, Member, MemberError, NamespaceView, Result,
    call::Call,
    member::REQUEST_DEADLINE,
    text::{bounded, name, name_or_none},
    view::SlimNamespace,
};

/// Longest log that is read.
const LOG_MAX: usize = 16 << 20;
/// A limit is one of the kubelet's, which may end a line behind it.
const LOG_SLACK: usize = 64 << 10;
/// Most events that are asked for.
const EVENTS_MAX: usize = 500;

/// Which part of a log.
#[derive(Debug, Clone, Default)]
pub struct LogQuery {
    /// Container; needed when a Pod has several.
    pub container: Option<String>,
    /// Last so many lines.
    pub tail_lines: Option<u32>,
    /// At most so many bytes.
    pub limit_bytes: Option<u32>,
    /// Of the run before the last restart.
    pub previous: bool,
    /// Begin each line with its time.
    pub timestamps: bool,
}

/// Something that happened to an object.
#[derive(Debug, Clone)]
pub struct EventView {
    /// `Normal` or `Warning`.
    pub kind: String,
    /// A word: `FailedScheduling`.
    pub reason: String,
    /// A sentence.
    pub message: String,
    /// How often.
    pub count: i32,
    /// When first.
    pub first_seen: Option<Timestamp>,
    /// When last.
    pub last_seen: Option<Timestamp>,
    /// Who says so.
    pub source: String,
}

#[derive(Deserialize)]
struct PartialObject {
    metadata: ObjectMeta,
}

#[derive(Deserialize)]
struct List<T> {
    #[serde(default = "Vec::new")]
    items: Vec<T>,
}

impl Member {
    /// A Namespace as it is now; `None` when there is none.
    pub async fn namespace(&self, name: &str) -> Result<Option<NamespaceView>> {
        let call = Call::new(Method::GET, Kind::Namespace.object(None, name));
        missing_is_none(self.call::<SlimNamespace>(call, REQUEST_DEADLINE).await.map(NamespaceView::from))
    }

    /// UID of an object as it is now; `None` when there is none.
    pub async fn uid(&self, kind: Kind, namespace: &str, object: &str) -> Result<Option<String>> {
        let call = Call::new(Method::GET, kind.object(Some(namespace), object));
        let object = missing_is_none(self.call::<PartialObject>(call, REQUEST_DEADLINE).await)?;
        Ok(object.map(|object| name(object.metadata.uid)))
    }

    /// Names of at most `limit` objects with a label, as they are now. No such kind: none.
    pub async fn names(&self, kind: Kind, namespace: &str, selector: &str, limit: u32) -> Result<Vec<String>> {
        let call = Call::new(Method::GET, kind.collection(Some(namespace))).query("labelSelector", selector).query("limit", limit.to_string());
        let list = missing_is_none(self.call::<List<PartialObject>>(call, REQUEST_DEADLINE).await)?;
        let items = list.map(|list| list.items).unwrap_or_default();
        Ok(items.into_iter().take(limit as usize).filter_map(|object| name_or_none(object.metadata.name)).collect())
    }

    /// A Pod's log as text.
    pub async fn pod_logs(&self, namespace: &str, pod: &str, query: &LogQuery) -> Result<String> {
        let LogQuery { container, tail_lines, limit_bytes, previous, timestamps } = query;
        let most = limit_bytes.map_or(LOG_MAX, |bytes| usize::try_from(bytes).unwrap_or(LOG_MAX)).min(LOG_MAX) + LOG_SLACK;
        let mut call = Call::new(Method::GET, format!("{}/log", Kind::Pod.object(Some(namespace), pod))).answer_max(most);
        if let Some(container) = container {
            call = call.query("container", container.as_str());
        }
        if let Some(lines) = tail_lines {
            call = call.query("tailLines", lines.to_string());
        }
        if let Some(bytes) = limit_bytes {
            call = call.query("limitBytes", bytes.to_string());
        }
        if *previous {
            call = call.query("previous", "true");
        }
        if *timestamps {
            call = call.query("timestamps", "true");
        }
        let _permit = self.api_reads.try_acquire().map_err(|_| MemberError::Busy)?;
        let bytes = self.call_bytes(call, REQUEST_DEADLINE).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Events of one object, oldest first. `kind` is Kubernetes' name of it: `Pod`.
    pub async fn events(&self, namespace: &str, kind: &str, object: &str) -> Result<Vec<EventView>> {
        let selector = format!("involvedObject.kind={kind},involvedObject.name={object}");
        let call =
            Call::new(Method::GET, Kind::Event.collection(Some(namespace))).query("fieldSelector", selector).query("limit", EVENTS_MAX.to_string());
        let _permit = self.api_reads.try_acquire().map_err(|_| MemberError::Busy)?;
        let list: List<Event> = self.call(call, REQUEST_DEADLINE).await?;
        let mut events: Vec<_> = list.items.into_iter().take(EVENTS_MAX).map(EventView::from).collect();
        events.sort_by_key(|event| event.last_seen);
        Ok(events)
    }

    /// Version of the API server, for example `v1.36.3`: the cheapest proof that it answers.
    pub async fn version(&self) -> Result<String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Version {
            git_version: String,
        }
        let version: Version = self.call(Call::new(Method::GET, "/version".to_owned()), REQUEST_DEADLINE).await?;
        Ok(name(Some(version.git_version)))
    }
}

impl From<Event> for EventView {
    fn from(event: Event) -> Self {
        let seconds = |time: Option<Time>| time.map(|time| Timestamp(time.0.as_microsecond()));
        let at = event.event_time.map(|time| Timestamp(time.0.as_microsecond()));
        let (series_count, series_last) = match event.series {
            Some(series) => (series.count, series.last_observed_time.map(|time| Timestamp(time.0.as_microsecond()))),
            None => (None, None),
        };
        let first_seen = seconds(event.first_timestamp).or(at);
        Self {
            kind: name(event.type_),
            reason: name(event.reason),
            message: bounded(event.message),
            count: event.count.or(series_count).unwrap_or(1).max(1),
            last_seen: seconds(event.last_timestamp).or(series_last).or(first_seen),
            first_seen,
            source: name(event.source.and_then(|source| source.component).or(event.reporting_component)),
        }
    }
}

fn missing_is_none<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

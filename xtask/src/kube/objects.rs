//! Creating objects of any kind from their JSON.

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use kube::{
    Api, Client, Error,
    api::{ApiResource, DynamicObject, GroupVersionKind, PostParams},
    core::TypeMeta,
};
use serde_json::Value;

/// How many creates are under way at once.
const PARALLEL: usize = 16;

/// Creates the objects in no order; one that is there already is left as it is.
pub(crate) async fn create(client: &Client, objects: Vec<Value>) -> Result<()> {
    stream::iter(objects).map(|object| create_one(client, object)).buffer_unordered(PARALLEL).try_collect().await
}

async fn create_one(client: &Client, object: Value) -> Result<()> {
    let object: DynamicObject = serde_json::from_value(object).context("read an object")?;
    let types = object.types.clone().unwrap_or_default();
    let name = object.metadata.name.clone().unwrap_or_default();
    let api = api(client, &types, object.metadata.namespace.as_deref())?;
    match api.create(&PostParams::default(), &object).await {
        Err(Error::Api(status)) if status.is_already_exists() => Ok(()),
        created => created.map(drop).with_context(|| format!("create {} {name}", types.kind)),
    }
}

fn api(client: &Client, types: &TypeMeta, namespace: Option<&str>) -> Result<Api<DynamicObject>> {
    let kind = GroupVersionKind::try_from(types)?;
    let resource = ApiResource::from_gvk(&kind);
    Ok(match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    })
}

//! A cluster as its owner wants it, and what was last seen of it.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "clusters")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub owner_id: i64,
    pub member_id: i64,
    pub name: String,
    /// Observed.
    pub namespace: String,
    /// Observed.
    pub namespace_uid: Option<String>,
    pub claim: String,
    pub instance_type: String,
    pub cpu_milli: i64,
    pub memory_bytes: i64,
    pub disk_bytes: Option<i64>,
    pub image: String,
    pub ssh_public_key: Option<String>,
    pub cloud_init: Option<String>,
    pub generation: i64,
    pub deleting_at: Option<i64>,
    pub created_at: i64,
    pub updated_at: i64,
    /// Observed.
    pub observed_generation: i64,
    /// Observed.
    pub reason: Option<String>,
    /// Observed.
    pub message: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

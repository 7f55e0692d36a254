//! One container or VM.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "instances")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub cluster_id: i64,
    pub ordinal: i32,
    pub name: String,
    pub desired: String,
    pub generation: i64,
    pub start_generation: i64,
    pub deleting: bool,
    pub created_at: i64,
    /// Observed.
    pub status: String,
    /// Observed.
    pub observed_generation: i64,
    /// Observed.
    pub reason: Option<String>,
    /// Observed.
    pub message: Option<String>,
    /// Observed.
    pub ip: Option<String>,
    /// Observed.
    pub node: Option<String>,
    /// Observed.
    pub status_since: i64,
    /// Observed.
    pub updated_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

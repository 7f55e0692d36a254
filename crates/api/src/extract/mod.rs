//! Taking requests apart. What can't be taken apart is answered by a problem document.

mod auth;
mod body;
mod params;

pub(crate) use auth::{Admin, Auth, SignUp, Writer};
pub(crate) use body::{Body, OptionalBody};
pub(crate) use params::{Id, Query};

//! Who owns which field, and patches: the parts of the API that look at single fields of any object.
//!
//! [`set`] is a set of fields, [`compare`] makes such sets from values, [`managed`] keeps the `managedFields` of an object
//! for plain writes, [`apply`] is server-side apply on top of [`merge`], [`strategic`] is kubectl's strategic merge patch, [`json`]
//! is JSON patch, [`typed`] brings objects into the form of their type, [`validate`] says why one can't be applied.

pub(crate) mod apply;
pub(crate) mod compare;
pub(crate) mod json;
pub(crate) mod managed;
pub(crate) mod merge;
pub(crate) mod set;
pub(crate) mod strategic;
pub(crate) mod typed;
pub(crate) mod validate;

#[cfg(test)]
mod tests;

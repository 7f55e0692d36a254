//! Who owns which field, and patches: the parts of the API that look at single fields of any object.
//!
//! [`set`] is a set of fields, [`compare`] makes such sets from values, [`managed`] keeps the `managedFields` of an object
//! for plain writes, [`apply`] is server-side apply, [`strategic`] is kubectl's strategic merge patch.

pub(crate) mod apply;
pub(crate) mod compare;
pub(crate) mod json;
pub(crate) mod managed;
pub(crate) mod set;
pub(crate) mod strategic;

#[cfg(test)]
mod tests;

//! The interpreter: lists run commands ([`run`]), whose words may hold lists ([`expand`]), and some commands run commands
//! ([`call`], [`nested`]). That circle is what an interpreter is; nothing else in this crate looks back up.

mod arithmetic;
mod call;
mod expand;
mod nested;
mod redirect;
pub(crate) mod run;

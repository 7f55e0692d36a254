//! Use cases, one file a noun: the only home of business rules.

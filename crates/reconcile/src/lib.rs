//! Makes members match the store.

//! What is kept in SQL: migrations, entities, tenant-scoped queries, leases.

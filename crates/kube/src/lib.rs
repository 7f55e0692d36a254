//! Reaching member clusters: clients, watch caches, the write helpers, KubeVirt types.

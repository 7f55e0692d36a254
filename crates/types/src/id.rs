//! Row identifiers: small integers that are never reused.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl From<i64> for $name {
            fn from(id: i64) -> Self {
                Self(id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id!(
    /// A user of the control plane.
    UserId
);
id!(
    /// A tenant's group of identical instances.
    ClusterId
);
id!(
    /// One container or VM of a cluster.
    InstanceId
);
id!(
    /// A virtual cluster.
    VirtualClusterId
);
id!(
    /// A Kubernetes cluster of the fleet.
    MemberId
);

impl MemberId {
    /// The Kubernetes that the control plane was started with.
    pub const LOCAL: Self = Self(0);
}

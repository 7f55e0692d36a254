//! What may be asked for, and by whom: one rule for each operation of the API, by its `operationId`.
//!
//! A rule is data, so that a test can hold the whole API against it, and so that no use case can be written without one: what changes
//! anything needs a [`Permit`], which is made here only.

use types::{Error, Result, Role};

/// Whom an operation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Everybody who is signed in, for what they may see.
    Look,
    /// Who may change what is theirs.
    Change,
    /// Admins.
    Admin,
    /// Admins, or anybody where sign-up is open.
    SignUp,
}

macro_rules! actions {
    ($($name:ident = $id:literal, $need:ident;)*) => {
        /// An operation of the API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "the OpenAPI document describes them")]
        pub enum Action { $($name,)* }

        impl Action {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The operation's `operationId`.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id),* }
            }

            /// Whom it is for.
            pub const fn need(self) -> Need {
                match self { $(Self::$name => Need::$need),* }
            }
        }
    };
}

actions! {
    UserCreate = "user_create", SignUp;
    UserList = "user_list", Admin;
    UserMe = "user_me", Look;
    UserQuota = "user_quota", Look;
    UserGet = "user_get", Look;
    UserUpdate = "user_update", Admin;
    UserDelete = "user_delete", Admin;
    // One's own: a viewer's, too.
    UserRotateToken = "user_rotate_token", Look;
    ClusterCreate = "cluster_create", Change;
    ClusterList = "cluster_list", Look;
    ClusterGet = "cluster_get", Look;
    ClusterScale = "cluster_scale", Change;
    // Giving up what is not confirmed gone needs an admin besides.
    ClusterDelete = "cluster_delete", Change;
    ClusterSuspend = "cluster_suspend", Change;
    ClusterResume = "cluster_resume", Change;
    ClusterStart = "cluster_start", Change;
    ClusterStop = "cluster_stop", Change;
    ClusterInstances = "cluster_instances", Look;
    InstanceGet = "instance_get", Look;
    InstanceOperate = "instance_operate", Change;
    InstanceLogs = "instance_logs", Look;
    InstanceEvents = "instance_events", Look;
    Capabilities = "capabilities", Look;
    AuditList = "audit_list", Admin;
}

/// Proof that somebody may do what is about to be done. It cannot be made outside of this file.
#[derive(Debug)]
pub struct Permit(());

impl Permit {
    /// For what the process itself does when it starts.
    pub(crate) const fn of_the_process() -> Self {
        Self(())
    }

    /// For signing up where that is open.
    pub(crate) const fn of_sign_up() -> Self {
        Self(())
    }
}

impl Action {
    /// Whether somebody of this role may do this at all; what it is done to is looked at where it is found.
    pub(crate) fn permit(self, role: Role) -> Result<Permit> {
        match (self.need(), role) {
            (Need::Change, Role::Viewer) => Err(Error::Forbidden("The role viewer may only look")),
            (Need::Look | Need::Change, _) | (_, Role::Admin) => Ok(Permit(())),
            (Need::SignUp, _) => Err(Error::Forbidden("Only an admin may create users here")),
            (Need::Admin, _) => Err(Error::Forbidden("This needs the role admin")),
        }
    }
}

//! What a kubelet is: the containers of Pods, as `exec` meets them.

pub(crate) mod runtime;

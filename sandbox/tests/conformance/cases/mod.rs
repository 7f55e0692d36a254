//! The cases by area, one file each. A case is told by its name; what must come out is in `recorded/`.

/// Declares the areas' modules and lists their cases.
macro_rules! areas {
    ($($area:ident),* $(,)?) => {
        $(mod $area;)*
        pub(crate) const AREAS: &[(&str, &[&str])] = &[$((stringify!($area), $area::NAMES)),*];
    };
}

areas!(
    access,
    apply,
    body,
    create,
    custom,
    defaults,
    definition,
    delete,
    discovery,
    invalid,
    list,
    namespace,
    node_exec,
    node_logs,
    node_pods,
    owners,
    patch,
    quantity,
    refused,
    schema,
    subresource,
    table,
    update,
    vm_calls,
    vm_life,
    vm_objects,
    watch
);

//! `/api/v1/users/`, `/api/v1/users` and `//api/v1//users` are one path.

use axum::{
    extract::Request,
    http::{Uri, uri::PathAndQuery},
};

/// The request with its path in the one form that the router knows. The documentation pages keep their slashes,
/// because they load their parts by relative links.
pub(crate) fn normalize(mut request: Request) -> Request {
    if let Some(uri) = normalized(request.uri()) {
        *request.uri_mut() = uri;
    }
    request
}

fn normalized(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let trailing = path.len() > 1 && path.ends_with('/');
    if !trailing && !path.contains("//") {
        return None;
    }
    let mut clean: String = path.split('/').filter(|part| !part.is_empty()).flat_map(|part| ["/", part]).collect();
    if clean.is_empty() || clean == "/docs" {
        clean.push('/');
    }
    let text = match uri.query() {
        Some(query) => format!("{clean}?{query}"),
        None => clean,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(text).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_too_many_do_not_matter() {
        let table = [
            ("/api/v1/users/", Some("/api/v1/users")),
            ("//api/v1//users/?limit=1&x=//", Some("/api/v1/users?limit=1&x=//")),
            ("/api/v1/users", None),
            ("/", None),
            ("//", Some("/")),
            ("/docs/", Some("/docs/")),
        ];
        for (from, to) in table {
            let uri: Uri = from.parse().expect("valid");
            assert_eq!(normalized(&uri).map(|uri| uri.to_string()).as_deref(), to, "{from}");
        }
    }
}

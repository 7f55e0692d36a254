//! Where a database is, as `DATABASE_URL` says it.

use types::{Error, Result, Secret};

/// A file or a server.
#[derive(Debug, Clone)]
pub(crate) enum Location {
    Sqlite(String),
    /// Its URL holds a password.
    Server(Secret),
}

impl Location {
    pub(crate) fn parse(url: &str) -> Result<Self> {
        let invalid = |why: String| Error::field("DATABASE_URL", why);
        let (scheme, rest) = url.split_once(':').ok_or_else(|| invalid("is not a URL".into()))?;
        // SQLAlchemy names a driver behind a plus sign; the driver is ours to choose.
        let dialect = scheme.split('+').next().unwrap_or_default();
        match dialect {
            "sqlite" => {
                // SQLAlchemy: three slashes are relative, four absolute.
                let path = rest.strip_prefix("///").unwrap_or_else(|| rest.trim_start_matches("//"));
                let path = path.split('?').next().unwrap_or_default();
                if path.is_empty() || path == ":memory:" {
                    return Err(invalid("names an SQLite database in memory, which would lose everything at the end".into()));
                }
                Ok(Self::Sqlite(path.to_owned()))
            }
            "postgresql" | "postgres" => Ok(Self::Server(Secret::new(format!("postgres:{rest}")))),
            "mysql" | "mariadb" => Ok(Self::Server(Secret::new(format!("mysql:{rest}")))),
            other => Err(invalid(format!("'{other}' is not supported; use sqlite, postgresql or mysql"))),
        }
    }

    /// What somebody would have to delete to start anew; without a password.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("the file {path}"),
            Self::Server(url) => {
                let name = url::Url::parse(url.expose()).map(|url| url.path().trim_start_matches('/').to_owned());
                format!("the database '{}'", name.unwrap_or_default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_urls_are_understood() {
        let cases = [
            ("sqlite:///./cmp.db", "./cmp.db"),
            ("sqlite:///cmp.db", "cmp.db"),
            ("sqlite:////var/lib/cmp.db", "/var/lib/cmp.db"),
            ("postgresql://user:password@localhost/dbname", "postgres://user:password@localhost/dbname"),
            ("postgresql+psycopg2://u@h/d", "postgres://u@h/d"),
            ("mysql+pymysql://user:password@localhost/dbname", "mysql://user:password@localhost/dbname"),
            ("mariadb://u@h/d", "mysql://u@h/d"),
        ];
        for (url, expected) in cases {
            let found = match Location::parse(url).expect(url) {
                Location::Sqlite(path) => path,
                Location::Server(url) => url.expose().to_owned(),
            };
            assert_eq!(found, expected);
        }
        for bad in ["", "cmp.db", "oracle://x", "sqlite://", "sqlite:///:memory:"] {
            assert!(Location::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_shown_has_no_password() {
        let shown = Location::parse("postgresql://user:password@localhost/dbname").expect("a URL").shown();
        assert_eq!(shown, "the database 'dbname'");
    }
}

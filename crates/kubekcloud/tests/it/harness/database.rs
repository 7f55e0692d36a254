//! A fresh database for a test.

use std::net::SocketAddr;

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, FromQueryResult, Statement};

/// A database that goes with the test (SQLite) or with its server (the others).
pub(crate) struct TestDatabase {
    pub(crate) url: String,
    _dir: Option<tempfile::TempDir>,
}

impl TestDatabase {
    pub(crate) async fn fresh() -> Self {
        let Ok(server) = std::env::var("KUBEKCLOUD_TEST_DATABASE_URL") else {
            let dir = tempfile::tempdir().expect("temporary directory");
            return Self { url: format!("sqlite:///{}/test.db", dir.path().display()), _dir: Some(dir) };
        };
        let name = format!("test_{:016x}", rand::random::<u64>());
        let admin = Database::connect(server.replace("+pymysql", "").replace("mariadb:", "mysql:")).await.expect("the test database server");
        admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a fresh database");
        admin.close().await.expect("closes");
        let (base, _) = server.rsplit_once('/').expect("a URL with a database name");
        Self { url: format!("{base}/{name}"), _dir: None }
    }

    /// A connection around the product.
    pub(crate) async fn raw(&self) -> DatabaseConnection {
        let url = self.url.replace("sqlite:///", "sqlite:").replace("+pymysql", "").replace("mariadb:", "mysql:");
        Database::connect(url).await.expect("connects")
    }

    /// Whether a server has it, which several processes, and sessions with locks of their own, can use.
    pub(crate) fn on_server(&self) -> bool {
        self._dir.is_none()
    }

    /// Where its server listens.
    pub(crate) fn address(&self) -> &str {
        let (_, behind) = self.url.split_once("://").expect("a URL");
        let (server, _) = behind.rsplit_once('/').expect("a URL with a database name");
        server.rsplit_once('@').map_or(server, |(_, address)| address)
    }

    /// The same, reached elsewhere.
    pub(crate) fn at(&self, address: SocketAddr) -> Self {
        Self { url: self.url.replacen(self.address(), &address.to_string(), 1), _dir: None }
    }
}

/// A lease, as its row says.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub(crate) struct LeaseRow {
    pub(crate) epoch: i64,
    pub(crate) holder: String,
}

impl LeaseRow {
    /// Of reconciling the one member.
    pub(crate) async fn read(raw: &impl ConnectionTrait) -> Option<Self> {
        let sql = Statement::from_string(raw.get_database_backend(), "SELECT epoch, holder FROM leases WHERE name = 'member/0'");
        raw.query_one_raw(sql).await.expect("asks").map(|row| Self::from_query_result(&row, "").expect("a lease"))
    }
}

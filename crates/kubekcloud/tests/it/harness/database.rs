//! A fresh database for a test.

use sea_orm::{ConnectionTrait, Database};

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
    pub(crate) async fn raw(&self) -> sea_orm::DatabaseConnection {
        let url = self.url.replace("sqlite:///", "sqlite:").replace("+pymysql", "");
        Database::connect(url).await.expect("connects")
    }
}

//! Joining the living, and taking and giving back leases, on connections that nothing else waits for.

use std::time::Duration;

use sea_orm::{DbErr, FromQueryResult, QueryResult};
use types::Result;

use crate::{Holders, Lease, LeaseName, Replica, dialect::clock, pool::Pool, sql};

/// Who has a lease, as its row says.
#[derive(FromQueryResult)]
struct Holding {
    epoch: i64,
    holder: String,
}

/// Takes and gives back leases, on connections that nothing else waits for. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Leases {
    pool: Pool,
}

impl Leases {
    pub(crate) const fn new(pool: Pool) -> Self {
        Self { pool }
    }

    pub(crate) const fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Takes a lease whose holder is gone, that nobody has had, or that `replica` has: then the answer to its last claim was lost,
    /// or its earlier writes are to be fenced. `None`: somebody else has it.
    pub async fn claim(&self, replica: &Replica, name: LeaseName) -> Result<Option<Lease>> {
        let connection = self.pool.writer();
        let word = name.to_string();
        let lease = |epoch| Lease::new(name, epoch, replica.id());
        let Some(Holding { epoch, holder }) = self.holding(&word).await? else {
            let insert = "INSERT INTO leases (name, holder, epoch) VALUES (?, ?, 1)";
            let inserted = sql::execute_unless_taken(connection, insert, [word.into(), replica.id().into()]).await?;
            return Ok(inserted.map(|_| lease(1)));
        };
        // Compared with what was read: of two that claim at once, one finds another epoch.
        let take = "UPDATE leases SET epoch = epoch + 1, holder = ? WHERE name = ? AND epoch = ? AND holder = ? \
                    AND NOT EXISTS (SELECT 1 FROM replicas r WHERE r.id = ? AND r.id <> ?)";
        let values = [replica.id().into(), word.into(), epoch.into(), holder.as_str().into(), holder.as_str().into(), replica.id().into()];
        let taken = sql::execute(connection, take, values).await? == 1;
        Ok(taken.then(|| lease(epoch + 1)))
    }

    /// Lets go of a lease, so that another replica need not wait for its holder's end.
    pub async fn release(&self, lease: &Lease) -> Result<()> {
        sql::execute(self.pool.writer(), "UPDATE leases SET holder = '' WHERE name = ? AND epoch = ? AND holder = ?", lease.key()).await?;
        Ok(())
    }

    async fn holding(&self, name: &str) -> Result<Option<Holding>> {
        sql::row(self.pool.writer(), "SELECT epoch, holder FROM leases WHERE name = ?", [name.into()]).await
    }

    /// Joins the living for `ttl`. `host` is for those who look.
    pub async fn join(&self, host: &str, ttl: Duration) -> Result<Replica> {
        let clock = clock(self.pool().backend());
        let replica = Replica::new();
        let host: String = host.chars().take(250).collect();
        let sql = format!("INSERT INTO replicas (id, host, joined_at, expires_at) VALUES (?, ?, {clock}, {clock} + ?)");
        sql::execute(self.pool().writer(), &sql, [replica.id().into(), host.into(), micros(ttl).into()]).await?;
        Ok(replica)
    }

    /// Stays alive for `ttl` from now. `false`: declared dead; whatever was held belongs to others, or soon will.
    pub async fn heartbeat(&self, replica: &Replica, ttl: Duration) -> Result<bool> {
        let sql = format!("UPDATE replicas SET expires_at = {} + ? WHERE id = ?", clock(self.pool().backend()));
        Ok(sql::execute(self.pool().writer(), &sql, [micros(ttl).into(), replica.id().into()]).await? == 1)
    }

    /// Leaves; everything held is free at once.
    pub async fn leave(&self, replica: &Replica) -> Result<()> {
        sql::execute(self.pool().writer(), "DELETE FROM replicas WHERE id = ?", [replica.id().into()]).await?;
        Ok(())
    }

    /// Declares those dead whose time has run out, and says how many. A time that lies further ahead than anybody asks for was
    /// written before the database's clock went back: that replica has been silent since, or will join again.
    pub async fn bury(&self, ttl: Duration) -> Result<u64> {
        let clock = clock(self.pool().backend());
        let sql = format!("DELETE FROM replicas WHERE expires_at < {clock} OR expires_at > {clock} + ?");
        sql::execute(self.pool().writer(), &sql, [micros(ttl * 2).into()]).await
    }

    /// Who is alive, and who holds what.
    pub async fn holders(&self) -> Result<Holders> {
        let replicas = sql::scalars(self.pool().writer(), "SELECT id FROM replicas ORDER BY id", []).await?;
        let rows: Vec<Held> = sql::rows(self.pool().writer(), "SELECT name, holder FROM leases", []).await?;
        let leases = rows.into_iter().filter_map(|Held(name, holder)| Some((LeaseName::parse(&name)?, holder))).collect();
        Ok(Holders { replicas, leases })
    }
}

struct Held(String, String);

impl FromQueryResult for Held {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self(row.try_get(prefix, "name")?, row.try_get(prefix, "holder")?))
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}

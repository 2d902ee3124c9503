//! Rows read a moment ago, for the few reads that stand on the way of every call.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Db, Result};
use crate::time::Timestamp;

/// How long a row is taken as it was read, in milliseconds. A change made by this process counts at once, one made by
/// another process on the same database after this at the latest.
const FRESH_MILLIS: i64 = 1000;
/// From so many rows on, those that are no longer fresh are forgotten.
const REMEMBERED: usize = 1000;

/// Rows by key. They are only ever as they stand in the database: nothing is unsealed here.
#[derive(Debug)]
pub struct Recent<K, V>(Mutex<HashMap<K, Known<V>>>);

#[derive(Debug)]
struct Known<V> {
    read_at: Timestamp,
    /// The count of changes when the read began.
    change: u64,
    row: Arc<V>,
}

impl<V> Known<V> {
    fn is_fresh(&self, db: &Db, now: Timestamp) -> bool {
        // A clock that was set back makes nothing fresh.
        self.change == db.changes() && (0..FRESH_MILLIS).contains(&(now.millis() - self.read_at.millis()))
    }
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V> Recent<K, V> {
    /// The row of this key, by `read` when it is not known. That there is none is not remembered.
    pub async fn get(
        &self,
        db: &Db,
        key: K,
        now: Timestamp,
        read: impl AsyncFnOnce(&K) -> Result<Option<V>>,
    ) -> Result<Option<Arc<V>>> {
        if let Some(known) = self.known().get(&key).filter(|known| known.is_fresh(db, now)) {
            return Ok(Some(Arc::clone(&known.row)));
        }
        // Counted before the read: a change in the midst of it makes what was read stale.
        let change = db.changes();
        let Some(row) = read(&key).await?.map(Arc::new) else { return Ok(None) };
        let mut known = self.known();
        if known.len() >= REMEMBERED {
            known.retain(|_, known| known.is_fresh(db, now));
        }
        if known.len() < REMEMBERED {
            known.insert(key, Known { read_at: now, change, row: Arc::clone(&row) });
        }
        Ok(Some(row))
    }

    fn known(&self) -> MutexGuard<'_, HashMap<K, Known<V>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::support::on_each_database;

    #[test]
    fn a_change_counts_at_once_here_and_within_a_second_elsewhere() {
        on_each_database(async |database| {
            let db = &database.db;
            let other = Db::open(database.url()).await.unwrap();
            let (recent, reads) = (Recent::default(), Cell::new(0));
            let get = async |millis: i64| {
                let read = async |_: &&str| {
                    reads.set(reads.get() + 1);
                    Ok(Some(reads.get()))
                };
                *recent.get(db, "key", Timestamp::from_millis(5000 + millis), read).await.unwrap().unwrap()
            };
            assert_eq!((get(0).await, get(999).await), (1, 1));
            db.begin().await.unwrap().commit().await.unwrap();
            assert_eq!((get(999).await, get(999).await), (2, 2));
            db.begin_apart().await.unwrap().commit().await.unwrap();
            other.begin().await.unwrap().commit().await.unwrap();
            assert_eq!((get(1998).await, get(1999).await), (2, 3));
            // Set back.
            assert_eq!(get(0).await, 4);
            other.close().await;
        });
    }

    #[test]
    fn what_changes_while_it_is_read_is_read_again_and_nothing_is_not_remembered() {
        on_each_database(async |database| {
            let (db, now) = (&database.db, Timestamp::from_millis(0));
            let recent = Recent::default();
            let during = async |_: &u8| {
                db.begin().await.unwrap().commit().await.unwrap();
                Ok(Some(1))
            };
            assert_eq!(recent.get(db, 0, now, during).await.unwrap().as_deref(), Some(&1));
            assert_eq!(recent.get(db, 0, now, async |_| Ok(Some(2))).await.unwrap().as_deref(), Some(&2));
            assert_eq!(recent.get(db, 1, now, async |_| Ok(None)).await.unwrap(), None);
            assert_eq!(recent.get(db, 1, now, async |_| Ok(Some(3))).await.unwrap().as_deref(), Some(&3));
        });
    }

    #[test]
    fn only_what_is_fresh_is_remembered_when_there_is_much() {
        on_each_database(async |database| {
            let recent = Recent::default();
            for key in 0..=REMEMBERED {
                let at = Timestamp::from_millis(if key == REMEMBERED { FRESH_MILLIS } else { 0 });
                recent.get(&database.db, key, at, async |_| Ok(Some(()))).await.unwrap();
            }
            assert_eq!(recent.known().len(), 1);
        });
    }
}

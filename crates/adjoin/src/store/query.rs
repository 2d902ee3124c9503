//! One binding layer over both engines: `sql("...").bind(..).all::<T>(&db)`.

use std::str::FromStr;

use serde::{Serialize, de::DeserializeOwned};
use sqlx::{
    Row as _,
    postgres::{PgArguments, PgRow},
    sqlite::{SqliteArguments, SqliteRow},
};

use super::{
    Db, Error, Result, Tx,
    db::{Begun, Pools},
};

/// A statement with its values, in the subset of SQL that both engines read.
pub fn sql(text: &'static str) -> Query {
    Query { text, values: Vec::new() }
}

#[derive(Debug)]
pub struct Query {
    text: &'static str,
    values: Vec<Value>,
}

/// What may stand in a column. Every value that is bound becomes one of these.
#[derive(Debug, Clone)]
pub enum Value {
    Text(Option<String>),
    Integer(Option<i64>),
    Boolean(Option<bool>),
    Bytes(Option<Vec<u8>>),
}

/// Where a statement runs: readers of the pool, or a transaction.
#[derive(Debug)]
pub enum On<'a> {
    Pool(&'a Db),
    Tx(&'a mut Tx),
}

impl<'a> From<&'a Db> for On<'a> {
    fn from(db: &'a Db) -> Self {
        Self::Pool(db)
    }
}

impl<'a> From<&'a mut Tx> for On<'a> {
    fn from(tx: &'a mut Tx) -> Self {
        Self::Tx(tx)
    }
}

#[derive(Debug)]
pub enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    pub fn get<T: Column>(&self, name: &str) -> Result<T> {
        T::read(self, name)
    }
}

/// A struct that a row becomes; made by [`row!`].
pub trait FromRow: Sized {
    fn from_row(row: &Row) -> Result<Self>;
}

/// A type a column is read as.
pub trait Column: Sized {
    fn read(row: &Row, name: &str) -> Result<Self>;
}

macro_rules! column {
    ($($ty:ty),*) => {$(
        impl Column for $ty {
            fn read(row: &Row, name: &str) -> Result<Self> {
                match row {
                    Row::Sqlite(row) => row.try_get(name),
                    Row::Postgres(row) => row.try_get(name),
                }
                .map_err(|e| Error::Column { column: name.to_owned(), reason: e.to_string() })
            }
        }
    )*};
}
column!(String, i64, bool, Vec<u8>, Option<String>, Option<i64>, Option<bool>, Option<Vec<u8>>);

/// Reads a column through its text form. Ids and states use it.
pub fn read_text<T: FromStr<Err: std::fmt::Display>>(row: &Row, name: &str) -> Result<T> {
    row.get::<String>(name)?
        .parse()
        .map_err(|e: T::Err| Error::Column { column: name.to_owned(), reason: e.to_string() })
}

/// The same, for a column that may be null.
pub fn read_optional_text<T: FromStr<Err: std::fmt::Display>>(row: &Row, name: &str) -> Result<Option<T>> {
    row.get::<Option<String>>(name)?
        .map(|text| text.parse())
        .transpose()
        .map_err(|e: T::Err| Error::Column { column: name.to_owned(), reason: e.to_string() })
}

/// A column of JSON text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> Column for Json<T> {
    fn read(row: &Row, name: &str) -> Result<Self> {
        serde_json::from_str(&row.get::<String>(name)?)
            .map(Json)
            .map_err(|e| Error::Column { column: name.to_owned(), reason: e.to_string() })
    }
}

impl<T: Serialize> From<Json<T>> for Value {
    fn from(json: Json<T>) -> Self {
        // Our own types always serialise: no map with keys that are not text, no failing `Serialize`.
        Self::Text(Some(serde_json::to_string(&json.0).unwrap_or_default()))
    }
}

macro_rules! value {
    ($($ty:ty => $arm:ident, |$v:ident| $convert:expr;)*) => {$(
        impl From<$ty> for Value {
            fn from($v: $ty) -> Self { Self::$arm(Some($convert)) }
        }
        impl From<Option<$ty>> for Value {
            fn from(v: Option<$ty>) -> Self { Self::$arm(v.map(|$v| $convert)) }
        }
    )*};
}
value! {
    &str => Text, |v| v.to_owned();
    String => Text, |v| v;
    &String => Text, |v| v.clone();
    i64 => Integer, |v| v;
    bool => Boolean, |v| v;
    Vec<u8> => Bytes, |v| v;
    &[u8] => Bytes, |v| v.to_vec();
}

/// One page of a list: rows, and the cursor (the last row's id) when there are more.
#[derive(Debug, Clone)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page from `limit + 1` rows asked for.
    pub fn from_rows(mut items: Vec<T>, limit: usize, cursor: impl Fn(&T) -> String) -> Self {
        let next = if items.len() > limit {
            items.truncate(limit);
            items.last().map(cursor)
        } else {
            None
        };
        Self { items, next }
    }
}

impl Query {
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// PostgreSQL's text holds no NUL, SQLite's does: what one engine cannot keep, the other does not either.
    fn check(&self) -> Result<()> {
        let has_nul = |value: &Value| matches!(value, Value::Text(Some(text)) if text.contains('\0'));
        if self.values.iter().any(has_nul) {
            return Err(Error::Nul { statement: self.text });
        }
        Ok(())
    }

    /// All rows.
    pub async fn all<T: FromRow>(self, on: impl Into<On<'_>>) -> Result<Vec<T>> {
        self.check()?;
        let statement = self.text;
        let failed = |source| Error::Statement { statement, source };
        match on.into() {
            On::Pool(db) => match &db.pools {
                Pools::Sqlite { readers, .. } => {
                    read(self.sqlite().fetch_all(readers).await.map_err(failed)?, Row::Sqlite)
                }
                Pools::Postgres(pool) => {
                    read(self.postgres().fetch_all(pool).await.map_err(failed)?, Row::Postgres)
                }
            },
            On::Tx(tx) => match &mut tx.on {
                Begun::Sqlite(tx) => {
                    read(self.sqlite().fetch_all(&mut **tx).await.map_err(failed)?, Row::Sqlite)
                }
                Begun::Postgres(tx) => {
                    read(self.postgres().fetch_all(&mut **tx).await.map_err(failed)?, Row::Postgres)
                }
            },
        }
    }

    /// The row, when there is one.
    pub async fn optional<T: FromRow>(self, on: impl Into<On<'_>>) -> Result<Option<T>> {
        Ok(self.all(on).await?.into_iter().next())
    }

    /// Runs a statement that returns no rows; answers how many rows it touched.
    pub async fn execute(self, tx: &mut Tx) -> Result<u64> {
        self.check()?;
        let statement = self.text;
        match &mut tx.on {
            Begun::Sqlite(tx) => self.sqlite().execute(&mut **tx).await.map(|done| done.rows_affected()),
            Begun::Postgres(tx) => self.postgres().execute(&mut **tx).await.map(|done| done.rows_affected()),
        }
        .map_err(|source| Error::Statement { statement, source })
    }

    fn sqlite(self) -> sqlx::query::Query<'static, sqlx::Sqlite, SqliteArguments> {
        self.values.into_iter().fold(sqlx::query(self.text), |query, value| match value {
            Value::Text(v) => query.bind(v),
            Value::Integer(v) => query.bind(v),
            Value::Boolean(v) => query.bind(v),
            Value::Bytes(v) => query.bind(v),
        })
    }

    fn postgres(self) -> sqlx::query::Query<'static, sqlx::Postgres, PgArguments> {
        self.values.into_iter().fold(sqlx::query(self.text), |query, value| match value {
            Value::Text(v) => query.bind(v),
            Value::Integer(v) => query.bind(v),
            Value::Boolean(v) => query.bind(v),
            Value::Bytes(v) => query.bind(v),
        })
    }
}

fn read<R, T: FromRow>(rows: Vec<R>, row: impl Fn(R) -> Row) -> Result<Vec<T>> {
    rows.into_iter().map(|it| T::from_row(&row(it))).collect()
}

/// Makes a struct a row: every named field is the column of the same name.
macro_rules! row {
    ($ty:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::store::FromRow for $ty {
            fn from_row(row: &$crate::store::Row) -> $crate::store::Result<Self> {
                Ok(Self { $($field: row.get(stringify!($field))?),+ })
            }
        }
    };
}
pub(crate) use row;

//! What PostgreSQL stores as a UUID and the others as 16 bytes, and what all but a connection to several databases
//! store as JSON.

use backends::{System, system};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::serialize::{self, Output, ToSql};
use uuid::Uuid;

/// A key that the application makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = StoredId)]
pub(crate) struct Id(pub(crate) Uuid);

pub(crate) use document::{Document, JSON, StoredDocument};
pub(crate) use id::StoredId;

/// The type of a key in SQL.
pub(crate) fn bytes() -> &'static str {
    match system() {
        System::Postgres if cfg!(feature = "multi") => "BYTEA",
        System::Postgres => "UUID",
        System::Mysql => "BINARY(16)",
        System::Sqlite => "BLOB",
    }
}

#[cfg(all(feature = "postgres", not(feature = "multi")))]
mod id {
    use super::*;

    pub(crate) use diesel::sql_types::Uuid as StoredId;

    impl<DB: Backend> FromSql<StoredId, DB> for Id
    where
        Uuid: FromSql<StoredId, DB>,
    {
        fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
            Uuid::from_sql(bytes).map(Id)
        }
    }

    impl<DB: Backend> ToSql<StoredId, DB> for Id
    where
        Uuid: ToSql<StoredId, DB>,
    {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
            self.0.to_sql(out)
        }
    }
}

#[cfg(not(all(feature = "postgres", not(feature = "multi"))))]
mod id {
    use super::*;

    pub(crate) use diesel::sql_types::Binary as StoredId;

    impl<DB: Backend> FromSql<StoredId, DB> for Id
    where
        Vec<u8>: FromSql<StoredId, DB>,
    {
        fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
            let bytes = Vec::<u8>::from_sql(bytes)?;
            Ok(Id(Uuid::from_slice(&bytes)?))
        }
    }

    impl<DB: Backend> ToSql<StoredId, DB> for Id
    where
        [u8]: ToSql<StoredId, DB>,
    {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
            self.0.as_bytes().as_slice().to_sql(out)
        }
    }
}

#[cfg(not(feature = "multi"))]
mod document {
    use super::*;

    pub(crate) use diesel::sql_types::Json as StoredDocument;

    pub(crate) const JSON: &str = "JSON";

    #[derive(Debug, Clone, PartialEq, AsExpression, FromSqlRow)]
    #[diesel(sql_type = StoredDocument)]
    pub(crate) struct Document(serde_json::Value);

    impl Document {
        pub(crate) fn of(value: serde_json::Value) -> Self {
            Document(value)
        }
    }

    impl<DB: Backend> FromSql<StoredDocument, DB> for Document
    where
        serde_json::Value: FromSql<StoredDocument, DB>,
    {
        fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
            serde_json::Value::from_sql(bytes).map(Document)
        }
    }

    impl<DB: Backend> ToSql<StoredDocument, DB> for Document
    where
        serde_json::Value: ToSql<StoredDocument, DB>,
    {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
            self.0.to_sql(out)
        }
    }
}

/// `MultiConnection` has no JSON, so that it is text.
#[cfg(feature = "multi")]
mod document {
    use super::*;

    pub(crate) use diesel::sql_types::Text as StoredDocument;

    pub(crate) const JSON: &str = "VARCHAR(200)";

    #[derive(Debug, Clone, PartialEq, AsExpression, FromSqlRow)]
    #[diesel(sql_type = StoredDocument)]
    pub(crate) struct Document(String);

    impl Document {
        pub(crate) fn of(value: serde_json::Value) -> Self {
            Document(value.to_string())
        }
    }

    impl<DB: Backend> FromSql<StoredDocument, DB> for Document
    where
        String: FromSql<StoredDocument, DB>,
    {
        fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
            String::from_sql(bytes).map(Document)
        }
    }

    impl<DB: Backend> ToSql<StoredDocument, DB> for Document
    where
        str: ToSql<StoredDocument, DB>,
    {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
            self.0.as_str().to_sql(out)
        }
    }
}

//! The types that all tables share, readable and writable on both databases: ids, and time in UTC.
//!
//! PostgreSQL stores them as `uuid` and `timestamptz`. SQLite stores a UUID as a 16-byte blob and a
//! time as text of fixed width (`2026-11-23 20:50:32.123456`), so that both sort correctly.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::HasSqlType;
use diesel::sqlite::{Sqlite, SqliteValue};
use serde::{Deserialize, Serialize};

use super::connection::MultiBackend;
use crate::clock::Timestamp;

/// The SQL types of the columns. They have the names of Diesel's own, so that the output of
/// Diesel's schema printer for PostgreSQL can be used unchanged.
pub mod sql {
    use diesel::query_builder::QueryId;
    use diesel::sql_types::ops::{Add, Sub};
    use diesel::sql_types::{Interval, SqlType};

    /// `uuid` on PostgreSQL, a 16-byte blob on SQLite.
    #[derive(Debug, Clone, Copy, SqlType, QueryId)]
    #[diesel(
        postgres_type(oid = 2950, array_oid = 2951),
        sqlite_type(name = "Binary")
    )]
    pub struct Uuid;

    /// `timestamptz` on PostgreSQL, text of fixed width on SQLite.
    #[derive(Debug, Clone, Copy, SqlType, QueryId)]
    #[diesel(
        postgres_type(oid = 1184, array_oid = 1185),
        sqlite_type(name = "Text")
    )]
    pub struct Timestamptz;

    // `table!` requires the operators of PostgreSQL's type of that name.
    impl Add for Timestamptz {
        type Rhs = Interval;
        type Output = Self;
    }

    impl Sub for Timestamptz {
        type Rhs = Interval;
        type Output = Self;
    }
}

impl HasSqlType<sql::Uuid> for MultiBackend {
    fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
        Self::lookup_sql_type::<sql::Uuid>(lookup)
    }
}

impl HasSqlType<sql::Timestamptz> for MultiBackend {
    fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
        Self::lookup_sql_type::<sql::Timestamptz>(lookup)
    }
}

/// Declares the id type of one table's rows: a UUID that can't be confused with another table's.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
            AsExpression, FromSqlRow,
        )]
        #[diesel(sql_type = sql::Uuid)]
        #[serde(transparent)]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// Returns an id for a row created at `at`: a UUID of version 7 (RFC 9562), so that ids
            /// sort by creation time.
            pub fn new(at: Timestamp) -> Self {
                let seconds = u64::try_from(at.timestamp()).unwrap_or_default();
                let moment = uuid::Timestamp::from_unix_time(seconds, at.timestamp_subsec_nanos(), 0, 0);
                Self(uuid::Uuid::new_v7(moment))
            }

            /// Returns the least id that a row created at `at` can have.
            pub fn first_at(at: Timestamp) -> Self {
                let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default();
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid())
            }

            /// Returns the id with these bytes.
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(uuid::Uuid::from_bytes(bytes))
            }

            /// Returns the 16 bytes of the id.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl ToSql<sql::Uuid, Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                std::io::Write::write_all(out, self.0.as_bytes())?;
                Ok(IsNull::No)
            }
        }

        impl ToSql<sql::Uuid, Sqlite> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
                out.set_value(self.0.as_bytes().as_slice());
                Ok(IsNull::No)
            }
        }

        impl ToSql<sql::Uuid, MultiBackend> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
                out.set_value((sql::Uuid, self));
                Ok(IsNull::No)
            }
        }

        impl FromSql<sql::Uuid, Pg> for $name {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                Ok(Self(uuid::Uuid::from_slice(value.as_bytes())?))
            }
        }

        impl FromSql<sql::Uuid, Sqlite> for $name {
            fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
                Ok(Self(uuid::Uuid::from_slice(value.read_blob())?))
            }
        }

        impl FromSql<sql::Uuid, MultiBackend> for $name {
            fn from_sql(value: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                value.from_sql::<Self, sql::Uuid>()
            }
        }
    };
}

id! {
    /// The id of a person.
    UserId
}
id! {
    /// The id of one session: one sign-in on one device.
    SessionId
}
id! {
    /// The id of an application.
    ApplicationId
}

impl ApplicationId {
    /// The application of people from before there were applications ("Earlier").
    pub const EARLIER: Self = Self(uuid::Uuid::from_u128(0x7000_8000_0000_0000_0000));
}

id! {
    /// The id of an application's API key.
    ApiKeyId
}
id! {
    /// The id of an event.
    EventId
}
id! {
    /// The id of a bulk job.
    JobId
}
id! {
    /// The id of an order for a bulk job, from before it is made.
    OrderId
}
id! {
    /// The id of a change that is not added to the counters' totals yet.
    CountDeltaId
}
id! {
    /// The id of a node, which each start makes anew.
    NodeId
}
id! {
    /// The id of an alert.
    AlertId
}
id! {
    /// The id of a message in the mail queue.
    MailId
}
id! {
    /// The id of the row that a message in the mail queue is about, of whichever table.
    MailSubjectId
}
id! {
    /// The id of a verification of an e-mail address.
    VerificationId
}
id! {
    /// The id of a former e-mail address of a person.
    FormerEmailId
}
id! {
    /// The id of a link that resets a password.
    ResetId
}
id! {
    /// The id of a link in a message: that of what it is about, of whichever table.
    LinkId
}

/// Lets a link be found by the id of what it is about.
macro_rules! link_of {
    ($($id:ident)*) => {
        $(impl From<$id> for LinkId {
            fn from(id: $id) -> Self {
                Self(id.0)
            }
        })*
    };
}

link_of! { AlertId MailId VerificationId ResetId }

/// Lets Diesel bind and read a [`Timestamp`], whose module is independent of the database.
#[derive(AsExpression, FromSqlRow)]
#[diesel(foreign_derive, sql_type = sql::Timestamptz)]
#[expect(
    dead_code,
    reason = "the derives implement Diesel's traits for the field's type"
)]
struct TimestampProxy(Timestamp);

const SQLITE_FORMAT: &str = "%Y-%m-%d %H:%M:%S%.6f";
/// The formats that are read: other programs may have written a `T`, or no fraction.
const SQLITE_READ_FORMATS: [&str; 2] = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"];

impl ToSql<sql::Timestamptz, Sqlite> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.format(SQLITE_FORMAT).to_string());
        Ok(IsNull::No)
    }
}

impl FromSql<sql::Timestamptz, Sqlite> for Timestamp {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let text = value.read_text();
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::from(at.to_utc()));
        }
        SQLITE_READ_FORMATS
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
            .map(|at| Self::from(at.and_utc()))
            .ok_or_else(|| format!("{text:?} is not a time").into())
    }
}

impl ToSql<sql::Timestamptz, Pg> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let micros = self
            .timestamp_micros()
            .saturating_sub(POSTGRES_EPOCH_MICROS);
        std::io::Write::write_all(out, &micros.to_be_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<sql::Timestamptz, Pg> for Timestamp {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let micros = i64::from_be_bytes(value.as_bytes().try_into()?);
        // `infinity` and times beyond the year 9999 are the nearest that a `Timestamp` can be.
        Ok(Self::clamped(micros.saturating_add(POSTGRES_EPOCH_MICROS)))
    }
}

/// PostgreSQL's epoch, 2000-01-01T00:00:00Z, in microseconds since the Unix epoch.
const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

impl ToSql<sql::Timestamptz, MultiBackend> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
        out.set_value((sql::Timestamptz, self));
        Ok(IsNull::No)
    }
}

impl FromSql<sql::Timestamptz, MultiBackend> for Timestamp {
    fn from_sql(value: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        value.from_sql::<Self, sql::Timestamptz>()
    }
}

/// Implements reading a type with `FromStr` from a text column.
macro_rules! read_from_text {
    ($type:ty) => {
        impl<DB> diesel::deserialize::FromSql<diesel::sql_types::Text, DB> for $type
        where
            DB: diesel::backend::Backend,
            String: diesel::deserialize::FromSql<diesel::sql_types::Text, DB>,
        {
            fn from_sql(value: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                Ok(String::from_sql(value)?.parse()?)
            }
        }

        impl<DB> diesel::deserialize::Queryable<diesel::sql_types::Text, DB> for $type
        where
            DB: diesel::backend::Backend,
            Self: diesel::deserialize::FromSql<diesel::sql_types::Text, DB>,
        {
            type Row = Self;

            fn build(row: Self) -> diesel::deserialize::Result<Self> {
                Ok(row)
            }
        }
    };
}
pub(crate) use read_from_text;

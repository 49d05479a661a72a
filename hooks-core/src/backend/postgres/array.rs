//! Lists of values as arrays.

use std::fmt;
use std::io::Write;

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::AstPass;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{Array, HasSqlType};

use crate::backend::statements::{List, Lists, PushArray};
use crate::diesel_internals::{RawBytesBindCollector, collect_values, sent};

impl<ST: 'static> Lists<ST> for Pg
where
    Pg: HasSqlType<ST>,
{
    const ARRAY: Option<PushArray<Pg>> = Some(push::<ST>);
}

fn push<'b, ST: 'static>(mut out: AstPass<'_, 'b, Pg>, list: &'b dyn List<Pg>) -> QueryResult<()>
where
    Pg: HasSqlType<ST>,
{
    out.push_bind_param::<Array<ST>, _>(list)
}

impl fmt::Debug for dyn List<Pg> + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of {}", self.values().len())
    }
}

/// As `array_recv` of PostgreSQL reads it. Diesel hides the values in its expressions, so that its own array
/// of them cannot be made; it shows what is sent of each.
impl<ST: 'static> ToSql<Array<ST>, Pg> for dyn List<Pg> + '_
where
    Pg: HasSqlType<ST>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let values = self.values();
        let mut collected = RawBytesBindCollector::new();
        for value in &values {
            collect_values(&Pg, *value, &mut collected, out.metadata_lookup())?;
        }
        let sent = sent(collected);
        if sent.len() != values.len() {
            return Err("a key is sent as more or less than one value".into());
        }
        let element = <Pg as HasSqlType<ST>>::metadata(out.metadata_lookup()).oid()?;
        let (dimensions, has_nulls, lower_bound) = (1, sent.contains(&None), 1);
        out.write_all(&i32::to_be_bytes(dimensions))?;
        out.write_all(&i32::to_be_bytes(has_nulls.into()))?;
        out.write_all(&element.to_be_bytes())?;
        out.write_all(&i32::try_from(values.len())?.to_be_bytes())?;
        out.write_all(&i32::to_be_bytes(lower_bound))?;
        for value in sent {
            match value {
                None => out.write_all(&(-1_i32).to_be_bytes())?,
                Some(bytes) => {
                    out.write_all(&i32::try_from(bytes.len())?.to_be_bytes())?;
                    out.write_all(&bytes)?;
                }
            }
        }
        Ok(IsNull::No)
    }
}

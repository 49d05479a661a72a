//! Reading people from a CSV file.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use chrono::NaiveDate;
use csv::StringRecord;

use super::{Failure, Gender, NewEmployee, Team};

pub(crate) struct Line {
    pub(crate) number: u64,
    pub(crate) person: Result<Person, BadField>,
}

pub(crate) struct Person {
    pub(crate) employee: NewEmployee,
    pub(crate) details: Details,
}

/// What the file says about a person beside what an employee needs.
pub(crate) struct Details {
    pub(crate) date_of_birth: NaiveDate,
    pub(crate) team: Team,
    pub(crate) gender: Gender,
    pub(crate) address: String,
}

/// The lines of the file, each with the person in it, or what is wrong with it.
pub(crate) fn lines(file: &Path) -> Result<Vec<Line>, Failure> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(file)?;
    let headers = reader.headers()?.clone();
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = record?;
        let position = record.position().expect("a record that was read has one");
        lines.push(Line {
            number: position.line(),
            person: person(&headers, &record),
        });
    }
    Ok(lines)
}

fn person(headers: &StringRecord, record: &StringRecord) -> Result<Person, BadField> {
    let employee = NewEmployee {
        first_name: field(headers, record, "first_name")?,
        last_name: field(headers, record, "last_name")?,
        email: field(headers, record, "email")?,
        phone: field(headers, record, "phone")?,
    };
    let details = Details {
        date_of_birth: field(headers, record, "date_of_birth")?,
        team: field(headers, record, "team")?,
        gender: field(headers, record, "gender")?,
        address: field(headers, record, "address")?,
    };
    Ok(Person { employee, details })
}

fn field<T>(
    headers: &StringRecord,
    record: &StringRecord,
    name: &'static str,
) -> Result<T, BadField>
where
    T: FromStr<Err: Into<Failure>>,
{
    headers
        .iter()
        .position(|header| header == name)
        .and_then(|column| record.get(column))
        .ok_or_else(|| Failure::from("there is no such column"))
        .and_then(|text| text.parse().map_err(Into::into))
        .map_err(|why| BadField { name, why })
}

/// A field that is not there or cannot be read.
#[derive(Debug)]
pub(crate) struct BadField {
    name: &'static str,
    why: Failure,
}

impl fmt::Display for BadField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.why)
    }
}

impl std::error::Error for BadField {}

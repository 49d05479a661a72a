//! Each rule reads a text as what it has to be. Validation asks whether that works, and the form then uses what came out.

use chrono::{NaiveDate, Utc};
use garde::Error;
use garde::rules::email::parse_email;

use crate::password::Password;

type Read<T> = Result<T, Error>;

/// For `#[garde(custom(..))]`: whether the text can be read.
pub(super) fn read_by<T>(rule: fn(&str) -> Read<T>) -> impl FnOnce(&str, &()) -> garde::Result {
    move |text, ()| rule(text).map(drop)
}

pub(super) fn username(text: &str) -> Read<String> {
    let name = text.trim();
    let is_allowed = |it: char| it.is_ascii_alphanumeric() || "._-".contains(it);
    if !(3..=30).contains(&name.chars().count()) {
        return Err(Error::new("Choose a user name of 3 to 30 characters."));
    }
    if !name.starts_with(|it: char| it.is_ascii_alphabetic()) || !name.chars().all(is_allowed) {
        return Err(Error::new(
            "A user name begins with a letter and has letters, digits, dots, hyphens and underscores.",
        ));
    }
    Ok(name.into())
}

pub(super) fn email(text: &str) -> Read<String> {
    let address = text.trim();
    match address.len() <= 254 && parse_email(address).is_ok() {
        true => Ok(address.into()),
        false => Err(Error::new(
            "Write an e-mail address, such as name@example.org.",
        )),
    }
}

/// Long ones are refused, because hashing them takes its time.
pub(super) fn password(password: &Password, (): &()) -> garde::Result {
    match password.len() {
        8..=128 => Ok(()),
        0..8 => Err(Error::new("Choose a password of at least 8 characters.")),
        _ => Err(Error::new("Choose a password of at most 128 characters.")),
    }
}

pub(super) fn same_as(first: &Password) -> impl FnOnce(&Password, &()) -> garde::Result {
    move |again, ()| match again.is_same_as(first) {
        true => Ok(()),
        false => Err(Error::new("This is not the same password as above.")),
    }
}

pub(super) fn not_empty(text: &str) -> Read<String> {
    match text.trim() {
        "" => Err(Error::new("This has to be filled in.")),
        text if text.chars().count() > 100 => Err(Error::new("Write 100 characters or fewer.")),
        text => Ok(text.into()),
    }
}

pub(super) fn optional_text(text: &str) -> Read<Option<String>> {
    match text.trim() {
        "" => Ok(None),
        text => not_empty(text).map(Some),
    }
}

pub(super) fn handle(text: &str) -> Read<Option<String>> {
    match text.trim() {
        "" => Ok(None),
        text if text.chars().count() > 64 => Err(Error::new("A handle has 64 characters at most.")),
        text if text.contains(|it: char| it.is_whitespace() || it.is_control()) => {
            Err(Error::new("A handle has no spaces."))
        }
        text => Ok(Some(text.into())),
    }
}

pub(super) fn birthdate(text: &str) -> Read<Option<NaiveDate>> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let first = NaiveDate::from_ymd_opt(1900, 1, 1).expect("there was that day");
    match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        Err(_) => Err(Error::new(
            "Write the date as year-month-day, such as 1990-12-31.",
        )),
        Ok(date) if date < first => Err(Error::new("Write a date after 1900.")),
        Ok(date) if date > Utc::now().date_naive() => {
            Err(Error::new("This date is in the future."))
        }
        Ok(date) => Ok(Some(date)),
    }
}

/// As E.164, however it was grouped.
pub(super) fn phone(text: &str) -> Read<Option<String>> {
    use phonenumber::Mode::E164;

    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    match phonenumber::parse(None, text) {
        Ok(number) if number.is_valid() => Ok(Some(number.format().mode(E164).to_string())),
        _ => Err(Error::new(
            "Write a phone number with its country, such as +44 20 7946 0018.",
        )),
    }
}

pub(super) fn key(text: &str) -> Read<i32> {
    let key = text.trim().parse();
    key.map_err(|_| Error::new("Write the number of the row."))
}

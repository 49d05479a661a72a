//! The tables, and the people in them.
//!
//! A relation belongs to its table, so each way of creating a profile along with its parent has a
//! pair of tables of its own, and nothing depends on `employees`. The names of the three are as
//! long as each other where they are compared: Diesel's statement cache may be keyed by SQL text.

use std::ops::Range;

diesel::table! {
    employees {
        id -> Integer,
        first_name -> Text,
        last_name -> Text,
        email -> Text,
        phone -> Text,
    }
}

diesel::table! {
    staff {
        id -> Integer,
        first_name -> Text,
        last_name -> Text,
        email -> Text,
        phone -> Text,
    }
}

diesel::table! {
    staff_profiles {
        id -> Integer,
        staff_id -> Integer,
        dob -> Nullable<Text>,
        team -> Nullable<Text>,
        address -> Nullable<Text>,
    }
}

diesel::table! {
    cadre {
        id -> Integer,
        first_name -> Text,
        last_name -> Text,
        email -> Text,
        phone -> Text,
    }
}

diesel::table! {
    cadre_profiles {
        id -> Integer,
        cadre_id -> Integer,
        dob -> Nullable<Text>,
        team -> Nullable<Text>,
        address -> Nullable<Text>,
    }
}

diesel::table! {
    clubs {
        id -> Integer,
        name -> Text,
    }
}

diesel::table! {
    members {
        id -> Integer,
        club_id -> Integer,
        name -> Text,
        email -> Text,
    }
}

diesel::table! {
    choirs {
        id -> Integer,
        name -> Text,
    }
}

diesel::table! {
    singers {
        id -> Integer,
        choir_id -> Integer,
        name -> Text,
        email -> Text,
    }
}

pub(crate) const TABLES: &str = "
    CREATE TABLE employees (
        id INTEGER PRIMARY KEY NOT NULL, first_name TEXT NOT NULL, last_name TEXT NOT NULL,
        email TEXT NOT NULL UNIQUE, phone TEXT NOT NULL);
    CREATE TABLE staff (
        id INTEGER PRIMARY KEY NOT NULL, first_name TEXT NOT NULL, last_name TEXT NOT NULL,
        email TEXT NOT NULL UNIQUE, phone TEXT NOT NULL);
    CREATE TABLE staff_profiles (
        id INTEGER PRIMARY KEY NOT NULL, staff_id INTEGER NOT NULL UNIQUE REFERENCES staff (id),
        dob TEXT, team TEXT, address TEXT);
    CREATE TABLE cadre (
        id INTEGER PRIMARY KEY NOT NULL, first_name TEXT NOT NULL, last_name TEXT NOT NULL,
        email TEXT NOT NULL UNIQUE, phone TEXT NOT NULL);
    CREATE TABLE cadre_profiles (
        id INTEGER PRIMARY KEY NOT NULL, cadre_id INTEGER NOT NULL UNIQUE REFERENCES cadre (id),
        dob TEXT, team TEXT, address TEXT);
    CREATE TABLE clubs (id INTEGER PRIMARY KEY NOT NULL, name TEXT NOT NULL);
    CREATE TABLE members (
        id INTEGER PRIMARY KEY NOT NULL, club_id INTEGER NOT NULL REFERENCES clubs (id),
        name TEXT NOT NULL, email TEXT NOT NULL);
    CREATE INDEX members_by_club ON members (club_id);
    CREATE TABLE choirs (id INTEGER PRIMARY KEY NOT NULL, name TEXT NOT NULL);
    CREATE TABLE singers (
        id INTEGER PRIMARY KEY NOT NULL, choir_id INTEGER NOT NULL REFERENCES choirs (id),
        name TEXT NOT NULL, email TEXT NOT NULL);
    CREATE INDEX singers_by_choir ON singers (choir_id);
";

pub(crate) struct Person {
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) email: String,
    pub(crate) phone: String,
}

pub(crate) fn people(numbers: Range<usize>) -> impl Iterator<Item = Person> {
    numbers.map(|n| Person {
        first_name: format!("First{n}"),
        last_name: format!("Last{n}"),
        email: format!("employee{n}@example.org"),
        phone: format!("+49 30 {n:06}"),
    })
}

/// A phone number that nobody among `people` has.
pub(crate) fn other_phone(id: i32) -> String {
    format!("+44 20 {id:06}")
}

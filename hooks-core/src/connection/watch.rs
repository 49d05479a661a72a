//! What became of the outermost transaction of an operation on MySQL, where some errors end it and so do some
//! statements, and afterwards nothing tells which it was.

use std::fmt::{self, Display, Write};

/// What is known of a transaction that we began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Watch {
    /// Nobody asks.
    Off,
    /// No statement in it can have ended it.
    Whole,
    /// The database ended it by an error, and nothing that writes was sent since.
    Ended,
    /// Some of it may have been committed.
    Unknown,
}

impl Watch {
    /// What is known when this is sent.
    pub(super) fn sent(self, query: &dyn Display) -> Self {
        let stays = match self {
            Watch::Off | Watch::Unknown => true,
            Watch::Whole => is(query, |word, sql| match word {
                "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "REPLACE" | "WITH" | "DO"
                | "SAVEPOINT" | "RELEASE" => true,
                "ROLLBACK" => sql.contains(" TO "),
                // A variable of the application's own; anything else may commit.
                "SET" => {
                    let name = sql.trim_start()[3..].trim_start();
                    name.starts_with('@') && !name.starts_with("@@")
                }
                _ => false,
            }),
            Watch::Ended => is(query, |word, _| {
                matches!(word, "SELECT" | "ROLLBACK" | "RELEASE" | "SAVEPOINT")
            }),
        };
        if stays { self } else { Watch::Unknown }
    }

    /// What is known when an error has ended the transaction.
    pub(super) fn ended(self) -> Self {
        match self {
            Watch::Whole => Watch::Ended,
            other => other,
        }
    }

    /// What is known when the transaction was given up, and another begun in its place.
    pub(super) fn given_up(self) -> Self {
        match self {
            Watch::Whole => Watch::Unknown,
            other => other,
        }
    }
}

/// Whether this goes back to a savepoint: after an error PostgreSQL answers again then.
pub(super) fn goes_back(query: &dyn Display) -> bool {
    is(query, |word, sql| {
        word == "ROLLBACK" && sql.to_ascii_uppercase().contains(" TO ")
    })
}

/// Whether this can be said of the one statement, with its first word.
fn is(query: &dyn Display, what: impl Fn(&str, &str) -> bool) -> bool {
    let mut sql = Sql(String::new());
    // An error says that the text is there.
    let _ = write!(sql, "{query}");
    let first = sql.0.trim_start_matches(['(', ' ', '\n', '\t']);
    let word = first.split(|it: char| !it.is_ascii_alphabetic()).next();
    let one = sql.0.trim_end_matches([';', ' ', '\n', '\t']);
    !one.contains(';') && what(&word.unwrap_or_default().to_ascii_uppercase(), &sql.0)
}

/// What Diesel shows of a statement first is its text; the values come next, which nobody has to see.
struct Sql(String);

impl Write for Sql {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.push_str(text);
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::{Watch, goes_back};

    #[test]
    fn what_may_commit_is_told_from_what_cannot() {
        let after = |sql: &str| Watch::Whole.sent(&sql);
        for sql in [
            "SELECT 1",
            "insert into a values (1)",
            "  (SELECT 1)",
            "SET @a = 1",
        ] {
            assert_eq!(after(sql), Watch::Whole, "{sql}");
        }
        for sql in [
            "COMMIT",
            "SELECT 1; COMMIT",
            "CREATE TABLE a (b INT)",
            "ROLLBACK",
            "set autocommit = 1",
            "SET @@autocommit = 1",
            "SET PASSWORD = 'a'",
        ] {
            assert_eq!(after(sql), Watch::Unknown, "{sql}");
        }
        assert_eq!(after("ROLLBACK TO SAVEPOINT a").ended(), Watch::Ended);
        assert_eq!(after("SELECT 1; "), Watch::Whole);
        assert_eq!(Watch::Unknown.ended(), Watch::Unknown);
        assert_eq!(Watch::Ended.sent(&"ROLLBACK"), Watch::Ended);
        assert_eq!(
            Watch::Ended.sent(&"INSERT INTO a VALUES (1)"),
            Watch::Unknown
        );
    }
    #[test]
    fn what_goes_back_to_a_savepoint_is_told_from_what_ends_the_transaction() {
        for sql in ["ROLLBACK TO SAVEPOINT a", "rollback transaction to a;"] {
            assert!(goes_back(&sql), "{sql}");
        }
        for sql in [
            "ROLLBACK",
            "COMMIT",
            "SELECT 1",
            "ROLLBACK TO a; COMMIT",
            "SAVEPOINT a",
        ] {
            assert!(!goes_back(&sql), "{sql}");
        }
    }
}

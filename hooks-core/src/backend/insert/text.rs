//! INSERTs that can take more rows.
//!
//! A statement says of itself whether it can: the text that Diesel makes of it ends in `VALUES (?, .., ?)`.

use crate::backend::Dialect;
use crate::backend::names::unquote;

/// What stands before the row.
const BEFORE: &str = ") VALUES ";

/// The text of an INSERT that can take more rows.
pub(super) struct Text {
    sql: String,
    /// Where the row begins.
    row: usize,
}

impl Text {
    /// Nothing, if the statement inserts anything but one row of values.
    pub(super) fn of(sql: String) -> Option<Self> {
        let row = sql.rfind(BEFORE)? + BEFORE.len();
        let text = Text { sql, row };
        text.row().strip_prefix('(')?.strip_suffix(')')?;
        let takes_more = text.parts().all(is_value);
        takes_more.then_some(text)
    }

    pub(super) fn is(&self, sql: &str) -> bool {
        self.sql == sql
    }

    /// What stands before the first row.
    pub(super) fn head(&self) -> &str {
        &self.sql[..self.row]
    }

    pub(super) fn row(&self) -> &str {
        &self.sql[self.row..]
    }

    /// How many values the row binds.
    pub(super) fn values(&self) -> usize {
        self.parts().filter(|it| is_bind(it)).count()
    }

    /// What stands for each value of the row.
    pub(super) fn parts(&self) -> impl Iterator<Item = &str> {
        let row = self.row();
        row[1..row.len() - 1].split(", ")
    }

    /// The columns' names.
    pub(super) fn columns<DB: Dialect>(&self, backend: &DB) -> Vec<String> {
        let end = self.row - BEFORE.len();
        let columns = self.opens(backend).map_or("", |at| &self.sql[at + 1..end]);
        unquote(columns, ',', backend.system().quote())
    }

    /// What stands before the columns.
    pub(super) fn insert_into<DB: Dialect>(&self, backend: &DB) -> &str {
        let head = self.opens(backend).map_or("", |at| &self.sql[..at]);
        head.trim_end()
    }

    /// Where the columns begin.
    fn opens<DB: Dialect>(&self, backend: &DB) -> Option<usize> {
        let quote = backend.system().quote();
        let mut quoted = false;
        self.sql.find(|letter| {
            quoted ^= letter == quote;
            letter == '(' && !quoted
        })
    }
}

fn is_value(part: &str) -> bool {
    is_bind(part) || part == "DEFAULT"
}

/// `?`, or the number of one, which differs in each row.
fn is_bind(part: &str) -> bool {
    let number = |it: &str| it.bytes().all(|digit| digit.is_ascii_digit());
    part == "?" || part.strip_prefix('$').is_some_and(number)
}

#[cfg(test)]
mod tests {
    use super::Text;

    #[test]
    fn only_rows_of_values_can_be_more() {
        let text = |sql: &str| Text::of(sql.to_owned());
        let one = text("INSERT INTO `a` (`x`, `y`) VALUES (?, ?)").expect("a row");
        assert_eq!((one.row(), one.values()), ("(?, ?)", 2));
        let numbered =
            text("INSERT INTO \"a\" (\"x\", \"y\") VALUES ($1, DEFAULT)").expect("a row");
        assert_eq!((numbered.values(), numbered.parts().count()), (1, 2));
        assert!(text("INSERT INTO `a` (`x`) VALUES (?), (?)").is_none());
        assert!(text("INSERT INTO `a` (`x`) VALUES (lower(?))").is_none());
        assert!(text("INSERT INTO `a` DEFAULT VALUES").is_none());
        assert!(text("INSERT INTO `a` (`x`) VALUES (?) ON CONFLICT DO NOTHING").is_none());
    }
}

use std::any::type_name;
use std::fmt;

/// The key of a row, as text.
///
/// A key can be personal, an e-mail address for example. So `Display` and `Debug` show it only if its
/// column is an integer or its value a UUID, and [`Key::reveal`] always does.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    text: String,
    public: bool,
}

impl Key {
    /// The key `value` of columns whose SQL type is `ST`, a tuple if there are several.
    pub(crate) fn of<ST, K: fmt::Debug>(value: &K) -> Self {
        Key {
            text: format!("{value:?}"),
            public: is_integers(type_name::<ST>()) || type_name::<K>() == "uuid::Uuid",
        }
    }

    /// The key's text, whatever it is.
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.public { &self.text } else { "(hidden)" })
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

/// Whether the name is that of an integer SQL type, or of a tuple of them. A name that a later compiler
/// might write otherwise is hidden, which is the safe side.
fn is_integers(sql_type: &str) -> bool {
    let columns = sql_type.trim_start_matches('(').trim_end_matches(')');
    let name = |column: &str| {
        column
            .trim()
            .strip_prefix("diesel::sql_types::")
            .map(String::from)
    };
    columns.trim_end_matches(',').split(',').all(|column| {
        matches!(
            name(column).as_deref(),
            Some("SmallInt" | "Integer" | "BigInt")
        )
    })
}

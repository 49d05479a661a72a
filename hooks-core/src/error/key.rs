use std::any::TypeId;
use std::fmt;

use diesel::sql_types::{BigInt, Integer, SmallInt};

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
    pub(crate) fn new(value: &dyn fmt::Debug, public: bool) -> Self {
        Key {
            text: format!("{value:?}"),
            public,
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

/// Whether values of the SQL type `ST`, held as `T`, may be shown.
pub fn is_public<ST: 'static, T>() -> bool {
    let integers = [
        TypeId::of::<SmallInt>(),
        TypeId::of::<Integer>(),
        TypeId::of::<BigInt>(),
    ];
    integers.contains(&TypeId::of::<ST>()) || std::any::type_name::<T>() == "uuid::Uuid"
}

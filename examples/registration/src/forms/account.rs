use garde::Validate;
use serde::{Deserialize, Serialize};

use super::{Errors, Field, Form, rules};
use crate::accounts::{Account, Details};
use crate::error::Result;
use crate::models::{Person, User};
use crate::password::{Hasher, Password};

const USERNAME: Field = Field::text("username", "User name").autocomplete("username");
const EMAIL: Field = Field::text("email", "E-mail")
    .kind("email")
    .autocomplete("email");
const BIRTHDATE: Field = Field::text("birthdate", "Date of birth")
    .kind("date")
    .autocomplete("bday")
    .optional();
const CHAT_HANDLE: Field = Field::text("chat_handle", "Chat handle")
    .hint("Where others find you to chat.")
    .optional();
const MEETING_HANDLE: Field = Field::text("meeting_handle", "Meeting handle")
    .hint("Where others call you.")
    .optional();
const PHONE: Field = Field::text("phone", "Phone")
    .kind("tel")
    .autocomplete("tel")
    .hint("With its country, such as +44 20 7946 0018.")
    .optional();

/// What makes an account.
#[derive(Debug, Default, Serialize, Deserialize, Validate)]
#[serde(default)]
pub struct Registration {
    #[garde(custom(rules::read_by(rules::username)))]
    username: String,
    #[garde(custom(rules::read_by(rules::email)))]
    email: String,
    #[serde(skip_serializing)]
    #[garde(custom(rules::password))]
    password: Password,
    #[serde(skip_serializing)]
    #[garde(custom(rules::same_as(&self.password)))]
    password_again: Password,
    #[serde(flatten)]
    #[garde(dive)]
    details: Typed,
}

impl Form for Registration {
    const FIELDS: &'static [Field] = &[
        USERNAME.hint("3 to 30 letters, digits, dots, hyphens and underscores."),
        EMAIL,
        Field::text("password", "Password")
            .kind("password")
            .autocomplete("new-password")
            .hint("At least 8 characters."),
        Field::text("password_again", "Password again")
            .kind("password")
            .autocomplete("new-password"),
        BIRTHDATE,
        CHAT_HANDLE,
        PHONE,
    ];
}

impl Registration {
    /// What was typed, as what it means; the password hashed.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`](crate::error::Error::Invalid) if something is not right.
    pub async fn account(&self, hasher: &Hasher) -> Result<Account> {
        self.check()?;
        Ok(Account {
            username: rules::username(&self.username)?,
            email: rules::email(&self.email)?,
            details: self.details.read()?,
            password_hash: hasher.hash(self.password.clone()).await?,
        })
    }
}

/// What logs in.
#[derive(Debug, Default, Serialize, Deserialize, Validate)]
#[serde(default)]
pub struct Login {
    /// As it was typed.
    #[garde(custom(rules::read_by(rules::not_empty)))]
    pub username: String,
    /// As it was typed.
    #[serde(skip_serializing)]
    #[garde(skip)]
    pub password: Password,
}

impl Form for Login {
    const FIELDS: &'static [Field] = &[
        USERNAME,
        Field::text("password", "Password")
            .kind("password")
            .autocomplete("current-password"),
    ];
}

/// What can be changed later.
#[derive(Debug, Default, Serialize, Deserialize, Validate)]
#[serde(default)]
pub struct Profile {
    #[garde(custom(rules::read_by(rules::email)))]
    email: String,
    #[serde(flatten)]
    #[garde(dive)]
    details: Typed,
}

impl Form for Profile {
    const FIELDS: &'static [Field] = &[EMAIL, BIRTHDATE, CHAT_HANDLE, MEETING_HANDLE, PHONE];
}

impl Profile {
    /// As it is stored.
    pub fn of(user: &User, person: &Person) -> Self {
        Profile {
            email: user.email.clone(),
            details: Typed {
                birthdate: person
                    .birthdate
                    .map_or_else(String::new, |it| it.to_string()),
                chat_handle: person.chat_handle.clone().unwrap_or_default(),
                meeting_handle: person.meeting_handle.clone().unwrap_or_default(),
                phone: person.phone.clone().unwrap_or_default(),
            },
        }
    }

    /// The address and the details that were typed.
    ///
    /// # Errors
    ///
    /// [`Errors`] if something is not right.
    pub fn read(&self) -> Result<(String, Details), Errors> {
        self.check()?;
        Ok((rules::email(&self.email)?, self.details.read()?))
    }
}

/// [`Details`] as they are typed.
#[derive(Debug, Default, Serialize, Deserialize, Validate)]
#[serde(default)]
struct Typed {
    #[garde(custom(rules::read_by(rules::birthdate)))]
    birthdate: String,
    #[garde(custom(rules::read_by(rules::handle)))]
    chat_handle: String,
    #[garde(custom(rules::read_by(rules::handle)))]
    meeting_handle: String,
    #[garde(custom(rules::read_by(rules::phone)))]
    phone: String,
}

impl Typed {
    fn read(&self) -> Result<Details, Errors> {
        Ok(Details {
            birthdate: rules::birthdate(&self.birthdate)?,
            chat_handle: rules::handle(&self.chat_handle)?,
            meeting_handle: rules::handle(&self.meeting_handle)?,
            phone: rules::phone(&self.phone)?,
        })
    }
}

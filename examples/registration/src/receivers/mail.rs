//! Welcome mail, which is not sent for a registration that came to nothing.

use std::path::PathBuf;
use std::{fs, io};

use diesel_hooks::prelude::*;

use super::Outside;
use crate::database::AnyConnection;
use crate::models::User;
use crate::random;

/// Sends mail into a folder, a file for each.
#[derive(Debug)]
pub struct Mailer {
    folder: PathBuf,
}

impl Mailer {
    /// Into this folder, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub fn into_folder(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Mailer { folder })
    }

    fn send(&self, to: &str, subject: &str, text: &str) -> io::Result<()> {
        let name = random::hex::<8>()?;
        let unfinished = self.folder.join(format!("{name}.part"));
        let mail = format!("To: {to}\nSubject: {subject}\n\n{text}\n");
        fs::write(&unfinished, mail)?;
        // Whoever watches the folder finds whole mails.
        fs::rename(unfinished, self.folder.join(format!("{name}.eml")))
    }
}

#[receiver(dispatch_uid = "welcome mail")]
fn welcome(event: &PostCreate<User>, conn: &mut AnyConnection) -> diesel_hooks::Result {
    let Some(outside) = Outside::of(conn) else {
        return Ok(());
    };
    let User {
        username, email, ..
    } = event.instance.clone();
    conn.after_commit(move || {
        let text = format!("Hello {username},\n\nyour account is ready.");
        outside.mailer.send(&email, "Welcome", &text)
    })
}

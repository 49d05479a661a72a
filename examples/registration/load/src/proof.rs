//! What has to be true of the database and the mail, whatever happened to the server.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::{fmt, fs, io};

use diesel::prelude::*;
use registration::database::AnyConnection;
use registration::models::{AuditEntry, Person, Session, User};
use registration::schema::{audit_entries, persons, sessions, users};

use crate::crowd::{Outcome, Typed, Visit};

/// What was found; nothing is wrong if [`wrong`](Self::wrong) is empty.
#[derive(Debug, Default)]
pub struct Proof {
    users: usize,
    unanswered: usize,
    unanswered_but_there: usize,
    without_mail: usize,
    unfinished_mails: usize,
    /// What must not be, in a line each.
    pub wrong: Vec<String>,
}

/// Looks at all rows and mails after these visits.
///
/// Of each user there is one person with what was typed, one welcome mail, one session, and who made which of these rows is
/// in the audit; beyond that there is nothing. Who was answered is there. Who was not may be there as well: then as a whole,
/// but perhaps without the mail, or not logged in, which follow after the commit.
///
/// # Errors
///
/// If the database or the folder cannot be read.
pub fn prove(conn: &mut AnyConnection, mail: &Path, visits: &[Visit]) -> Result<Proof, Failed> {
    let mut proof = Proof::default();
    let mails = Mails::read(mail)?;
    let rows = conn.transaction(Rows::load)?;
    proof.unfinished_mails = mails.unfinished;
    proof.compare_visits(&rows, &mails, visits);
    proof.match_one_to_one(&rows);
    proof.compare_entries(&rows);
    Ok(proof)
}

/// Why nothing could be proved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failed {
    /// The database.
    #[error("the database: {0}")]
    Database(#[from] diesel::result::Error),
    /// The folder of mail.
    #[error("the mail: {0}")]
    Io(#[from] io::Error),
}

struct Rows {
    users: Vec<User>,
    persons: Vec<Person>,
    sessions: Vec<Session>,
    entries: Vec<AuditEntry>,
}

impl Rows {
    fn load(conn: &mut AnyConnection) -> QueryResult<Self> {
        Ok(Rows {
            users: users::table.load(conn)?,
            persons: persons::table.load(conn)?,
            sessions: sessions::table.load(conn)?,
            entries: audit_entries::table.load(conn)?,
        })
    }
}

/// How many mails there are to whom.
struct Mails {
    to: BTreeMap<String, usize>,
    unfinished: usize,
}

impl Mails {
    fn read(folder: &Path) -> io::Result<Self> {
        let mut mails = Mails {
            to: BTreeMap::new(),
            unfinished: 0,
        };
        for file in fs::read_dir(folder)? {
            let path = file?.path();
            if path.extension().is_some_and(|it| it == "part") {
                mails.unfinished += 1;
                continue;
            }
            let mail = fs::read_to_string(path)?;
            let to = mail.lines().next().unwrap_or_default();
            let to = to.strip_prefix("To: ").unwrap_or_default();
            *mails.to.entry(to.into()).or_default() += 1;
        }
        Ok(mails)
    }
}

impl Proof {
    fn compare_visits(&mut self, rows: &Rows, mails: &Mails, visits: &[Visit]) {
        let by_name: HashMap<_, _> = rows.users.iter().map(|it| (&*it.username, it)).collect();
        let logged_in: HashSet<_> = rows.sessions.iter().map(|it| it.user_id).collect();
        let mut expected = HashSet::new();
        self.users = rows.users.len();
        for visit in visits {
            let typed = Typed::by(visit.number);
            let (name, email) = (typed.stored_name(), typed.stored_email());
            let user = by_name.get(&*name);
            let answered = visit.outcome == Outcome::Registered;
            match (&visit.outcome, user) {
                (Outcome::Registered, None) => {
                    self.is_wrong(format!("{name} was registered, and is gone"))
                }
                (Outcome::Refused(status), _) => {
                    self.is_wrong(format!("{name} was answered {status}"))
                }
                (Outcome::Unanswered(_), _) => self.unanswered += 1,
                (Outcome::Registered, Some(_)) => {}
            }
            let Some(user) = user else {
                continue;
            };
            self.unanswered_but_there += usize::from(!answered);
            if user.email != email {
                self.is_wrong(format!("{name} has the address {}", user.email));
            }
            if answered && !logged_in.contains(&user.id) {
                self.is_wrong(format!("{name} is not logged in"));
            }
            match mails.to.get(&email) {
                Some(1) => {}
                None if !answered => self.without_mail += 1,
                found => self.is_wrong(format!("{name} has {} mails", found.unwrap_or(&0))),
            }
            expected.insert(name);
        }
        for user in &rows.users {
            if !expected.contains(&user.username) {
                self.is_wrong(format!("{} sent no form", user.username));
            }
        }
        let addresses: HashSet<_> = rows.users.iter().map(|it| &*it.email).collect();
        for to in mails.to.keys() {
            if !addresses.contains(&**to) {
                self.is_wrong(format!("there is mail to {to}, who is no user"));
            }
        }
    }

    fn match_one_to_one(&mut self, rows: &Rows) {
        let persons: HashMap<_, _> = rows.persons.iter().map(|it| (it.user_id, it)).collect();
        for user in &rows.users {
            let name = &user.username;
            let Some(person) = persons.get(&user.id) else {
                self.is_wrong(format!("{name} has no person"));
                continue;
            };
            let handle = person.chat_handle.as_deref().unwrap_or_default();
            let whole = person.birthdate.is_some() && person.phone.is_some();
            if handle.replace('@', "visitor") != *name || !whole {
                self.is_wrong(format!("the person of {name} is not filled in"));
            }
        }
        if rows.persons.len() != rows.users.len() {
            let (users, persons) = (rows.users.len(), rows.persons.len());
            self.is_wrong(format!("there are {users} users and {persons} persons"));
        }
        let whose: HashSet<_> = rows.sessions.iter().map(|it| it.user_id).collect();
        if whose.len() != rows.sessions.len() {
            self.is_wrong("somebody is logged in twice".into());
        }
    }

    /// The entries are those that the rows should have, each once and no others.
    fn compare_entries(&mut self, rows: &Rows) {
        let names: HashMap<_, _> = rows.users.iter().map(|it| (it.id, &*it.username)).collect();
        let mut expected = HashMap::<_, i32>::new();
        let mut expect = |line: String| *expected.entry(line).or_default() += 1;
        for user in rows.users.iter().map(|it| it.id) {
            expect(format!("a visitor created User {user}: "));
            expect(format!("a visitor created Person {user}: "));
            let changed = "birthdate, chat_handle, phone";
            expect(format!("a visitor updated Person {user}: {changed}"));
        }
        for session in &rows.sessions {
            let name = names.get(&session.user_id).copied().unwrap_or("nobody");
            expect(format!("{name} created Session {}: ", session.id));
        }
        for it in &rows.entries {
            let AuditEntry {
                actor,
                action,
                model,
                row_key,
                changed,
                ..
            } = it;
            let line = format!("{actor} {action} {model} {row_key}: {changed}");
            *expected.entry(line).or_default() -= 1;
        }
        for (line, missing) in expected.into_iter().filter(|it| it.1 != 0) {
            let found = if missing > 0 {
                "misses"
            } else {
                "should not have"
            };
            self.is_wrong(format!("the audit {found} `{line}`"));
        }
    }

    fn is_wrong(&mut self, what: String) {
        self.wrong.push(what);
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Proof {
            users,
            unanswered,
            unanswered_but_there,
            without_mail,
            unfinished_mails,
            wrong,
        } = self;
        for line in wrong {
            writeln!(f, "wrong: {line}")?;
        }
        if !wrong.is_empty() {
            return Ok(());
        }
        write!(f, "{users} users, each with a person and the audit of both")?;
        if *unanswered == 0 {
            return write!(f, ", a session and one mail");
        }
        write!(
            f,
            "; all that were answered, and {unanswered_but_there} of the {unanswered} that were not; \
             {without_mail} without mail, {unfinished_mails} mails unfinished, none twice"
        )
    }
}

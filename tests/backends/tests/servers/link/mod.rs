//! A connection that can be cut while a request is under way.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use backends::Database;

use crate::sessions::on_postgres;

/// When the link breaks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cut {
    /// A request is not handed on.
    Before(Request),
    /// A request is handed on, but not its answer.
    After(Request),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Request {
    Commit,
    Next,
}

impl Request {
    fn is(self, request: &[u8]) -> bool {
        match self {
            Request::Commit => request.windows(6).any(|it| it == b"COMMIT"),
            Request::Next => true,
        }
    }
}

/// What stands between connections and their server.
pub(crate) struct Link {
    url: String,
    cut: Arc<Mutex<Option<Cut>>>,
}

impl Link {
    pub(crate) fn to(database: &Database) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let (url, server) = redirect(&database.url(), port);
        let cut = Arc::default();
        let link = Link {
            url,
            cut: Arc::clone(&cut),
        };
        // It ends with the process.
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(&server).expect("the server listens");
                let cut = Arc::clone(&cut);
                thread::spawn(move || drop(forward(client, server, &cut)));
            }
        });
        link
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Breaks the connection at the next request of this kind.
    pub(crate) fn cut(&self, cut: Cut) {
        *self.cut.lock().expect("no test panics inside") = Some(cut);
    }

    /// Whether it has broken since.
    pub(crate) fn was_cut(&self) -> bool {
        self.cut.lock().expect("no test panics inside").is_none()
    }
}

/// The same URL with this port of this machine, and where it led to.
fn redirect(url: &str, port: u16) -> (String, String) {
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (authority, path) = rest.split_once('/').expect("a database");
    let (user, server) = authority.rsplit_once('@').unwrap_or(("", authority));
    let default = if on_postgres() { 5432 } else { 3306 };
    let server = match server.contains(':') {
        true => server.to_owned(),
        false => format!("{server}:{default}"),
    };
    let plain = if on_postgres() {
        "?sslmode=disable"
    } else {
        ""
    };
    (
        format!("{scheme}://{user}@127.0.0.1:{port}/{path}{plain}"),
        server,
    )
}

fn forward(
    mut client: TcpStream,
    mut server: TcpStream,
    cut: &Mutex<Option<Cut>>,
) -> std::io::Result<()> {
    let (mut answers, mut to_client) = (server.try_clone()?, client.try_clone()?);
    let answering = Arc::new(Mutex::new(true));
    let goes_on = Arc::clone(&answering);
    let answered = thread::spawn(move || {
        let mut answer = [0; 8192];
        while let Ok(length @ 1..) = answers.read(&mut answer) {
            let goes_on = goes_on.lock().expect("nothing panics inside");
            if !*goes_on || to_client.write_all(&answer[..length]).is_err() {
                return;
            }
        }
        drop(to_client.shutdown(Shutdown::Both));
    });
    let mut request = [0; 8192];
    while let length @ 1.. = client.read(&mut request)? {
        let request = &request[..length];
        let due = cut
            .lock()
            .expect("no test panics inside")
            .take_if(|cut| match cut {
                Cut::Before(which) | Cut::After(which) => which.is(request),
            });
        match due {
            None => server.write_all(request)?,
            Some(Cut::Before(_)) => break,
            Some(Cut::After(_)) => {
                *answering.lock().expect("nothing panics inside") = false;
                server.write_all(request)?;
                // It ends when the answer is there, which shows that the server has done it.
                answered.join().expect("it does not panic");
                break;
            }
        }
    }
    drop(server.shutdown(Shutdown::Both));
    client.shutdown(Shutdown::Both)
}

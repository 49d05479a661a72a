//! A browser that costs next to nothing: one connection that is kept, and no more of HTTP than the server speaks.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longer than the server lets anybody wait.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to the server, over which several visitors may ask, one after the other.
#[derive(Debug)]
pub struct Browser {
    stream: BufReader<TcpStream>,
    address: SocketAddr,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// The cookie that it sets, as it is to be sent.
    pub cookie: Option<String>,
    /// Its body.
    pub body: String,
}

impl Browser {
    /// Connects.
    ///
    /// # Errors
    ///
    /// If nobody listens there.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Browser {
            stream: BufReader::new(stream),
            address,
        })
    }

    /// Asks for a page, as a visitor who has no cookie yet.
    ///
    /// # Errors
    ///
    /// If no whole answer comes.
    pub fn get(&mut self, path: &str) -> io::Result<Answer> {
        self.ask(&format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n",
            self.address
        ))
    }

    /// Sends a form.
    ///
    /// # Errors
    ///
    /// If no whole answer comes; it may have been done all the same.
    pub fn post(
        &mut self,
        path: &str,
        cookie: &str,
        fields: &[(&str, &str)],
    ) -> io::Result<Answer> {
        let body = encoded(fields);
        self.ask(&format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len(),
        ))
    }

    fn ask(&mut self, request: &str) -> io::Result<Answer> {
        self.stream.get_mut().write_all(request.as_bytes())?;
        self.answer()
    }

    fn answer(&mut self) -> io::Result<Answer> {
        let first = self.line()?;
        let status = first.split(' ').nth(1).and_then(|it| it.parse().ok());
        let status = status.ok_or_else(|| malformed(&first))?;
        let (mut length, mut cookie) = (0, None);
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(": ").ok_or_else(|| malformed(&line))?;
            match name {
                "content-length" => length = value.parse().map_err(|_| malformed(&line))?,
                "set-cookie" => cookie = value.split(';').next().map(String::from),
                "transfer-encoding" => return Err(malformed(&line)),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        let body = String::from_utf8(body).map_err(|_| malformed("a body"))?;
        Ok(Answer {
            status,
            cookie,
            body,
        })
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        match line.strip_suffix("\r\n") {
            Some(line) => Ok(line.into()),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl Answer {
    /// The token that the forms of the page send along.
    pub fn csrf(&self) -> Option<&str> {
        let (_, rest) = self.body.split_once(r#"name="csrf" value=""#)?;
        rest.split('"').next()
    }

    /// What the page says beside this field.
    pub fn error(&self, field: &str) -> Option<&str> {
        let (_, rest) = self.body.split_once(&format!(r#"id="{field}-error">"#))?;
        rest.split('<').next()
    }
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("unexpected: {what}"))
}

fn encoded(fields: &[(&str, &str)]) -> String {
    let mut body = String::new();
    for (name, value) in fields {
        if !body.is_empty() {
            body.push('&');
        }
        body += name;
        body.push('=');
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => body.push(byte.into()),
                _ => body += &format!("%{byte:02X}"),
            }
        }
    }
    body
}

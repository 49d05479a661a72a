use std::collections::BTreeMap;

use axum::http::{HeaderMap, Response};
use ureq::{Agent, Body};

use super::PASSWORD;

/// Keeps cookies, and follows no redirect by itself.
pub(crate) struct Browser {
    agent: Agent,
    url: String,
    pub(crate) cookies: BTreeMap<String, String>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Browser {
    pub(crate) fn new(url: &str) -> Self {
        let config = Agent::config_builder()
            .max_redirects(0)
            .http_status_as_error(false);
        Browser {
            agent: config.build().into(),
            url: url.into(),
            cookies: BTreeMap::new(),
        }
    }

    pub(crate) fn get(&mut self, path: &str) -> Page {
        let request = self.agent.get(format!("{}{path}", self.url));
        let answer = request.header("cookie", self.cookie()).call();
        self.read(answer)
    }

    /// Sends these fields and nothing else.
    pub(crate) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let request = self.agent.post(format!("{}{path}", self.url));
        let fields = fields.iter().copied();
        let answer = request.header("cookie", self.cookie()).send_form(fields);
        self.read(answer)
    }

    /// Opens a page with a form, fills these fields in and sends it where it says.
    pub(crate) fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let page = self.get(path);
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        let token = page.token();
        let mut all = vec![("csrf", token.as_str())];
        all.extend(fields);
        self.post(path, &all)
    }

    /// Presses the button in the menu.
    pub(crate) fn log_out(&mut self) -> Page {
        let token = self.get("/").token();
        self.post("/logout", &[("csrf", &token)])
    }

    pub(crate) fn register(&mut self, name: &str) -> Page {
        let email = format!("{name}@example.org");
        self.register_with(&[("username", name), ("email", &email)])
    }

    /// With what is typed besides a name, an address and the password, or instead of them.
    pub(crate) fn register_with(&mut self, typed: &[(&str, &str)]) -> Page {
        let mut fields = BTreeMap::from([
            ("username", "ada"),
            ("email", "ada@example.org"),
            ("password", PASSWORD),
            ("password_again", PASSWORD),
            ("birthdate", ""),
            ("chat_handle", ""),
            ("phone", ""),
        ]);
        fields.extend(typed.iter().copied());
        let fields: Vec<_> = fields.into_iter().collect();
        self.submit("/register", &fields)
    }

    pub(crate) fn log_in(&mut self, name: &str, password: &str) -> Page {
        self.submit("/login", &[("username", name), ("password", password)])
    }

    fn cookie(&self) -> String {
        let cookies = self.cookies.iter();
        let cookies: Vec<_> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        cookies.join("; ")
    }

    fn read(&mut self, answer: Result<Response<Body>, ureq::Error>) -> Page {
        let mut answer = answer.expect("the server answers");
        let headers = answer.headers().clone();
        for cookie in headers.get_all("set-cookie") {
            let cookie = cookie.to_str().expect("text");
            let (name, value) = cookie
                .split(';')
                .next()
                .and_then(|it| it.split_once('='))
                .expect("a cookie");
            self.cookies.insert(name.into(), value.into());
        }
        Page {
            status: answer.status().as_u16(),
            headers,
            body: answer.body_mut().read_to_string().expect("text"),
        }
    }
}

impl Page {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |it| it.to_str().expect("text"))
    }

    /// Where it sends the browser.
    pub(crate) fn to(&self) -> &str {
        assert_eq!(self.status, 303, "{}", self.body);
        self.header("location")
    }

    /// The token that its forms send along.
    pub(crate) fn token(&self) -> String {
        let (_, rest) = self
            .body
            .split_once(r#"name="csrf" value=""#)
            .expect("a form with a token");
        rest[..rest.find('"').expect("a whole tag")].into()
    }

    /// The start tag of the element with this id.
    pub(crate) fn tag(&self, id: &str) -> Option<&str> {
        let at = self.body.find(&format!(r#" id="{id}""#))?;
        let start = self.body[..at].rfind('<').expect("a tag");
        let end = at + self.body[at..].find('>').expect("a whole tag");
        Some(&self.body[start..=end])
    }

    /// What is read in the element with this id, if there is one.
    pub(crate) fn text(&self, id: &str) -> Option<String> {
        let tag = self.tag(id)?;
        let name = tag[1..].split(' ').next().expect("a name");
        let start = tag.as_ptr() as usize - self.body.as_ptr() as usize + tag.len();
        let end = start + self.body[start..].find(&format!("</{name}>"))?;
        let mut text = String::new();
        for part in self.body[start..end].split('<') {
            text += part.split_once('>').map_or(part, |(_, after)| after);
        }
        let words: Vec<_> = text.split_whitespace().collect();
        Some(unescaped(&words.join(" ")))
    }

    /// What is typed in the input with this id.
    pub(crate) fn typed(&self, id: &str) -> String {
        let tag = self.tag(id).expect("an input");
        let value = tag.split_once(r#" value=""#).map(|(_, rest)| rest);
        let value = value.map(|rest| &rest[..rest.find('"').expect("a whole tag")]);
        unescaped(value.unwrap_or_default())
    }

    /// The message beside this field; none if there is nothing wrong with it.
    pub(crate) fn error(&self, field: &str) -> Option<String> {
        let message = self.text(&format!("{field}-error"));
        let input = self.tag(field).expect("an input");
        assert_eq!(
            message.is_some(),
            input.contains(r#"aria-invalid="true""#),
            "{input}"
        );
        assert_eq!(
            message.is_some(),
            input.contains(&format!("{field}-error")),
            "{input}"
        );
        message
    }
}

fn unescaped(html: &str) -> String {
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&#x2f;", "/"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(html.into(), |text: String, (escaped, plain)| {
        text.replace(escaped, plain)
    })
}

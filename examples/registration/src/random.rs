//! Random values of the operating system.

use std::fmt::Write as _;
use std::io;

/// As many random bytes.
pub(crate) fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// As many random bytes, as text.
pub(crate) fn hex<const N: usize>() -> io::Result<String> {
    bytes::<N>().map(|it| to_hex(&it))
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes it");
        text
    })
}

//! `cargo run -p multi_backend` plays the story on SQLite; a URL as argument names another database, whose feature has
//! to be on.
#![expect(clippy::print_stdout, reason = "it prints what happens")]

use multi_backend::hooked::Hooked;
use multi_backend::scenario::{self, Outcome};

fn main() -> Outcome {
    let url = std::env::args().nth(1).unwrap_or_else(|| ":memory:".into());
    let pool = multi_backend::connect(&url)?;
    let mut conn = pool.get()?;
    for line in scenario::play::<Hooked>(&mut conn)? {
        println!("{line}");
    }
    Ok(())
}

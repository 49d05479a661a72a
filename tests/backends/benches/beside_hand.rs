//! Times each operation by hand and with hooks, in turns and on two connections to one database, and prints the
//! medians in microseconds, the mean of both connections, and their ratio.
//!
//! `ROUNDS` says how often; without it, 500 times.
#![expect(clippy::print_stdout, reason = "it prints what it measured")]

#[path = "../tests/models/beside_hand/mod.rs"]
mod beside_hand;

use std::time::{Duration, Instant};

use backends::{Database, TestConnection, system};
use beside_hand::{OPERATIONS, Operation, Subject, TABLES};

/// How many rounds come before those that are measured.
const WARM_UP: usize = 20;

fn main() {
    let rounds = std::env::var("ROUNDS").map_or(500, |it| it.parse().expect("a number of rounds"));
    println!("{:?}, {rounds} rounds", system());
    println!("{:>8} {:>8} {:>6}", "by hand", "hooked", "ratio");
    for operation in &OPERATIONS {
        let [by_hand, hooked] = compare(operation, rounds).map(|it| it.as_secs_f64() * 1e6);
        let ratio = hooked / by_hand;
        println!("{by_hand:8.0} {hooked:8.0} {ratio:6.2}  {}", operation.name);
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// The medians of both sides, by hand first.
fn compare(operation: &Operation, rounds: usize) -> [Duration; 2] {
    let database = Database::new(TABLES);
    let mut connections = [database.connect(), database.connect()];
    let work = |side, conn: &mut TestConnection, subject: &Subject| match side {
        0 => Ok((operation.by_hand)(conn, subject)?),
        _ => (operation.hooked)(conn, subject),
    };
    let mut times = [(); 2].map(|()| [Vec::new(), Vec::new()]);
    for round in 0..WARM_UP + rounds {
        // Neither side is always the first, nor alone with one connection: one whose server runs on the same
        // processor answers three times as fast.
        for side in [round % 2, 1 - round % 2] {
            let place = (side + round / 2) % 2;
            let conn = &mut connections[place];
            let name = format!("{side} {round}");
            let subject = (operation.prepare)(conn, name).expect("a subject");
            let start = Instant::now();
            work(side, conn, &subject).expect("it works");
            if round >= WARM_UP {
                times[side][place].push(start.elapsed());
            }
        }
    }
    times.map(|on_each| on_each.map(median).iter().sum::<Duration>() / 2)
}

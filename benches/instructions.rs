//! Runs one side of one workload, for `scripts/instructions` to count.
//!
//! `instructions <workload> <side> <rows>` runs that many operations and prints the nanoseconds of
//! each; with `prepare` as fourth argument it stops before the first. Neither drops what is left at its
//! end, so the difference of two counts is what the operations cost.

#![allow(clippy::print_stdout, reason = "the program's result")]

#[path = "workloads/mod.rs"]
mod workloads;

use std::env;
use std::mem;
use std::process::ExitCode;
use std::time::Instant;

use workloads::{SIDES, Side};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [workload, side, rows] => run(workload, side, rows),
        [workload, side, rows, "prepare"] => prepare(workload, side, rows),
        _ => None,
    }
    .unwrap_or_else(usage)
}

fn run(workload: &str, side: &str, rows: &str) -> Option<ExitCode> {
    let rows = rows.parse().ok()?;
    let prepared = find(workload, side)?.prepare(rows);
    let start = Instant::now();
    let conn = prepared.run();
    let nanoseconds = start.elapsed().as_nanos() as f64 / rows as f64;
    mem::forget(conn);
    println!("{nanoseconds:.2}");
    Some(ExitCode::SUCCESS)
}

fn prepare(workload: &str, side: &str, rows: &str) -> Option<ExitCode> {
    mem::forget(find(workload, side)?.prepare(rows.parse().ok()?));
    Some(ExitCode::SUCCESS)
}

fn find(workload: &str, name: &str) -> Option<&'static Side> {
    SIDES
        .iter()
        .find(|side| side.workload == workload && side.name == name)
}

fn usage() -> ExitCode {
    println!("usage: instructions <workload> <side> <rows> [prepare]");
    for side in SIDES {
        println!("  {} {side}", side.workload);
    }
    ExitCode::from(2)
}

//! Times each workload by hand and through the library, in one run.
//!
//! A sample is a thousand operations in one transaction of the application, in a database in memory
//! that is made for the sample: milliseconds in the table are microseconds per operation.

#[path = "workloads/mod.rs"]
mod workloads;

use divan::Bencher;
use divan::counter::ItemsCount;

use workloads::{Prepared, SIDES, Side};

const ROWS: usize = 1_000;
/// A million, so that milliseconds in the table are nanoseconds per dispatch.
const DISPATCHES: usize = 1_000_000;

fn main() {
    divan::main();
}

#[divan::bench(args = sides("w1"), sample_size = 1)]
fn w1_create(bencher: Bencher, side: &Side) {
    time(bencher, side, ROWS);
}

#[divan::bench(args = sides("w2"), sample_size = 1)]
fn w2_create_with_profile(bencher: Bencher, side: &Side) {
    time(bencher, side, ROWS);
}

#[divan::bench(args = sides("w3"), sample_size = 1)]
fn w3_create_many_with_profiles(bencher: Bencher, side: &Side) {
    time(bencher, side, ROWS);
}

#[divan::bench(args = sides("w4"), sample_size = 1)]
fn w4_update_one_column(bencher: Bencher, side: &Side) {
    time(bencher, side, ROWS);
}

#[divan::bench(args = sides("w5e"), sample_size = 1)]
fn w5e_delete_with_profile(bencher: Bencher, side: &Side) {
    time(bencher, side, ROWS);
}

#[divan::bench(args = sides("w6"), sample_size = 1)]
fn w6_dispatch(bencher: Bencher, side: &Side) {
    time(bencher, side, DISPATCHES);
}

fn sides(workload: &'static str) -> impl Iterator<Item = &'static Side> {
    SIDES.iter().filter(move |side| side.workload == workload)
}

fn time(bencher: Bencher, side: &Side, operations: usize) {
    bencher
        .counter(ItemsCount::new(operations))
        .with_inputs(|| side.prepare(operations))
        .bench_local_values(Prepared::run);
}

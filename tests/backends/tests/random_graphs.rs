//! Operations on random graphs of relations do to rows, send and answer what Django's rules say.
//!
//! `DIESEL_HOOKS_GRAPHS` says how many graphs, `DIESEL_HOOKS_SEED` with which seed.
#![allow(missing_docs, reason = "schema modules are generated")]

mod graphs;

use backends::on;
use graphs::place::Place;
use graphs::program::program;
use graphs::world::run;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

#[test]
fn random_graphs_go_as_the_rules_say() {
    let number = |name| {
        std::env::var(name)
            .ok()
            .and_then(|it: String| it.parse::<u64>().ok())
    };
    let cases = number("DIESEL_HOOKS_GRAPHS").unwrap_or(on(256, 64, 64));
    let seed = number("DIESEL_HOOKS_SEED").unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.expect("after 1970").subsec_nanos().into()
    });
    println!("{cases} graphs, DIESEL_HOOKS_SEED={seed}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: u32::try_from(cases).expect("not that many"),
        failure_persistence: None,
        max_shrink_iters: on(2_000, 100, 100),
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let place = Place::new();
    let mut runner = TestRunner::new_with_rng(config, rng);
    if let Err(error) = runner.run(&program(), |it| run(&place, &it)) {
        panic!("DIESEL_HOOKS_SEED={seed}: {error}");
    }
}

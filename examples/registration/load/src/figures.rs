//! What was measured.

use std::fmt;
use std::time::Duration;

/// Some registrations.
#[derive(Debug)]
pub struct Round {
    /// How long each took.
    pub took: Vec<Duration>,
    /// How long it was from the first to the last.
    pub elapsed: Duration,
}

/// How fast a server answered, in several rounds.
#[derive(Debug, Default)]
pub struct Figures {
    rounds: Vec<f64>,
    elapsed: Duration,
    took: Vec<Duration>,
}

impl Figures {
    /// Counts a round.
    pub fn add(&mut self, round: Round) {
        self.rounds.push(rate(round.took.len(), round.elapsed));
        self.took.extend(round.took);
        self.elapsed += round.elapsed;
    }

    /// Registrations per second.
    pub fn rate(&self) -> f64 {
        rate(self.took.len(), self.elapsed)
    }

    /// What so many of a hundred did not take longer than.
    pub fn percentile(&self, percent: usize) -> Duration {
        let mut took = self.took.clone();
        took.sort_unstable();
        let rank = (took.len() * percent).div_ceil(100);
        took.get(rank.saturating_sub(1))
            .copied()
            .unwrap_or_default()
    }

    /// How fast this is beside another: over all, and in the slowest and the fastest of the rounds that followed one another.
    pub fn beside(&self, other: &Figures) -> Ratio {
        let rounds = self.rounds.iter().zip(&other.rounds);
        let rounds = rounds.map(|(this, other)| this / other);
        let (least, most) = rounds.fold((f64::INFINITY, 0.0), |(least, most), it| {
            (f64::min(least, it), f64::max(most, it))
        });
        Ratio {
            over_all: self.rate() / other.rate(),
            least,
            most,
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [half, most] = [50, 99].map(|it| self.percentile(it).as_secs_f64() * 1e3);
        let rate = self.rate();
        write!(
            f,
            "{rate:7.1} per second, half within {half:.1} ms, 99 % within {most:.1} ms"
        )
    }
}

/// One rate by another.
#[derive(Debug)]
pub struct Ratio {
    over_all: f64,
    least: f64,
    most: f64,
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ratio {
            over_all,
            least,
            most,
        } = self;
        write!(f, "{over_all:.2} (rounds {least:.2} to {most:.2})")
    }
}

fn rate(count: usize, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}

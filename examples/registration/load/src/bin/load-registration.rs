//! Registers visitors at the application and at the handler that is written by hand, in turns, and says how fast they are
//! answered; then at the application alone, which is killed several times. After each it proves what the rows have to be.
//!
//! `scripts/load-registration` builds the servers, runs it and says what it takes.
#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, thread};

use registration_load::crowd::{Crowd, Outcome};
use registration_load::figures::{Figures, Round};
use registration_load::proof::{Proof, prove};
use registration_load::server::{Place, Server};

type Result<T = (), E = Box<dyn Error>> = std::result::Result<T, E>;

/// As cheap as Argon2 gets: what a password costs would hide all else.
const CHEAP_HASHING: &str = "8,1";
/// As the application has it where nothing else is said.
const USUAL_HASHING: &str = "19456,2";
/// How the two are called, and their programs.
const APPLICATION: (&str, &str) = ("application", "registration");
const BY_HAND: (&str, &str) = ("by hand", "registration-by-hand");
/// The two take turns so often.
const ROUNDS: usize = 10;
const KILLS: usize = 3;
/// How often it is looked whether so many are registered.
const PAUSE: Duration = Duration::from_micros(200);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result {
    let options = Options::read()?;
    println!(
        "{}: {} registrations each after a tenth to warm up, {} clients at a time",
        options.database, options.registrations, options.clients
    );
    let (application, by_hand) = options.compare(CHEAP_HASHING, options.registrations)?;
    println!("  application  {application}");
    println!("  by hand      {by_hand}");
    println!("  ratio        {}", application.beside(&by_hand));
    let few = (options.registrations / 10).max(ROUNDS);
    let (application, by_hand) = options.compare(USUAL_HASHING, few)?;
    println!(
        "  with passwords hashed as usual: {:.1} per second, by hand {:.1}, ratio {}",
        application.rate(),
        by_hand.rate(),
        application.beside(&by_hand)
    );
    options.kill()
}

#[derive(Debug)]
struct Options {
    database: String,
    registrations: usize,
    clients: usize,
    seconds: u64,
}

impl Options {
    fn read() -> Result<Self> {
        let mut arguments = env::args().skip(1);
        let mut options = Options {
            database: arguments.next().unwrap_or_default(),
            registrations: 2000,
            clients: 16,
            seconds: 60,
        };
        while let Some(name) = arguments.next() {
            let value = arguments.next().unwrap_or_default();
            let number = value
                .parse()
                .map_err(|_| format!("{name} takes a number"))?;
            match &*name {
                "--registrations" => options.registrations = number,
                "--clients" => options.clients = number,
                "--seconds" => options.seconds = value.parse()?,
                _ => {
                    return Err(
                        format!("no option {name}: --registrations, --clients, --seconds").into(),
                    );
                }
            }
        }
        if options.clients == 0 || options.registrations < ROUNDS {
            return Err(format!("at least one client and {ROUNDS} registrations").into());
        }
        Ok(options)
    }

    fn place(&self) -> Result<Place> {
        match &*self.database {
            "sqlite" => Ok(Place::on_sqlite()?),
            "postgres" => on_postgres(),
            other => Err(format!("no database {other:?}: sqlite, postgres").into()),
        }
    }

    fn deadline(&self) -> Instant {
        Instant::now() + Duration::from_secs(self.seconds)
    }

    /// So many at each of the two, in turns, so that what else the machine does strikes both alike.
    fn compare(&self, hashing: &str, count: usize) -> Result<(Figures, Figures)> {
        let mut application = Measured::start(self, APPLICATION, hashing)?;
        let mut by_hand = Measured::start(self, BY_HAND, hashing)?;
        let deadline = self.deadline();
        // The first round warms up.
        for round in 0..=ROUNDS {
            let mut turns = [&mut application, &mut by_hand];
            if round % 2 == 1 {
                turns.reverse();
            }
            let rounds = turns.iter().map(|it| it.register(count / ROUNDS, deadline));
            let rounds: Vec<_> = rounds.collect();
            if Instant::now() >= deadline {
                println!("  the time is up, in round {round} of {ROUNDS}");
                if round < 2 {
                    return Err("too few rounds to compare: --seconds".into());
                }
                break;
            }
            if round == 0 {
                continue;
            }
            for (it, round) in turns.into_iter().zip(rounds) {
                it.figures.add(round);
            }
        }
        application.prove()?;
        by_hand.prove()?;
        Ok((application.figures, by_hand.figures))
    }

    /// The application is killed in the middle, several times. What is there is looked at before it starts again, and
    /// would mend what it finds.
    fn kill(&self) -> Result {
        let place = self.place()?;
        let crowd = Crowd::new(self.clients);
        let deadline = self.deadline();
        for kills in 0..=KILLS {
            let enough = self.registrations * (kills + 1) / (KILLS + 1);
            let server = Server::start(APPLICATION.1, &place, CHEAP_HASHING)?;
            if kills == KILLS {
                let missing = enough.saturating_sub(crowd.registered());
                crowd.register(server.address, missing, deadline);
            } else {
                register_until_killed(&crowd, server, enough, deadline)?;
                place.wait_until_alone()?;
                proved(&place, &crowd)?;
            }
        }
        println!("  killed {KILLS} times: {}", proved(&place, &crowd)?);
        Ok(())
    }
}

fn register_until_killed(
    crowd: &Crowd,
    server: Server,
    enough: usize,
    deadline: Instant,
) -> Result {
    let address = server.address;
    thread::scope(|scope| {
        let clients = scope.spawn(|| crowd.register(address, usize::MAX, deadline));
        while crowd.registered() < enough && !clients.is_finished() {
            thread::sleep(PAUSE);
        }
        server.kill()
    })?;
    Ok(())
}

/// A server that is measured.
struct Measured {
    name: &'static str,
    server: Server,
    crowd: Crowd,
    place: Place,
    figures: Figures,
}

impl Measured {
    fn start(
        options: &Options,
        (name, program): (&'static str, &str),
        hashing: &str,
    ) -> Result<Self> {
        let place = options.place()?;
        Ok(Measured {
            name,
            server: Server::start(program, &place, hashing)?,
            crowd: Crowd::new(options.clients),
            place,
            figures: Figures::default(),
        })
    }

    /// How long each took, and all together.
    fn register(&self, count: usize, deadline: Instant) -> Round {
        let before = self.crowd.visits().len();
        let elapsed = self.crowd.register(self.server.address, count, deadline);
        let visits = self.crowd.visits();
        Round {
            took: visits[before..].iter().map(|it| it.took).collect(),
            elapsed,
        }
    }

    fn prove(&self) -> Result {
        let mut others = self.crowd.visits().clone();
        others.retain(|it| it.outcome != Outcome::Registered);
        if let Some(other) = others.first() {
            return Err(format!("{}: {other:?}", self.name).into());
        }
        let proof = proved(&self.place, &self.crowd)?;
        println!("  {:<13}{proof}", self.name);
        Ok(())
    }
}

fn proved(place: &Place, crowd: &Crowd) -> Result<Proof> {
    let proof = prove(&mut place.connect()?, &place.mail(), &crowd.visits())?;
    match proof.wrong.is_empty() {
        true => Ok(proof),
        false => Err(proof.to_string().into()),
    }
}

#[cfg(feature = "postgres")]
fn on_postgres() -> Result<Place> {
    let server = env::var("POSTGRES_URL").map_err(|_| "POSTGRES_URL has to name a server")?;
    Ok(Place::on_postgres(&server)?)
}

#[cfg(not(feature = "postgres"))]
fn on_postgres() -> Result<Place> {
    Err("this program was compiled without `--features postgres`".into())
}

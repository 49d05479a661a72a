use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

/// The program that moves Chromium. It ends with this value, also if a test panics.
pub(crate) struct Chromedriver {
    process: Child,
    /// It would fail to write if nobody could read.
    _output: BufReader<ChildStdout>,
    pub(crate) url: String,
}

impl Chromedriver {
    /// At a free port, which it chooses itself.
    pub(crate) fn start() -> Self {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            // In which dates are typed.
            .env("LANGUAGE", "en_US")
            .stdout(Stdio::piped())
            // Or it holds the pipe open that waits for the end of the tests.
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is installed: scripts/test-browser does it");
        let mut output = BufReader::new(process.stdout.take().expect("it is piped"));
        let port = port(&mut output).expect("chromedriver says where it listens");
        Chromedriver {
            process,
            _output: output,
            url: format!("http://127.0.0.1:{port}"),
        }
    }
}

fn port(output: &mut impl BufRead) -> Option<u16> {
    let mut lines = output.lines().map_while(Result::ok);
    lines.find_map(|line| {
        let (_, port) = line.split_once("started successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    })
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        self.process.kill().expect("it can be killed");
        self.process.wait().expect("it has ended");
    }
}

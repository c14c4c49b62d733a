//! How much to measure, as the command line says, and whose turn it is.

/// What to play, and for how long.
pub(crate) struct Plan {
    rounds: usize,
    seconds: f64,
    /// Part of a scene's name.
    pub(crate) only: Option<String>,
    pub(crate) is_tiny: bool,
}

impl Plan {
    /// `tiny_seconds` is how long one round of one contestant takes with `--test`.
    pub(crate) fn from_arguments(arguments: &[String], tiny_seconds: f64) -> Self {
        let is_tiny = arguments.iter().any(|argument| argument == "--test");
        let (mut rounds, mut seconds) = if is_tiny { (1, tiny_seconds) } else { (6, 3.0) };
        let mut only = None;
        let mut left = arguments.iter();
        while let Some(argument) = left.next() {
            let mut value = || left.next().unwrap_or_else(|| panic!("`{argument}` needs a value"));
            match argument.as_str() {
                "--rounds" => rounds = value().parse().expect("a number of rounds"),
                "--seconds" => seconds = value().parse().expect("a number of seconds"),
                // The second is what `cargo bench` says.
                "--test" | "--bench" => {}
                unknown if unknown.starts_with('-') => panic!("there is no `{unknown}`"),
                part => only = Some(part.to_lowercase()),
            }
        }
        Self { rounds, seconds, only, is_tiny }
    }

    pub(crate) fn wants(&self, scene: &str) -> bool {
        self.only.as_deref().is_none_or(|only| scene.to_lowercase().contains(only))
    }

    /// Each contestant's samples, by round. They take turns.
    pub(crate) fn play<C, S>(&self, scene: &str, contestants: &[C], measure: impl Fn(&C, f64) -> S) -> Vec<Vec<S>> {
        let mut samples: Vec<Vec<S>> = contestants.iter().map(|_| Vec::new()).collect();
        for round in 0..=self.rounds {
            eprint!("\r{scene}: round {round} of {}  ", self.rounds);
            for (contestant, samples) in contestants.iter().zip(&mut samples) {
                let sample = measure(contestant, self.seconds);
                // The first round only warms up.
                if round > 0 {
                    samples.push(sample);
                }
            }
        }
        eprintln!();
        samples
    }
}

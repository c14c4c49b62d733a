//! `hostile.txt`, read.

/// One query.
#[derive(Debug)]
pub(crate) struct Hostile {
    pub(crate) outcome: Outcome,
    pub(crate) what: String,
    pub(crate) bytes: Vec<u8>,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nobody is answered.
    Dropped,
    /// FORMERR or NOTIMP, with nothing of the query but its number, and OPT at most.
    Bare(u16),
    /// This code, with the question.
    Code(u16),
}

/// All of them.
pub(crate) fn corpus() -> Vec<Hostile> {
    let text = std::fs::read_to_string("tests/dns/hostile.txt").unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let corpus: Vec<Hostile> = lines
        .map(|line| {
            let mut parts = line.splitn(3, " | ");
            let mut part = || parts.next().unwrap_or_else(|| panic!("three parts: {line}"));
            let outcome = match part().trim() {
                "dropped" => Outcome::Dropped,
                "garbled" => Outcome::Bare(1),
                "notimp" => Outcome::Bare(4),
                "noerror" => Outcome::Code(0),
                "formerr" => Outcome::Code(1),
                "nxdomain" => Outcome::Code(3),
                "refused" => Outcome::Code(5),
                "badvers" => Outcome::Code(16),
                other => panic!("`{other}` is no outcome"),
            };
            Hostile { outcome, what: part().into(), bytes: bytes(part()) }
        })
        .collect();
    assert!(corpus.len() >= 70, "the corpus was read");
    corpus
}

/// As the corpus's first lines say.
fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in text.split_whitespace().filter(|word| *word != "-") {
        if let Some(name) = word.strip_prefix('[').and_then(|word| word.strip_suffix(']')) {
            for label in name.split('.').filter(|label| !label.is_empty()) {
                bytes.push(u8::try_from(label.len()).unwrap());
                bytes.extend_from_slice(label.as_bytes());
            }
            bytes.push(0);
            continue;
        }
        let (digits, times) =
            word.split_once('*').map_or((word, 1), |(digits, times)| (digits, times.parse().unwrap()));
        let piece = data_encoding::HEXLOWER.decode(digits.as_bytes()).unwrap_or_else(|_| panic!("no hex: {word}"));
        bytes.extend(piece.repeat(times));
    }
    bytes
}

//! `hostile.txt`, read.

/// One request.
#[derive(Debug)]
pub(crate) struct Hostile {
    pub(crate) status: u16,
    pub(crate) what: String,
    pub(crate) bytes: Vec<u8>,
}

/// All of them.
pub(crate) fn corpus() -> Vec<Hostile> {
    let text = std::fs::read_to_string("tests/http/hostile.txt").unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let corpus: Vec<Hostile> = lines
        .map(|line| {
            let mut parts = line.splitn(3, " | ");
            let mut part = || parts.next().unwrap_or_else(|| panic!("three parts: {line}"));
            Hostile { status: part().parse().unwrap(), what: part().into(), bytes: unescape(part()) }
        })
        .collect();
    assert!(corpus.len() >= 80, "the corpus was read");
    corpus
}

/// As the corpus's first lines say.
fn unescape(text: &str) -> Vec<u8> {
    let many: String = (0..200).map(|at| format!("X-{at}: 1\r\n")).collect();
    let (mut bytes, mut rest) = (Vec::new(), text);
    while let Some(symbol) = rest.chars().next() {
        let (escaped, used): (Vec<u8>, usize) = match rest.as_bytes() {
            [b'\\', b'x', high, low, ..] => {
                let digits = String::from_utf8(vec![*high, *low]).unwrap();
                (vec![u8::from_str_radix(&digits, 16).unwrap()], 4)
            }
            [b'\\', kind, ..] => (
                vec![match kind {
                    b'r' => b'\r',
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'0' => 0,
                    other => *other,
                }],
                2,
            ),
            [b'{', b'M', ..] => (many.clone().into_bytes(), "{MANY}".len()),
            [b'{', ..] => {
                let end = rest.find('}').unwrap();
                let (count, byte) = rest[1..end].split_once('*').unwrap();
                (byte.repeat(count.parse().unwrap()).into_bytes(), end + 1)
            }
            _ => (symbol.to_string().into_bytes(), symbol.len_utf8()),
        };
        bytes.extend(escaped);
        rest = &rest[used..];
    }
    bytes
}

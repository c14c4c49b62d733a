//! What of a path counts: the segments that an origin might see, in whichever way it reads them.
//!
//! Origins differ in what they make of `//`, `%2F`, `\` and `;`. Nobody may slip past a route by a spelling that an origin takes for the
//! same, so paths are compared
//!
//! - decoded, once: `/%61dmin` is `/admin`;
//! - with `\`, `%2F` and `%5C` as slashes, and empty segments left out: `//admin` and `/admin%2Fx` are below `/admin`;
//! - without `;` and what follows it in its segment, however it is encoded: `/admin;x=1/y` is `/admin/y`.
//!
//! Where readings lead to different places there is nothing to compare, and the request is refused: a segment that is `.` or `..` after all
//! that, a control character, a `%` without its two digits. Upper and lower case are different. What an origin gets is what was sent.
//!
//! Costs one look at each byte where nothing is encoded, which is nearly always; else a second one, byte by byte.

/// The most bytes that a segment of a route's path has, and one more: who is longer is nobody's.
const LONGEST: usize = 1025;

/// A path that can be compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path<'a> {
    sent: &'a [u8],
    /// Whether its segments are what stands between its slashes.
    is_plain: bool,
    /// Whether nothing stands behind its last slash.
    is_open: bool,
}

impl<'a> Path<'a> {
    /// Nothing where it cannot be compared.
    pub(super) fn read(path: &'a str) -> Option<Self> {
        let sent = path.as_bytes();
        // Not stopping at the first makes both loops wide.
        let is_odd = |odd, byte: &u8| odd | matches!(byte, b'%' | b'\\' | b';' | 0..0x20 | 0x7f);
        let has_dots = |dots, pair: &[u8]| dots || pair == b"/.";
        let is_plain = !sent.iter().fold(false, is_odd) && !sent.windows(2).fold(false, has_dots);
        let is_open = if is_plain { sent.ends_with(b"/") } else { look_closely(sent)? };
        Some(Self { sent, is_plain, is_open })
    }

    /// Whether nothing stands behind its last slash.
    pub(super) fn is_open(self) -> bool {
        self.is_open
    }

    /// Shows one segment after the other until somebody has seen enough.
    pub(super) fn each(self, mut see: impl FnMut(&[u8]) -> bool) {
        if self.is_plain {
            _ = self.sent.split(|byte| *byte == b'/').filter(|segment| !segment.is_empty()).all(see);
            return;
        }
        let mut decoded = [0; LONGEST];
        let mut at = 0;
        while let Some(segment) = Segment::read(self.sent, at, Some(&mut decoded)) {
            at = segment.next;
            if segment.length > 0 && !see(&decoded[..segment.length.min(LONGEST)]) {
                return;
            }
        }
    }
}

/// What stands behind so many segments, from its slash on.
pub(super) fn behind(path: &str, segments: usize) -> &str {
    let (mut at, mut left) = (0, segments);
    while left > 0
        && let Some(segment) = Segment::read(path.as_bytes(), at, None)
    {
        left -= usize::from(segment.length > 0);
        at = if left == 0 { segment.end } else { segment.next };
    }
    path.get(at..).unwrap_or_default()
}

/// If all of it can be compared: whether nothing stands behind the last slash.
fn look_closely(sent: &[u8]) -> Option<bool> {
    let (mut at, mut is_open) = (0, true);
    while at < sent.len() {
        let segment = Segment::read(sent, at, None)?;
        is_open = segment.length == 0 || segment.end < segment.next;
        at = segment.next;
    }
    Some(is_open)
}

/// One segment as it stands in a path.
struct Segment {
    /// Bytes of it that count, decoded.
    length: usize,
    /// Where its slash begins, or the path ends.
    end: usize,
    /// Where the next one begins.
    next: usize,
}

impl Segment {
    /// Reads and decodes the one that begins at `at`. Nothing at the end, or where it cannot be compared.
    fn read(sent: &[u8], at: usize, mut into: Option<&mut [u8; LONGEST]>) -> Option<Self> {
        let mut segment = Self { length: 0, end: at, next: at };
        let (mut dots, mut is_parameter) = (0, false);
        while segment.next < sent.len() {
            let (byte, next) = byte_at(sent, segment.next)?;
            segment.next = next;
            match byte {
                0..0x20 | 0x7f => return None,
                b'/' => break,
                b';' => is_parameter = true,
                _ if is_parameter => {}
                _ => {
                    if let Some(place) = into.as_mut().and_then(|into| into.get_mut(segment.length)) {
                        *place = byte;
                    }
                    segment.length += 1;
                    dots += usize::from(byte == b'.');
                }
            }
            segment.end = next;
        }
        let leads_elsewhere = segment.length == dots && matches!(dots, 1 | 2);
        (segment.next > at && !leads_elsewhere).then_some(segment)
    }
}

/// The decoded byte that stands there, and where the next one does. Every slash is `/`.
fn byte_at(sent: &[u8], at: usize) -> Option<(u8, usize)> {
    let (byte, next) = match *sent.get(at)? {
        b'%' => {
            let digit = |at: usize| char::from(*sent.get(at)?).to_digit(16);
            let byte = digit(at + 1)? * 16 + digit(at + 2)?;
            (u8::try_from(byte).ok()?, at + 3)
        }
        byte => (byte, at + 1),
    };
    Some((if byte == b'\\' { b'/' } else { byte }, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(path: &str) -> Option<(Vec<String>, bool)> {
        let path = Path::read(path)?;
        let mut segments = Vec::new();
        path.each(|segment| {
            segments.push(String::from_utf8_lossy(segment).into_owned());
            true
        });
        Some((segments, path.is_open()))
    }

    #[test]
    fn every_spelling_of_a_path_has_the_same_segments() {
        for path in [
            "/admin/users",
            "//admin//users",
            "/%61dmin/users",
            "/admin%2Fusers",
            "/admin%2fusers",
            "\\admin\\users",
            "/admin%5cusers",
            "/admin;a=b/users;c",
            "/;/admin/%3Bx/users",
            "/admin%3ba/users",
        ] {
            assert_eq!(segments(path), Some((vec!["admin".into(), "users".into()], false)), "{path}");
        }
        for path in ["/a/", "/a//", "/a%2F", "/a/;b", "//a\\"] {
            assert_eq!(segments(path), Some((vec!["a".into()], true)), "{path}");
        }
        for path in ["/", "//", "/;", "/%2F"] {
            assert_eq!(segments(path), Some((vec![], true)), "{path}");
        }
        // Decoded once, not twice; three dots are a name.
        assert_eq!(segments("/%2561/.../.a").unwrap().0, ["%61", "...", ".a"]);
    }

    #[test]
    fn what_could_lead_elsewhere_is_not_compared() {
        for path in [
            "/a/../admin",
            "/..",
            "/./a",
            "/a/.",
            "/a/%2e%2E/admin",
            "/a/.%2e/admin",
            "/a%2F..%2Fadmin",
            "/a\\..\\admin",
            "/a/..;x=1/admin",
            "/a/..%3bx/admin",
            "/a%5C%2e%2e",
            "/a%00",
            "/a%0d%0ab",
            "/%7f",
            "/%",
            "/a%4",
            "/a%zz/b",
        ] {
            assert!(Path::read(path).is_none(), "{path}");
        }
    }

    #[test]
    fn what_is_behind_a_prefix_stays_as_it_was_sent() {
        for (path, count, rest) in [
            ("/a/b//c%20", 1, "/b//c%20"),
            ("/a/b", 2, ""),
            ("/a/b/", 2, "/"),
            ("//a;x/b", 1, "/b"),
            ("/a%2Fb", 1, "%2Fb"),
            ("/%61\\b", 1, "\\b"),
            ("/a/b", 0, "/a/b"),
            ("/", 0, "/"),
            ("/a", 1, ""),
        ] {
            assert_eq!(behind(path, count), rest, "{path}");
        }
    }

    #[test]
    fn a_segment_longer_than_any_route_has_is_cut() {
        let path = format!("/%61{}", "a".repeat(5000));
        assert_eq!(segments(&path).unwrap().0[0].len(), LONGEST);
    }

    proptest::proptest! {
        #[test]
        fn no_path_is_read_in_two_ways(path in "/([a.]|/|%2e|%2F|;|\\\\|%61|%){0,12}") {
            if let Some((segments, is_open)) = segments(&path) {
                assert!(segments.iter().all(|segment| !matches!(segment.as_str(), "" | "." | "..") && !segment.contains('/')));
                let whole = format!("/{}{}", segments.join("/"), if is_open && !segments.is_empty() { "/" } else { "" });
                assert_eq!(self::segments(&whole), Some((segments.clone(), is_open)));
                for count in 0..=segments.len() {
                    let rest = behind(&path, count);
                    assert!(path.ends_with(rest) && (rest.is_empty() || byte_at(rest.as_bytes(), 0).unwrap().0 == b'/'));
                    let left = self::segments(rest).unwrap_or_default().0;
                    assert_eq!(left, segments[count..].to_vec(), "{count} of {path}");
                }
            }
        }
    }
}

//! How deep a text nests, found without recursion and before parsing.
//!
//! The parser bounds brackets and dotted keys at 80 each, but both together make a tree thousands deep, which is freed by
//! recursion and overflows a thread's stack. No config needs more than half of what is allowed here.

/// Brackets that may be open at once.
pub(super) const MAX_OPEN: usize = 16;

/// The byte of the bracket that is one too many.
pub(super) fn too_deep(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut open) = (0, 0_usize);
    while at < bytes.len() {
        match bytes[at] {
            b'[' | b'{' if open == MAX_OPEN => return Some(at),
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            b'#' => at += until(&bytes[at..], |byte| byte == b'\n'),
            quote @ (b'"' | b'\'') => {
                at = after_text(bytes, at, quote);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The byte after the text that starts at `at`; one that is not closed ends with its line, or with the file.
fn after_text(bytes: &[u8], at: usize, quote: u8) -> usize {
    let is_long = bytes[at..].starts_with(&[quote; 3]);
    let marks = if is_long { 3 } else { 1 };
    let mut at = at + marks;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quote == b'"' => at += 1,
            b'\n' if !is_long => return at,
            byte if byte == quote && (!is_long || bytes[at..].starts_with(&[quote; 3])) => return at + marks,
            _ => {}
        }
        at += 1;
    }
    at
}

fn until(bytes: &[u8], is_end: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| is_end(*byte)).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_texts_and_comments_do_not_count() {
        let many = "[".repeat(100);
        for text in [
            format!("a = \"{many}\""),
            format!("a = '{many}'"),
            format!("a = \"\"\"\n{many}\n\"\"\""),
            format!("# {many}"),
            format!("a = \"\\\"{many}\""),
            "[a]\n".repeat(100),
        ] {
            assert_eq!(too_deep(&text), None, "{text}");
        }
    }

    #[test]
    fn the_bracket_too_many_is_named() {
        assert_eq!(too_deep(&format!("a = {}", "[".repeat(100))), Some(4 + MAX_OPEN));
        assert_eq!(too_deep(&format!("a = \"open\n{}", "{".repeat(100))), Some(10 + MAX_OPEN));
    }
}

//! Digests and keys: none is empty, and one of a known kind has its length. Nobody could use one that is cut off.

use super::kind;

/// Whether what follows the numbers of such a record is as long as it has to be.
pub(super) fn check(kind: u16, wire: &[u8]) -> Result<(), String> {
    // Where the digest begins, the byte that says its kind, and the length by that byte.
    let (begin, told_by, lengths): (usize, usize, &[(u8, usize)]) = match kind {
        kind::DS | kind::DLV | kind::CDS => (4, 3, &[(1, 20), (2, 32), (3, 32), (4, 48)]),
        kind::TLSA | kind::SMIMEA => (3, 2, &[(1, 32), (2, 64)]),
        kind::SSHFP => (2, 1, &[(1, 20), (2, 32)]),
        kind::DNSKEY | kind::CDNSKEY => (4, 3, &[]),
        kind::OPENPGPKEY => (0, 0, &[]),
        _ => return Ok(()),
    };
    let digest = wire.len().saturating_sub(begin);
    if digest == 0 {
        return Err("what it is about is missing".to_owned());
    }
    let told = wire.get(told_by).copied().unwrap_or_default();
    match lengths.iter().find(|(by, _)| *by == told) {
        Some((_, length)) if *length != digest => {
            Err(format!("a digest of kind {told} is {length} bytes long, and this one is {digest}"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_whole() {
        let of = |kind: u16, header: &[u8], length: usize| check(kind, &[header, &vec![7; length]].concat()).is_ok();
        assert!(
            of(kind::DS, &[0, 1, 13, 2], 32) && !of(kind::DS, &[0, 1, 13, 2], 31) && !of(kind::DS, &[0, 1, 13, 2], 0)
        );
        assert!(of(kind::TLSA, &[3, 1, 1], 32) && !of(kind::TLSA, &[3, 1, 2], 32) && of(kind::TLSA, &[3, 1, 0], 500));
        assert!(of(kind::SSHFP, &[4, 2], 32) && !of(kind::SSHFP, &[4, 1], 32));
        // What asks a parent to remove its DS records.
        assert!(of(kind::CDS, &[0, 0, 0, 0], 1) && of(kind::CDNSKEY, &[0, 0, 3, 0], 1));
        assert!(of(kind::A, &[], 4) && !of(kind::OPENPGPKEY, &[], 0));
    }
}

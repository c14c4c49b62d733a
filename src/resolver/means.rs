//! Failures to connect that are this node's own.

use std::io;

use rustix::io::Errno;

/// Whether this node could not even ask: out of files, processes, buffers or ports. Whom it wanted to ask has no part in that.
pub fn is_out_of_means(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(
        code,
        Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM | Errno::AGAIN | Errno::ADDRNOTAVAIL)
    )
}

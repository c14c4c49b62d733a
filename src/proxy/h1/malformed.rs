//! What is wrong with a message.

/// Why bytes are not a message that everybody would read alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::proxy) enum Malformed {
    /// Not a request line or status line, or not a header line.
    #[error("a line that is not HTTP")]
    Syntax,
    /// A line that ends in LF without CR, or a CR without LF.
    #[error("a line that does not end in CR LF")]
    LineEnd,
    /// Neither HTTP/1.0 nor HTTP/1.1.
    #[error("a version other than HTTP/1.0 and HTTP/1.1")]
    Version,
    /// More headers than allowed.
    #[error("too many headers")]
    TooManyHeaders,
    /// Bytes in the target that do not belong there.
    #[error("a target with bytes that do not belong there")]
    Target,
    /// Several lengths, or one that is not a number.
    #[error("a `Content-Length` that is not one number")]
    ContentLength,
    /// A length and chunks.
    #[error("a `Content-Length` beside `Transfer-Encoding`")]
    LengthAndChunks,
    /// Something other than one final `chunked`.
    #[error("a `Transfer-Encoding` other than `chunked`")]
    TransferEncoding,
    /// A chunk's size, or what stands around its data.
    #[error("a chunk that is not framed well")]
    Chunk,
    /// Trailers that are not headers, or too many of them.
    #[error("trailers that are not well formed, or too large")]
    Trailers,
}

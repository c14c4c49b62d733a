//! Does it say `SERVING`? The health service of gRPC (grpc.health.v1), with its two tiny messages read and written by hand.

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Request, header};

use super::{
    Failure, Good,
    connect::connect,
    http::{handshake_h2, unaskable, uri},
};
use crate::{resolver::Reach, tls::OriginTls};

const PATH: &str = "/grpc.health.v1.Health/Check";
/// Bytes of an answer; it is two.
const MAX_ANSWER: usize = 1_024;
/// `HealthCheckResponse.ServingStatus.SERVING`.
const SERVING: u64 = 1;

/// Asks about one service; the empty name is the whole server.
pub(super) async fn ask(target: &Reach, tls: Option<&OriginTls>, service: &str, host: &str) -> Result<Good, Failure> {
    let (sender, connection) = handshake_h2(connect(target, tls).await?).await?;
    let request = Request::post(uri(tls.is_some(), host, PATH)?)
        .header(header::CONTENT_TYPE, "application/grpc")
        .header(header::TE, "trailers")
        .header(header::USER_AGENT, concat!("meridian-probe/", env!("CARGO_PKG_VERSION")))
        .body(())
        .map_err(unaskable)?;
    let answer = async {
        let mut sender = sender.ready().await.map_err(Failure::Http2)?;
        let (answer, mut body) = sender.send_request(request, false).map_err(Failure::Http2)?;
        body.send_data(question(service), true).map_err(Failure::Http2)?;
        let (head, mut body) = answer.await.map_err(Failure::Http2)?.into_parts();
        if head.status != 200 {
            return Err(Failure::Status(head.status.as_u16()));
        }
        // What failed at once says so in its only head.
        refused(&head.headers)?;
        let mut seen = Vec::new();
        while let Some(data) = body.data().await {
            let data = data.map_err(Failure::Http2)?;
            if seen.len() + data.len() > MAX_ANSWER {
                return Err(Failure::NotGrpc("it is too long"));
            }
            seen.extend_from_slice(&data);
        }
        let trailers = body.trailers().await.map_err(Failure::Http2)?.ok_or(Failure::NotGrpc("it has no status"))?;
        refused(&trailers)?;
        if !trailers.contains_key(STATUS) {
            return Err(Failure::NotGrpc("it has no status"));
        }
        match status(&seen)? {
            SERVING => Ok(Good::Serving),
            other => Err(Failure::NotServing(other)),
        }
    };
    tokio::select! {
        biased;
        answer = answer => answer,
        Err(error) = connection => Err(Failure::Http2(error)),
    }
}

const STATUS: &str = "grpc-status";

fn refused(headers: &HeaderMap) -> Result<(), Failure> {
    let number = |value: &HeaderValue| value.to_str().ok().and_then(|text| text.parse().ok());
    match headers.get(STATUS).map(number) {
        None | Some(Some(0)) => Ok(()),
        Some(Some(status)) => Err(Failure::GrpcStatus(status)),
        Some(None) => Err(Failure::NotGrpc("its status is no number")),
    }
}

/// A `HealthCheckRequest` in its frame: not compressed, its length, and field 1, the service.
fn question(service: &str) -> Bytes {
    let mut message = BytesMut::with_capacity(service.len() + 3);
    if !service.is_empty() {
        message.put_u8(0x0a);
        put_varint(service.len() as u64, &mut message);
        message.put_slice(service.as_bytes());
    }
    let mut frame = BytesMut::with_capacity(message.len() + 5);
    frame.put_u8(0);
    // A service's name is a line of a config.
    frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    frame.put_slice(&message);
    frame.freeze()
}

fn put_varint(mut number: u64, into: &mut BytesMut) {
    while number >= 0x80 {
        into.put_u8(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    into.put_u8(number.to_le_bytes()[0]);
}

/// Field 1 of the `HealthCheckResponse` in its frame; 0, `UNKNOWN`, where it is not there.
fn status(frame: &[u8]) -> Result<u64, Failure> {
    let Some(([compressed, length @ ..], message)) = frame.split_first_chunk::<5>() else {
        return Err(Failure::NotGrpc("it has no message"));
    };
    if *compressed != 0 {
        return Err(Failure::NotGrpc("it is compressed"));
    }
    if u32::from_be_bytes(*length) as usize != message.len() {
        return Err(Failure::NotGrpc("its message is not as long as it says"));
    }
    fields(message).ok_or(Failure::NotGrpc("its message cannot be read"))
}

/// The last field 1 that is a number; other fields are passed over, as protobuf wants it.
fn fields(mut rest: &[u8]) -> Option<u64> {
    let mut status = 0;
    while !rest.is_empty() {
        let tag = varint(&mut rest)?;
        let skipped = match tag & 7 {
            0 => {
                let number = varint(&mut rest)?;
                if tag >> 3 == 1 {
                    status = number;
                }
                0
            }
            1 => 8,
            2 => usize::try_from(varint(&mut rest)?).ok()?,
            5 => 4,
            _ => return None,
        };
        rest = rest.get(skipped..)?;
    }
    Some(status)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, tail) = rest.split_first()?;
        *rest = tail;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_a_frame_with_the_services_name() {
        assert_eq!(&*question(""), [0, 0, 0, 0, 0]);
        assert_eq!(&*question("a.B"), b"\x00\x00\x00\x00\x05\x0a\x03a.B");
        let long = "s".repeat(200);
        assert_eq!(&question(&long)[..8], b"\x00\x00\x00\x00\xcb\x0a\xc8\x01");
    }

    #[test]
    fn an_answer_is_read_whatever_fields_it_has_besides() {
        let read = |message: &[u8]| {
            let length = u8::try_from(message.len()).unwrap();
            status(&[&[0, 0, 0, 0, length], message].concat())
        };
        assert_eq!(read(b"").unwrap(), 0);
        assert_eq!(read(b"\x08\x01").unwrap(), SERVING);
        assert_eq!(read(b"\x08\x02\x08\x01").unwrap(), SERVING, "the last one holds");
        assert_eq!(read(b"\x12\x03abc\x19\0\0\0\0\0\0\0\0\x25\0\0\0\0\x08\x02").unwrap(), 2);
    }

    #[test]
    fn what_is_no_answer_is_refused_however_it_is_cut() {
        let good = b"\x00\x00\x00\x00\x02\x08\x01";
        for end in 0..good.len() {
            assert!(status(&good[..end]).is_err(), "{end}");
        }
        for bad in [
            &b"\x01\x00\x00\x00\x02\x08\x01"[..],
            b"\x00\x00\x00\x00\x03\x08\x01",
            b"\x00\xff\xff\xff\xff\x08\x01",
            b"\x00\x00\x00\x00\x02\x0b\x01",
            b"\x00\x00\x00\x00\x03\x12\xff\x01",
            b"\x00\x00\x00\x00\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        ] {
            assert!(status(bad).is_err(), "{bad:?}");
        }
    }
}

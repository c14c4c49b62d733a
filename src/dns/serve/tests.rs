//! Sockets of both kinds, with what a kernel does to them.

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    time::Duration,
};

use super::{Replied, Wait, bind, single};

/// Both ways to receive and reply.
trait Batched: Sized {
    fn open(address: &str) -> (Self, SocketAddr);
    fn receive(&mut self, wait: Wait) -> io::Result<usize>;
    fn reply(&mut self, answer: impl FnMut(&[u8], SocketAddr, &mut Vec<u8>) -> bool) -> Replied;

    /// Receives as soon as something has arrived.
    fn wait(&mut self) -> usize {
        for _ in 0..40 {
            match self.receive(Wait::ForOne) {
                Ok(count) => return count,
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
        }
        panic!("nothing has arrived");
    }
}

macro_rules! batched {
    ($($kind:ident),+) => {$(
        impl Batched for super::$kind::Datagrams {
            fn open(address: &str) -> (Self, SocketAddr) {
                let socket = bind::udp(address.parse().unwrap()).unwrap();
                let address = socket.local_addr().unwrap();
                (Self::new(socket).unwrap(), address)
            }
            fn receive(&mut self, wait: Wait) -> io::Result<usize> {
                Self::receive(self, wait)
            }
            fn reply(&mut self, answer: impl FnMut(&[u8], SocketAddr, &mut Vec<u8>) -> bool) -> Replied {
                Self::reply(self, answer)
            }
        }
    )+};
}
batched!(single);
#[cfg(target_os = "linux")]
batched!(batch);

/// A client that hears nobody but this address.
fn client(of: SocketAddr) -> UdpSocket {
    let bound = if of.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" };
    let socket = UdpSocket::bind(bound).unwrap();
    socket.connect(of).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    socket
}

fn heard(client: &UdpSocket) -> Vec<u8> {
    let mut bytes = [0; 2000];
    let length = client.recv(&mut bytes).unwrap();
    bytes[..length].to_vec()
}

/// Answers with what was asked, backwards.
fn backwards(message: &[u8], _: SocketAddr, out: &mut Vec<u8>) -> bool {
    out.clear();
    out.extend(message.iter().rev());
    true
}

/// Receives until so many have come, and replies to each batch.
fn serve<D: Batched>(
    datagrams: &mut D,
    total: usize,
    mut answer: impl FnMut(&[u8], SocketAddr, &mut Vec<u8>) -> bool,
) -> Replied {
    let (mut all, mut seen) = (Replied::default(), 0);
    while seen < total {
        seen += datagrams.wait();
        let replied = datagrams.reply(&mut answer);
        all.oversized += replied.oversized;
        all.unanswerable += replied.unanswerable;
        all.unsent += replied.unsent;
    }
    all
}

fn many_clients_get_each_their_own_answer<D: Batched>() {
    let (mut datagrams, address) = D::open("127.0.0.1:0");
    let clients: Vec<UdpSocket> = (0..70).map(|_| client(address)).collect();
    for round in 0..3 {
        for (number, client) in clients.iter().enumerate() {
            client.send(format!("{round}/{number}").as_bytes()).unwrap();
        }
        let replied = serve(&mut datagrams, clients.len(), backwards);
        assert_eq!(replied, Replied::default());
        for (number, client) in clients.iter().enumerate() {
            let expected: String = format!("{round}/{number}").chars().rev().collect();
            assert_eq!(heard(client), expected.as_bytes());
        }
    }
    assert_eq!(datagrams.receive(Wait::ForNone).unwrap_err().kind(), io::ErrorKind::WouldBlock);
}

fn what_gets_no_answer_leaves_the_others_theirs<D: Batched>() {
    let (mut datagrams, address) = D::open("127.0.0.1:0");
    let clients: Vec<UdpSocket> = (0..9).map(|_| client(address)).collect();
    for (number, client) in clients.iter().enumerate() {
        // The fifth is as long as a query can be, the sixth one byte longer.
        let length = [10, 11, 12, 13, 4096, 4097, 16, 17, 18][number];
        client.send(&vec![u8::try_from(number).unwrap(); length]).unwrap();
    }
    let replied = serve(&mut datagrams, clients.len(), |message, _, out| {
        out.clear();
        // The first is not answered, the third with more than a datagram holds.
        out.resize(if message[0] == 2 { 70_000 } else { 3 }, message[0]);
        message[0] != 0
    });
    assert_eq!(replied, Replied { oversized: 1, unanswerable: 0, unsent: 1 });
    for number in [1, 3, 4, 6, 7, 8] {
        assert_eq!(heard(&clients[number]), [u8::try_from(number).unwrap(); 3]);
    }
    for number in [0, 2, 5] {
        clients[number].set_nonblocking(true).unwrap();
        assert_eq!(clients[number].recv(&mut [0; 9]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
}

#[test]
fn answers_go_to_one_host_and_a_port_of_it() {
    let is_somebody = |client: &str| super::udp::is_somebody(client.parse().unwrap());
    for client in ["192.0.2.1:53", "127.0.0.1:1", "[2001:db8::1]:65535", "[fe80::1]:1"] {
        assert!(is_somebody(client), "{client}");
    }
    for client in
        ["192.0.2.1:0", "0.0.0.0:53", "255.255.255.255:53", "224.0.0.1:53", "[::]:53", "[ff02::1]:53", "[::1]:0"]
    {
        assert!(!is_somebody(client), "{client}");
    }
}

#[test]
fn one_at_a_time_many_clients_get_each_their_own_answer() {
    many_clients_get_each_their_own_answer::<single::Datagrams>();
}

#[test]
fn one_at_a_time_what_gets_no_answer_leaves_the_others_theirs() {
    what_gets_no_answer_leaves_the_others_theirs::<single::Datagrams>();
}

#[cfg(target_os = "linux")]
mod linux {
    use super::*;
    use crate::dns::serve::batch::{Datagrams, WIDTH};

    #[test]
    fn in_batches_many_clients_get_each_their_own_answer() {
        many_clients_get_each_their_own_answer::<Datagrams>();
    }

    #[test]
    fn in_batches_what_gets_no_answer_leaves_the_others_theirs() {
        what_gets_no_answer_leaves_the_others_theirs::<Datagrams>();
    }

    #[test]
    fn a_full_batch_is_followed_by_what_is_left() {
        let (mut datagrams, address) = Datagrams::open("127.0.0.1:0");
        let client = client(address);
        for number in 0..=u8::try_from(WIDTH).unwrap() {
            client.send(&[number]).unwrap();
        }
        assert_eq!(datagrams.wait(), WIDTH);
        assert_eq!(datagrams.reply(backwards), Replied::default());
        assert_eq!(datagrams.wait(), 1);
        assert_eq!(datagrams.reply(backwards), Replied::default());
        for number in 0..=u8::try_from(WIDTH).unwrap() {
            assert_eq!(heard(&client), [number]);
        }
    }

    #[test]
    fn an_answer_leaves_from_the_address_that_was_asked() {
        let (mut datagrams, SocketAddr::V4(all)) = Datagrams::open("0.0.0.0:0") else { panic!("not IPv4") };
        let asked: Vec<UdpSocket> =
            (1..=5).map(|last| client(SocketAddr::from(([127, 0, 0, last], all.port())))).collect();
        for _ in 0..2 {
            for client in &asked {
                client.send(b"from where?").unwrap();
            }
            assert_eq!(serve(&mut datagrams, asked.len(), backwards), Replied::default());
            for client in &asked {
                assert_eq!(heard(client), b"?erehw morf");
            }
        }
    }

    #[test]
    fn an_answer_leaves_from_the_address_that_was_asked_over_ipv6() {
        if UdpSocket::bind("[::1]:0").is_err() {
            return;
        }
        let (mut datagrams, all) = Datagrams::open("[::]:0");
        let client = client(SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], all.port())));
        client.send(b"six").unwrap();
        assert_eq!(serve(&mut datagrams, 1, backwards), Replied::default());
        assert_eq!(heard(&client), b"xis");
    }

    #[test]
    fn what_was_sent_to_many_hosts_is_not_answered() {
        let (mut datagrams, all) = Datagrams::open("0.0.0.0:0");
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.set_broadcast(true).unwrap();
        client.send_to(b"everybody?", ("127.255.255.255", all.port())).unwrap();
        client.send_to(b"you?", ("127.0.0.1", all.port())).unwrap();
        let replied = serve(&mut datagrams, 2, backwards);
        assert_eq!(replied, Replied { oversized: 0, unanswerable: 1, unsent: 0 });
        client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        assert_eq!(heard(&client), b"?uoy");
    }
}

//! A look at a server before it is measured: whether it answers, and what is true.

use std::{
    net::{Ipv4Addr, UdpSocket},
    thread,
    time::Duration,
};

use meridian::clock::seeded;

use crate::{
    client::Target,
    places::{Places, REGIONS, region_of},
    question::{Asked, LONGEST, Questions, addresses},
    scenes::BESIDE_PEERS,
};

/// Clients that are looked at.
const CLIENTS: usize = 64;
const TRIES: usize = 600;
const PAUSE: Duration = Duration::from_millis(50);

/// Waits until a server has started and answers rightly.
pub(crate) fn until_right(name: &str, target: Target, places: &Places) {
    let mut wrong = None;
    for _ in 0..TRIES {
        match look(target, places) {
            Ok(()) => return,
            Err(error) => wrong = Some(error),
        }
        thread::sleep(PAUSE);
    }
    panic!("{name}: {}", wrong.unwrap_or_default());
}

fn look(target: Target, places: &Places) -> Result<(), String> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.connect(target.address).unwrap();
    socket.set_read_timeout(Some(PAUSE * 10)).unwrap();
    let questions = Questions::new(&BESIDE_PEERS[0], target.names);
    let ask = |asked, network| -> Result<Ipv4Addr, String> {
        let mut message = [0; 1232];
        let length = questions.write_one(7, asked, network, &mut message[..LONGEST]);
        socket.send(&message[..length]).map_err(|error| error.to_string())?;
        let length = socket.recv(&mut message).map_err(|error| error.to_string())?;
        let found = addresses(&message[..length], asked).map_err(|error| format!("{asked:?}: {error}"))?;
        Ok(found[0])
    };
    for number in [0, target.names - 1] {
        ask(Asked::Static(number), 0)?;
    }
    let (mut random, mut seen) = (seeded(2), [false; REGIONS.len()]);
    for _ in 0..CLIENTS {
        let network = random.u32(..1 << 24);
        let region = region_of(ask(Asked::Steered, network)?).ok_or("it leads to no region")?;
        let nearest = places.nearest(Ipv4Addr::from_bits(network << 8));
        if region != nearest {
            let (region, nearest) = (REGIONS[region].name, REGIONS[nearest].name);
            return Err(format!("{} leads to {region}, and not to {nearest}", Ipv4Addr::from_bits(network << 8)));
        }
        seen[region] = true;
    }
    if seen.contains(&false) { Err("it never leads to one of the regions".to_owned()) } else { Ok(()) }
}

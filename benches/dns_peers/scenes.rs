//! What the clients do.

/// How many queries of a hundred ask the steered name; the others ask a static one at random.
pub(crate) const STEERED_PERCENT: u8 = 50;

/// One kind of traffic.
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    /// So many of a hundred queries ask the steered name.
    pub(crate) steered_percent: u8,
    /// Whether each query brings a client subnet: a random /24.
    pub(crate) has_subnet: bool,
    pub(crate) over: Over,
}

/// By what, and how fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// As fast as it goes.
    Udp,
    /// So many queries a second, evenly.
    PacedUdp(u32),
    /// As fast as it goes, several queries under way on each connection.
    Tcp,
}

/// Beside the peers.
pub(crate) const BESIDE_PEERS: [Scene; 5] = [
    Scene { name: "UDP, client subnet", steered_percent: STEERED_PERCENT, has_subnet: true, over: Over::Udp },
    Scene { name: "UDP, client subnet, all steered", steered_percent: 100, has_subnet: true, over: Over::Udp },
    Scene { name: "UDP, no client subnet", steered_percent: STEERED_PERCENT, has_subnet: false, over: Over::Udp },
    Scene { name: "TCP, client subnet", steered_percent: STEERED_PERCENT, has_subnet: true, over: Over::Tcp },
    Scene { name: "1,000/s fixed", steered_percent: STEERED_PERCENT, has_subnet: true, over: Over::PacedUdp(1000) },
];

/// Beside meridian with much less to know.
pub(crate) const BESIDE_SMALL: Scene =
    Scene { name: "small and large", steered_percent: STEERED_PERCENT, has_subnet: true, over: Over::Udp };

impl Scene {
    pub(crate) fn named(name: &str) -> &'static Self {
        BESIDE_PEERS.iter().chain([&BESIDE_SMALL]).find(|scene| scene.name == name).expect("a scene of this program")
    }
}

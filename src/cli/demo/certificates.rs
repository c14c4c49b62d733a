//! A certificate for the demo, from an authority that lives as long as the demo does.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use super::scene::Scene;

/// Who issued it, for clients to believe.
pub(super) const AUTHORITY: &str = "authority.pem";
pub(super) const CHAIN: &str = "shop.example.pem";
pub(super) const KEY: &str = "shop.example.key";

/// Writes all three files.
pub(super) fn write(scene: &Scene, directory: &Path) -> Result<(), String> {
    let (authority, chain, key) = issue(scene).map_err(|error| format!("no certificate for the demo: {error}"))?;
    for (name, text) in [(AUTHORITY, authority), (CHAIN, chain), (KEY, key)] {
        let path = directory.join(name);
        std::fs::write(&path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}

fn issue(scene: &Scene) -> Result<(String, String, String), rcgen::Error> {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "meridian demo");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate()?;
    let authority_pem = authority.self_signed(&authority_key)?.pem();
    let issuer = Issuer::new(authority, authority_key);
    let doors = scene.places.iter().map(|place| place.front_door().to_string());
    let names: Vec<String> = ["shop.example", "*.shop.example"].map(str::to_owned).into_iter().chain(doors).collect();
    let key = KeyPair::generate()?;
    let chain = CertificateParams::new(names)?.signed_by(&key, &issuer)?.pem();
    Ok((authority_pem, chain, key.serialize_pem()))
}

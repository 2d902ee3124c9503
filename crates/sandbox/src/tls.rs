//! TLS for clients that insist on `https`: a certificate authority of our own, made at start.

use std::{net::IpAddr, path::Path, sync::Arc};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose, SanType,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

use crate::SandboxError;

/// An acceptor with a certificate for `localhost`, the listening address and Graph's own host names. The CA's
/// certificate is written to `ca_file`; its key is never kept.
pub fn acceptor(ca_file: &Path, address: IpAddr) -> Result<TlsAcceptor, SandboxError> {
    let failed = |error: rcgen::Error| SandboxError::Certificate(error.to_string());
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca.distinguished_name.push(DnType::CommonName, "Adjoin sandbox CA");
    let issuer = CertifiedIssuer::self_signed(ca, KeyPair::generate().map_err(failed)?).map_err(failed)?;

    let names = ["localhost", "graph.facebook.com", "graph-video.facebook.com", "www.facebook.com"];
    let mut leaf = CertificateParams::new(names.map(str::to_owned)).map_err(failed)?;
    for ip in [address, [127, 0, 0, 1].into(), IpAddr::V6(std::net::Ipv6Addr::LOCALHOST)] {
        let name = SanType::IpAddress(ip);
        if !leaf.subject_alt_names.contains(&name) {
            leaf.subject_alt_names.push(name);
        }
    }
    leaf.distinguished_name.push(DnType::CommonName, "Adjoin sandbox");
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = leaf.signed_by(&key, &issuer).map_err(failed)?;

    std::fs::write(ca_file, issuer.pem())
        .map_err(|source| SandboxError::CaFile { path: ca_file.to_owned(), source })?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .map_err(|error| SandboxError::Certificate(error.to_string()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

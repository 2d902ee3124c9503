//! Where we send. A partner names the address, so it must not lead into the networks the service stands in: not by its
//! text, not by a name that resolves there, not by one that resolves there only sometimes. The filter stands in the
//! resolver of the HTTP client, so that the address which was checked is the one that is connected to.
//!
//! The operator may allow hosts and networks (`delivery_allow`): a partner's own systems often are internal.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
    sync::Arc,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde::Deserialize;
use url::{Host, Url};

/// Ports that may be sent to. Others would make the service a scanner of other people's ports; a receiver with another
/// port is allowed by the operator.
const PORTS: [u16; 2] = [443, 8443];

/// What the operator allows besides: a host, a host and port, a network. `http` and all ports are allowed there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Allowed {
    what: What,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    /// In lower case.
    Name(String),
    /// The first bits of an address; IPv4 as in `::ffff:0:0/96`.
    Net { bits: u128, len: u32 },
}

/// It is no host, no host and port, no network.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0:?} is no host (crm.internal), host and port (crm.internal:8080) or network (10.1.0.0/16)")]
pub struct NotAllowable(String);

impl FromStr for Allowed {
    type Err = NotAllowable;

    fn from_str(text: &str) -> Result<Self, NotAllowable> {
        let wrong = || NotAllowable(text.to_owned());
        let text = text.trim();
        if let Some((address, len)) = text.split_once('/') {
            let address: IpAddr = address.parse().map_err(|_| wrong())?;
            let len: u32 = len.parse().map_err(|_| wrong())?;
            let (width, before) = if address.is_ipv4() { (32, 96) } else { (128, 0) };
            if len > width {
                return Err(wrong());
            }
            return Ok(Self { what: What::Net { bits: bits(address), len: len + before }, port: None });
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self { what: What::Net { bits: bits(address), len: 128 }, port: None });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let what = match Host::parse(host).map_err(|_| wrong())? {
            Host::Domain(name) => What::Name(name),
            Host::Ipv4(address) => What::Net { bits: bits(address.into()), len: 128 },
            Host::Ipv6(address) => What::Net { bits: bits(address.into()), len: 128 },
        };
        Ok(Self { what, port })
    }
}

impl TryFrom<String> for Allowed {
    type Error = NotAllowable;

    fn try_from(text: String) -> Result<Self, NotAllowable> {
        text.parse()
    }
}

impl Allowed {
    fn has_name(&self, name: &str, port: u16) -> bool {
        self.port.is_none_or(|it| it == port) && matches!(&self.what, What::Name(it) if it == name)
    }

    fn has_address(&self, address: IpAddr, port: u16) -> bool {
        self.port.is_none_or(|it| it == port) && self.holds(address)
    }

    /// Whether a name may resolve to it. Not for an entry with a port: a resolver is not told the port.
    fn is_net_of(&self, address: IpAddr) -> bool {
        self.port.is_none() && self.holds(address)
    }

    fn holds(&self, address: IpAddr) -> bool {
        match self.what {
            What::Name(_) => false,
            What::Net { len: 0, .. } => true,
            What::Net { bits: net, len } => (bits(address) ^ net) >> (128 - len) == 0,
        }
    }
}

/// IPv4 as it is mapped into IPv6.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// Why nothing is sent to a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("it has no host")]
    NoHost,
    #[error("a user name or password in the URL would end up in logs")]
    UserInfo,
    #[error("it is not https")]
    NotHttps,
    #[error("its port is neither 443 nor 8443")]
    Port,
    #[error("its address is internal")]
    Internal,
}

/// Which resolver a request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Public addresses, and those of allowed networks.
    Public,
    /// Only addresses of allowed networks: plain http, or another port.
    AllowedNets,
    /// The operator named the host.
    Named,
}

/// What the operator allows.
#[derive(Debug, Clone, Default)]
pub struct Guard(Arc<[Allowed]>);

impl Guard {
    pub fn new(allowed: &[Allowed]) -> Self {
        Self(allowed.into())
    }

    /// How a URL is sent to, by its text. Asked at each attempt: addresses in a URL do not pass the resolver.
    pub fn way(&self, url: &Url) -> Result<Way, Refusal> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::UserInfo);
        }
        let port = url.port_or_known_default().ok_or(Refusal::NotHttps)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refusal::NotHttps);
        }
        let ordinary = if url.scheme() != "https" {
            Err(Refusal::NotHttps)
        } else if PORTS.contains(&port) {
            Ok(Way::Public)
        } else {
            Err(Refusal::Port)
        };
        let address: IpAddr = match url.host().ok_or(Refusal::NoHost)? {
            Host::Domain(name) => {
                if self.0.iter().any(|it| it.has_name(name, port)) {
                    return Ok(Way::Named);
                }
                // Whether the name leads into an allowed network is known when it is resolved.
                let has_nets =
                    self.0.iter().any(|it| it.port.is_none() && matches!(it.what, What::Net { .. }));
                return if ordinary.is_err() && has_nets { Ok(Way::AllowedNets) } else { ordinary };
            }
            Host::Ipv4(address) => address.into(),
            Host::Ipv6(address) => address.into(),
        };
        if self.0.iter().any(|it| it.has_address(address, port)) {
            Ok(Way::Named)
        } else if is_internal(address) {
            Err(Refusal::Internal)
        } else {
            ordinary
        }
    }

    /// Whether a name may resolve to this address.
    fn permits(&self, way: Way, address: IpAddr) -> bool {
        match way {
            Way::Named => true,
            Way::AllowedNets => self.0.iter().any(|it| it.is_net_of(address)),
            Way::Public => !is_internal(address) || self.0.iter().any(|it| it.is_net_of(address)),
        }
    }

    /// Refuses the whole name when any of its addresses is not permitted: the next answer might be that one alone.
    pub fn check(&self, way: Way, addresses: &[SocketAddr]) -> Result<(), Refusal> {
        let all = addresses.iter().all(|address| self.permits(way, address.ip()));
        if all { Ok(()) } else { Err(Refusal::Internal) }
    }
}

/// The system's resolver behind the guard.
#[derive(Debug, Clone)]
pub struct Resolver {
    pub guard: Guard,
    pub way: Way,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let Self { guard, way } = self.clone();
        Box::pin(async move {
            // The port is the connector's business.
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            guard.check(way, &found)?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Name(name) => f.write_str(name)?,
            What::Net { bits, len } => write!(f, "{}/{len}", Ipv6Addr::from_bits(*bits))?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// IPv4 networks that are not the public internet: the special-purpose registry of IANA, multicast and reserved.
const INTERNAL_V4: [(Ipv4Addr, u32); 16] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 31, 196, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// Networks within 2000::/3, the only public one of IPv6, that are not public all the same: IETF protocols with Teredo,
/// documentation, 6to4, and again documentation.
const INTERNAL_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Whether an address is not of the public internet. An IPv4 address that is mapped into IPv6, or translated by NAT64
/// (64:ff9b::/96), counts as what it is; every other embedding is internal.
pub fn is_internal(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            INTERNAL_V4.iter().any(|(net, len)| (address.to_bits() ^ net.to_bits()) >> (32 - len) == 0)
        }
        IpAddr::V6(address) => {
            let all = address.to_bits();
            let nat64 = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0).to_bits();
            if all >> 32 == nat64 >> 32 || address.to_ipv4_mapped().is_some() {
                let [.., a, b, c, d] = address.octets();
                return is_internal(IpAddr::V4(Ipv4Addr::new(a, b, c, d)));
            }
            let is_global = all >> 125 == 1;
            !is_global || INTERNAL_V6.iter().any(|(net, len)| (all ^ net.to_bits()) >> (128 - len) == 0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(allowed: &[&str]) -> Guard {
        let allowed: Vec<Allowed> = allowed.iter().map(|it| it.parse().unwrap()).collect();
        Guard::new(&allowed)
    }

    fn way(guard: &Guard, url: &str) -> Result<Way, Refusal> {
        guard.way(&url.parse().unwrap())
    }

    #[test]
    fn what_is_not_public_is_internal() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.1.2.3",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:0808:0808::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(is_internal(address.parse().unwrap()), "{address}");
        }
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "198.17.255.255",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2606:4700:4700::1111",
            "2a00:1450:4001::1",
        ] {
            assert!(!is_internal(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_url_is_judged_by_its_text() {
        let none = guard(&[]);
        assert_eq!(way(&none, "https://hooks.example.com/in?a=b"), Ok(Way::Public));
        assert_eq!(way(&none, "https://hooks.example.com:8443/"), Ok(Way::Public));
        assert_eq!(way(&none, "https://8.8.8.8/"), Ok(Way::Public));
        for (url, refusal) in [
            ("http://hooks.example.com/", Refusal::NotHttps),
            ("ftp://hooks.example.com/", Refusal::NotHttps),
            ("file:///etc/passwd", Refusal::NotHttps),
            ("https://hooks.example.com:22/", Refusal::Port),
            ("https://hooks.example.com:8080/", Refusal::Port),
            ("https://me:secret@hooks.example.com/", Refusal::UserInfo),
            ("https://me@hooks.example.com/", Refusal::UserInfo),
            ("https://127.0.0.1/", Refusal::Internal),
            ("https://2130706433/", Refusal::Internal),
            ("https://0x7f.1/", Refusal::Internal),
            ("https://0177.0.0.1/", Refusal::Internal),
            ("https://127.1/", Refusal::Internal),
            ("https://[::1]/", Refusal::Internal),
            ("https://[::ffff:169.254.169.254]/", Refusal::Internal),
            ("https://169.254.169.254/latest/meta-data", Refusal::Internal),
        ] {
            assert_eq!(way(&none, url), Err(refusal), "{url}");
        }
    }

    #[test]
    fn one_internal_answer_refuses_the_name() {
        let addresses = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|it| SocketAddr::new(it.parse().unwrap(), 0)).collect()
        };
        let (none, some) = (guard(&[]), guard(&["10.1.0.0/16"]));
        assert_eq!(none.check(Way::Public, &addresses(&["8.8.8.8", "1.1.1.1"])), Ok(()));
        assert_eq!(none.check(Way::Public, &addresses(&["8.8.8.8", "10.1.0.1"])), Err(Refusal::Internal));
        assert_eq!(some.check(Way::Public, &addresses(&["8.8.8.8", "10.1.0.1"])), Ok(()));
        assert_eq!(some.check(Way::Public, &addresses(&["10.2.0.1"])), Err(Refusal::Internal));
        assert_eq!(some.check(Way::AllowedNets, &addresses(&["10.1.0.1", "::ffff:10.1.9.9"])), Ok(()));
        assert_eq!(
            some.check(Way::AllowedNets, &addresses(&["10.1.0.1", "8.8.8.8"])),
            Err(Refusal::Internal)
        );
        assert_eq!(none.check(Way::Named, &addresses(&["127.0.0.1"])), Ok(()));
    }

    #[test]
    fn the_operator_allows_hosts_ports_and_networks() {
        let it = guard(&[
            "crm.internal",
            "Queue.internal:8080",
            "10.1.0.0/16",
            "192.168.7.7:9000",
            "[::1]:80",
            "fd00::/8",
        ]);
        for url in [
            "http://crm.internal:1234/",
            "https://CRM.internal/",
            "http://queue.internal:8080/",
            "http://10.1.2.3:81/",
            "http://[::ffff:10.1.2.3]/",
            "http://192.168.7.7:9000/",
            "http://[::1]/",
            "http://[fd12::1]:7000/",
        ] {
            assert_eq!(way(&it, url), Ok(Way::Named), "{url}");
        }
        assert_eq!(way(&it, "http://queue.internal/"), Ok(Way::AllowedNets));
        assert_eq!(way(&it, "http://other.example.com:81/"), Ok(Way::AllowedNets));
        assert_eq!(way(&it, "https://other.example.com/"), Ok(Way::Public));
        assert_eq!(way(&it, "http://10.2.0.1/"), Err(Refusal::Internal));
        assert_eq!(way(&it, "http://192.168.7.7:9001/"), Err(Refusal::Internal));
        assert_eq!(way(&it, "http://8.8.8.8/"), Err(Refusal::NotHttps));
        assert_eq!(way(&it, "http://a:b@crm.internal/"), Err(Refusal::UserInfo));
        for wrong in ["", "10.0.0.0/33", "fd00::/129", "a b", "crm:port", "10.0.0/8", "http://crm/"] {
            assert!(wrong.parse::<Allowed>().is_err(), "{wrong}");
        }
    }
}

//! Network path to one host: name, proxy, TLS. Pure.

use std::net::IpAddr;

use super::certificate::Certificate;
use super::observation::HostObservation;
use super::{Check, CheckId, Fix, clock, set_variable};
use crate::env::var;
use crate::http::{HttpError, NetworkFault};
use crate::model::is_loopback;
use crate::platform::Platform;

/// Maximum number of addresses shown for a name.
const SHOWN: usize = 3;

/// Verdict on the name of the host.
#[must_use]
pub fn dns(observation: &HostObservation) -> Check {
    let id = CheckId::Dns;
    let host = observation.host();
    if is_loopback(&observation.url) {
        return Check::ok(id, format!("{host} is this machine"));
    }
    let name = observation.proxy.as_ref().map_or(host, |proxy| proxy.host.as_str());
    if observation.addresses.is_empty() {
        let whose = if observation.proxy.is_some() { "the proxy's name" } else { "the name" };
        return Check::failed(id, format!("{whose} {name} cannot be resolved"), format!("nslookup {name}"));
    }
    if observation.proxy.is_some() {
        return Check::ok(id, format!("{host} is resolved by the proxy"));
    }
    let is_private = |address: &IpAddr| match address {
        IpAddr::V4(address) => address.is_private(),
        IpAddr::V6(address) => address.is_unique_local(),
    };
    let shown: Vec<String> = observation.addresses.iter().take(SHOWN).map(ToString::to_string).collect();
    let kind = if observation.addresses.iter().all(is_private) { " (a private network)" } else { "" };
    Check::ok(id, format!("{host} is {}{kind}", shown.join(", ")))
}

/// Verdict on the proxy for the host.
#[must_use]
pub fn proxy(observation: &HostObservation) -> Check {
    let (id, host) = (CheckId::Proxy, observation.host());
    let Some(proxy) = &observation.proxy else { return Check::ok(id, format!("none for {host}")) };
    let address = &proxy.address;
    let others = if Platform::CURRENT == Platform::Windows { "" } else { "$NO_PROXY," };
    let around = || set_variable(Platform::CURRENT, var::NO_PROXY, &format!("{others}{host}"));
    match observation.network_fault() {
        Some(NetworkFault::ProxyDown) => {
            Check::failed(id, format!("{address} cannot be reached"), format!("curl -v {address}"))
        }
        Some(NetworkFault::Proxy { status: Some(407) }) => {
            let wants = if proxy.has_credentials {
                "refuses the user name and password"
            } else {
                "requires a user name and password"
            };
            let with_user = address.replacen("://", "://USER:PASSWORD@", 1);
            let fix = set_variable(Platform::CURRENT, var::HTTPS_PROXY, &with_user);
            Check::failed(id, format!("{address} {wants} (407)"), fix)
        }
        Some(NetworkFault::Proxy { status: _ }) => {
            Check::failed(id, format!("{address} does not allow {host}"), around())
        }
        _ if proxy.has_credentials => Check::ok(id, format!("{address} for {host}, with a user name")),
        _ => Check::ok(id, format!("{address} for {host}")),
    }
}

/// Verdict on TLS to the project's host.
#[must_use]
pub fn tls(observation: &HostObservation) -> Check {
    let id = CheckId::Tls;
    if dns(observation).is_failed() {
        return Check::not_checked(id, CheckId::Dns);
    }
    if proxy(observation).is_failed() {
        return Check::not_checked(id, CheckId::Proxy);
    }
    reached(id, observation)
}

/// Verdict on the network path to a blob store: name, proxy and TLS in one.
#[must_use]
pub fn blob_store(observation: &HostObservation) -> Check {
    let id = CheckId::BlobStore;
    let stopped = [dns(observation), proxy(observation)].into_iter().find(Check::is_failed);
    match stopped {
        Some(check) => Check { id, ..check },
        None if observation.is_of_another => {
            let host = observation.host();
            let message =
                format!("what answers as {host} is not a blob store: a proxy or gateway may respond in its place");
            Check::failed(id, message, "Sign in to the network in a browser, or check HTTPS_PROXY and NO_PROXY.")
        }
        None => reached(id, observation),
    }
}

fn reached(id: CheckId, observation: &HostObservation) -> Check {
    let host = observation.host();
    let Some(fault) = &observation.fault else {
        return Check::ok(
            id,
            match signers(&observation.chain) {
                _ if observation.url.scheme() == "http" => format!("{host} answers; no TLS, as it is this machine"),
                None => format!("{host} answers"),
                Some(signers) => format!("{host} answers; its certificate is {signers}"),
            },
        );
    };
    match fault {
        HttpError::Network { fault: fault @ (NetworkFault::Tls | NetworkFault::Untrusted), message, .. } => {
            let (message, fix) = certificate_fault(observation, *fault, message);
            Check::failed(id, message, fix)
        }
        HttpError::Setup { .. } => {
            let fix = "Correct SSL_CERT_FILE and SSL_CERT_DIR, or unset them.";
            Check::failed(id, fault.to_string(), fix)
        }
        _ => Check::failed(id, fault.to_string(), format!("curl -v {}", observation.url)),
    }
}

/// `signed by 'Issuing CA 04', root 'Global Root G2'`.
fn signers(chain: &[Certificate]) -> Option<String> {
    let own = chain.first()?;
    if own.is_self_signed {
        return Some(format!("self-signed by '{}'", own.subject));
    }
    let top = chain.last().filter(|top| top.issuer != own.issuer);
    let root = top.map(|top| format!(", root '{}'", top.issuer)).unwrap_or_default();
    Some(format!("signed by '{}'{root}", own.issuer))
}

fn certificate_fault(observation: &HostObservation, fault: NetworkFault, message: &str) -> (String, Fix) {
    let host = observation.host();
    let Some(own) = observation.chain.first() else {
        return (format!("TLS connection to {host} failed: {message}"), format!("curl -v {}", observation.url).into());
    };
    if observation.now < own.not_before || observation.now > own.not_after {
        let message = format!(
            "the certificate of {host} is valid from {} to {}, but this machine's clock shows {}",
            own.not_before.date(),
            own.not_after.date(),
            observation.now.date()
        );
        return (message, clock::set_command(Platform::CURRENT).into());
    }
    let signers = signers(&observation.chain).unwrap_or_default();
    if fault == NetworkFault::Tls {
        let message = format!("TLS connection to {host} failed, whose certificate is {signers}: {message}");
        // A certificate rejected for its own defect cannot be made trusted either.
        let fix: Fix = match own.is_self_signed {
            true => format!("Ask the administrator of {host} for a certificate that an authority has signed.").into(),
            false => format!("curl -v {}", observation.url).into(),
        };
        return (message, fix);
    }
    let authority =
        if own.is_self_signed { &own.subject } else { observation.chain.last().map_or(&own.issuer, |top| &top.issuer) };
    let message = format!(
        "the certificate of {host} is {signers}, which this machine does not trust; get the certificate of '{authority}' from your network administrator as ca.pem"
    );
    (message, trust_command(Platform::CURRENT).into())
}

/// Command that makes a platform trust an additional authority, for this program and for AzCopy.
fn trust_command(platform: Platform) -> &'static str {
    match platform {
        Platform::Linux => "export SSL_CERT_FILE=ca.pem",
        Platform::MacOs => {
            "sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain ca.pem"
        }
        Platform::Windows => "certutil -user -addstore Root ca.pem",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use time::OffsetDateTime;

    use super::*;

    fn certificate(subject: &str, issuer: &str) -> Certificate {
        Certificate {
            subject: subject.to_owned(),
            issuer: issuer.to_owned(),
            is_self_signed: subject == issuer,
            not_before: OffsetDateTime::UNIX_EPOCH,
            not_after: OffsetDateTime::UNIX_EPOCH + Duration::from_secs(86_400),
        }
    }

    fn refused(chain: Vec<Certificate>, now: OffsetDateTime) -> HostObservation {
        let message = "invalid peer certificate: UnknownIssuer".to_owned();
        let fault =
            HttpError::Network { host: "h:443".to_owned(), fault: NetworkFault::Untrusted, connecting: true, message };
        HostObservation { fault: Some(fault), chain, now, ..HostObservation::reached("https://h/") }
    }

    #[test]
    fn a_network_is_private_if_all_its_addresses_are() {
        let (private, unique) = ("10.0.0.1".parse().expect("an address"), "fd00::1".parse().expect("an address"));
        let public: IpAddr = "20.1.2.3".parse().expect("an address");
        for (addresses, message) in [
            (vec![private, unique], "h is 10.0.0.1, fd00::1 (a private network)"),
            (vec![private, public], "h is 10.0.0.1, 20.1.2.3"),
            (vec![public; 4], "h is 20.1.2.3, 20.1.2.3, 20.1.2.3"),
        ] {
            let check = dns(&HostObservation { addresses, ..HostObservation::reached("https://h/") });
            assert_eq!(check, Check::ok(CheckId::Dns, message));
        }
    }

    #[test]
    fn the_signers_are_reported_up_to_the_root() {
        for (chain, expected) in [
            (vec![], None),
            (vec![certificate("h", "h")], Some("self-signed by 'h'")),
            (vec![certificate("h", "A")], Some("signed by 'A'")),
            (vec![certificate("h", "A"), certificate("A", "R")], Some("signed by 'A', root 'R'")),
            (vec![certificate("h", "A"), certificate("A", "A")], Some("signed by 'A'")),
        ] {
            assert_eq!(signers(&chain).as_deref(), expected);
        }
    }

    #[test]
    fn a_certificate_that_is_not_trusted_names_its_authority() {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::from_secs(60);
        for (chain, authority) in [
            (vec![certificate("h", "h")], "'h'"),
            (vec![certificate("h", "Issuing"), certificate("Issuing", "Root")], "'Root'"),
        ] {
            let check = tls(&refused(chain, now));
            assert!(
                check.is_failed() && check.message.contains(&format!("the certificate of {authority} from")),
                "{check:?}"
            );
            assert_eq!(check.fix, Some(trust_command(Platform::CURRENT).into()));
        }
    }

    #[test]
    fn a_self_signed_certificate_of_an_authority_has_to_be_replaced() {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::from_secs(60);
        let message = "invalid peer certificate: a server cannot use the certificate of an authority".to_owned();
        let fault = HttpError::Network { host: "h:443".into(), fault: NetworkFault::Tls, connecting: true, message };
        let check = tls(&HostObservation { fault: Some(fault), ..refused(vec![certificate("h", "h")], now) });
        assert_eq!(
            check.message,
            "TLS connection to h failed, whose certificate is self-signed by 'h': invalid peer certificate: a server \
             cannot use the certificate of an authority"
        );
        let fix = "Ask the administrator of h for a certificate that an authority has signed.";
        assert_eq!(check.fix, Some(fix.to_owned().into()));
    }

    #[test]
    fn a_clock_outside_the_validity_must_be_corrected() {
        let check =
            tls(&refused(vec![certificate("h", "A")], OffsetDateTime::UNIX_EPOCH + Duration::from_secs(172_800)));
        assert_eq!(
            check.message,
            "the certificate of h is valid from 1970-01-01 to 1970-01-02, but this machine's clock shows 1970-01-03"
        );
        assert_eq!(check.fix, Some(clock::set_command(Platform::CURRENT).into()));
    }
}

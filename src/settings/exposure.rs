//! What a network could read: a listener, a database and a mail server that are reached without
//! verified encryption. Each is found with the setting that changes it.

use std::net::{IpAddr, SocketAddr};

use url::{Url, form_urlencoded};

use super::sections::MailSettings;
use super::values::{DatabaseUrl, MailTls};
use crate::text;

/// The variables of libpq that say what a URL leaves out.
#[derive(Debug, Default)]
pub(super) struct LibpqVariables {
    host: Option<String>,
    hostaddr: Option<String>,
    sslmode: Option<String>,
    service: Option<String>,
}

impl LibpqVariables {
    #[expect(
        clippy::disallowed_methods,
        reason = "libpq reads them as well, and no setting replaces them"
    )]
    pub(super) fn from_environment() -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            host: variable("PGHOST"),
            hostaddr: variable("PGHOSTADDR"),
            sslmode: variable("PGSSLMODE"),
            service: variable("PGSERVICE"),
        }
    }
}

/// Returns a listener that others can reach, where no proxy with TLS is in front.
pub(super) fn of_listener(listen: SocketAddr, is_https: bool) -> Option<String> {
    let is_local = listen.ip().to_canonical().is_loopback();
    (!is_local && !is_https).then(|| {
        format!(
            "listen is {listen}, where passwords and cookies arrive unencrypted: put a proxy with \
             TLS in front and set public_url to its https address, or listen at 127.0.0.1"
        )
    })
}

/// Returns whether only this machine reaches the service: by the address that it listens at, and by the
/// host of its URL, behind which a proxy may stand.
pub(super) fn is_for_this_machine(listen: SocketAddr, public_url: Option<&Url>) -> bool {
    let host = public_url.and_then(Url::host_str);
    listen.ip().to_canonical().is_loopback() && host.is_none_or(is_local)
}

/// Returns a listener of metrics that others can reach: it has no TLS of its own.
pub(super) fn of_metrics(listen: Option<SocketAddr>) -> Option<String> {
    let listen = listen.filter(|listen| !listen.ip().to_canonical().is_loopback())?;
    Some(format!(
        "metrics.listen is {listen}, where anybody in the network reads the metrics: listen at \
         127.0.0.1, with a proxy with TLS in front for other machines"
    ))
}

/// Returns a PostgreSQL server elsewhere whose identity is not verified.
pub(super) fn of_database(url: &DatabaseUrl, libpq: &LibpqVariables) -> Option<String> {
    let DatabaseUrl::Postgres(url) = url else {
        return None;
    };
    let target = PostgresTarget::new(url, libpq);
    let is_verified = target.sslmode.as_deref() == Some("verify-full");
    (!is_verified && target.is_elsewhere()).then(|| {
        "database_url leads to another machine, which is not verified: add sslmode=verify-full to \
         it, with sslrootcert for a certificate that is not among the system's"
            .to_owned()
    })
}

/// Returns an SMTP server elsewhere that messages are sent to unencrypted.
pub(super) fn of_mail(mail: &MailSettings) -> Option<String> {
    let host = mail.host.as_deref().unwrap_or_default();
    (mail.sends_mail() && mail.tls == MailTls::None && !is_local(host)).then(|| {
        format!(
            "mail.tls is none and mail.host is {host:?}: links that set passwords are sent \
             unencrypted; set mail.tls to starttls or implicit"
        )
    })
}

/// Where libpq connects to by a URL, whose hosts can be several, and how.
struct PostgresTarget {
    /// Host names, addresses or folders of sockets; an empty one is the default socket.
    hosts: Vec<String>,
    sslmode: Option<String>,
    /// Whether a file of services says what the URL and the variables leave out: that isn't read.
    has_service: bool,
}

impl PostgresTarget {
    fn new(url: &str, libpq: &LibpqVariables) -> Self {
        let (_, rest) = url.split_once("://").unwrap_or(("", url));
        let (base, query) = rest.split_once('?').unwrap_or((rest, ""));
        let authority = base.split('/').next().unwrap_or_default();
        let (_, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        // The last of several values counts.
        let parameter = |name: &str| {
            form_urlencoded::parse(query.as_bytes())
                .filter(|(key, _)| key == name)
                .last()
                .map(|(_, value)| value.into_owned())
        };
        let from_url = Some(hosts)
            .filter(|hosts| !hosts.is_empty())
            .map(|hosts| hosts.split(',').map(host_of).collect::<Vec<_>>().join(","));
        // An address takes the place of the name, which is then only verified.
        let host = parameter("hostaddr")
            .or_else(|| libpq.hostaddr.clone())
            .or_else(|| parameter("host"))
            .or(from_url)
            .or_else(|| libpq.host.clone())
            .unwrap_or_default();
        Self {
            hosts: host.split(',').map(|host| host.trim().to_owned()).collect(),
            sslmode: parameter("sslmode").or_else(|| libpq.sslmode.clone()),
            has_service: parameter("service").is_some() || libpq.service.is_some(),
        }
    }

    fn is_elsewhere(&self) -> bool {
        let is_default = self.hosts.iter().all(String::is_empty);
        (is_default && self.has_service) || self.hosts.iter().any(|host| !is_local(host))
    }
}

/// Returns the host of `host:port` or `[host]:port`, percent-decoded.
fn host_of(text: &str) -> String {
    let host = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => text.split(':').next().unwrap_or_default(),
    };
    text::percent_decoded(host).unwrap_or_else(|| host.to_owned())
}

/// Returns whether a host is this machine: a loopback address or its name, or a socket.
fn is_local(host: &str) -> bool {
    let is_socket = host.is_empty() || host.starts_with(['/', '@']);
    let name = host.trim_start_matches('[').trim_end_matches([']', '.']);
    let is_loopback = name
        .parse::<IpAddr>()
        .is_ok_and(|ip| ip.to_canonical().is_loopback());
    is_socket || is_loopback || name.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_exposed(url: &str, libpq: &LibpqVariables) -> bool {
        of_database(&url.parse().unwrap(), libpq).is_some()
    }

    #[test]
    fn a_database_on_this_machine_is_not_exposed() {
        for url in [
            "postgres://rollcall@localhost/rollcall",
            "postgres://rollcall:a%40b@127.0.0.1:5432/rollcall?sslmode=disable",
            "postgres://[::1]:5432/rollcall",
            "postgres:///rollcall",
            "postgres://",
            "postgresql://%2Fvar%2Frun%2Fpostgresql/rollcall",
            "postgres:///rollcall?host=/var/run/postgresql",
            "postgres://db.example.org/rollcall?hostaddr=127.0.0.1",
            "postgres://localhost:5432,127.0.0.2:5433/rollcall",
            "sqlite:rollcall.db",
        ] {
            assert!(!is_exposed(url, &LibpqVariables::default()), "{url}");
        }
    }

    #[test]
    fn a_database_elsewhere_must_be_verified() {
        for url in [
            "postgres://rollcall@db.example.org/rollcall",
            "postgres://rollcall:p%2Fw@db.example.org:5432/rollcall?sslmode=require",
            "postgres://10.0.0.5/rollcall?sslmode=verify-ca",
            "postgres://localhost,db.example.org:5433/rollcall",
            "postgres:///rollcall?host=db.example.org",
            "postgres:///rollcall?host=localhost,db.example.org",
            "postgres://localhost/rollcall?hostaddr=10.0.0.5",
            "postgres://[2001:db8::1]:5432/rollcall",
            "postgres:///rollcall?service=main",
            "postgres://localhost.example.org/rollcall",
            "postgres://db/rollcall?sslmode=verify-full&sslmode=prefer",
        ] {
            assert!(is_exposed(url, &LibpqVariables::default()), "{url}");
            if !url.contains("sslmode") {
                let sign = if url.contains('?') { '&' } else { '?' };
                let verified = format!("{url}{sign}sslmode=verify-full");
                assert!(!is_exposed(&verified, &LibpqVariables::default()), "{url}");
            }
        }
    }

    #[test]
    fn the_variables_of_libpq_count_where_the_url_says_nothing() {
        let libpq = LibpqVariables {
            host: Some("db.example.org".into()),
            ..LibpqVariables::default()
        };
        assert!(is_exposed("postgres:///rollcall", &libpq));
        let libpq = LibpqVariables {
            service: Some("main".into()),
            ..LibpqVariables::default()
        };
        assert!(is_exposed("postgres:///rollcall", &libpq));
        assert!(!is_exposed("postgres://127.0.0.1/rollcall", &libpq));
        assert!(!is_exposed("postgres://localhost/rollcall", &libpq));
        let libpq = LibpqVariables {
            hostaddr: Some("10.0.0.5".into()),
            ..LibpqVariables::default()
        };
        assert!(is_exposed("postgres://localhost/rollcall", &libpq));
        let libpq = LibpqVariables {
            sslmode: Some("verify-full".into()),
            ..LibpqVariables::default()
        };
        assert!(!is_exposed("postgres://db.example.org/rollcall", &libpq));
        assert!(is_exposed(
            "postgres://db.example.org/rollcall?sslmode=require",
            &libpq
        ));
    }

    #[test]
    fn only_a_listener_that_others_reach_is_exposed() {
        for (listen, is_https, expected) in [
            ("127.0.0.1:8080", false, false),
            ("[::1]:8080", false, false),
            ("[::ffff:127.0.0.1]:8080", false, false),
            ("0.0.0.0:8080", false, true),
            ("[::]:8080", false, true),
            ("192.0.2.7:80", false, true),
            ("0.0.0.0:8080", true, false),
        ] {
            let found = of_listener(listen.parse().unwrap(), is_https);
            assert_eq!(found.is_some(), expected, "{listen}");
        }
    }

    #[test]
    fn a_proxy_opens_the_service_to_others() {
        for (listen, url, expected) in [
            ("127.0.0.1:8080", None, true),
            ("[::1]:8080", Some("http://localhost:8080"), true),
            ("127.0.0.1:8080", Some("http://[::1]:8080"), true),
            ("127.0.0.1:8080", Some("https://demo.example.org"), false),
            ("127.0.0.1:8080", Some("http://192.168.1.7"), false),
            ("0.0.0.0:8080", Some("http://127.0.0.1:8080"), false),
            ("0.0.0.0:8080", None, false),
        ] {
            let url = url.map(|url| Url::parse(url).unwrap());
            let found = is_for_this_machine(listen.parse().unwrap(), url.as_ref());
            assert_eq!(found, expected, "{listen} {url:?}");
        }
    }

    #[test]
    fn only_a_mail_server_elsewhere_without_tls_is_exposed() {
        for (host, tls, expected) in [
            (Some("smtp.example.org"), MailTls::None, true),
            (Some("10.0.0.5"), MailTls::None, true),
            (Some("smtp.example.org"), MailTls::Starttls, false),
            (Some("smtp.example.org"), MailTls::Implicit, false),
            (Some("localhost"), MailTls::None, false),
            (Some("127.0.0.1"), MailTls::None, false),
            (Some("[::1]"), MailTls::None, false),
            (Some(""), MailTls::None, false),
            (None, MailTls::None, false),
        ] {
            let mail = MailSettings {
                host: host.map(Into::into),
                tls,
                ..MailSettings::default()
            };
            assert_eq!(of_mail(&mail).is_some(), expected, "{host:?} {tls:?}");
        }
    }
}

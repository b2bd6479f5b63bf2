//! What is odd, and worth a banner.

use std::collections::{BTreeMap, BTreeSet};

use super::mail_figures::MailFigures;
use crate::clock::Timestamp;
use crate::db::UserId;
use crate::nodes::Node;

/// The share of the newest sessions from which on one address is odd, in percent.
const ODD_SHARE: usize = 80;
/// The sessions and the people that have to share it at least.
const ODD_SESSIONS: usize = 20;
const ODD_PEOPLE: usize = 5;
/// The offset of a node's clock from which on it is odd, in milliseconds.
const ODD_OFFSET_MS: u64 = 2_000;

/// Something odd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Oddity {
    /// Most sessions share one address: probably it is the proxy's.
    SharedAddress {
        /// The address.
        ip: String,
        /// How many of the newest sessions have it, in percent.
        percent: usize,
        /// How many of the newest sessions were compared.
        compared: usize,
    },
    /// The clock of a node's machine is off.
    ClockOff {
        /// The name of the node and the address that it listens at.
        node: String,
        /// By how much the database's clock is ahead of it, in milliseconds.
        offset_ms: i64,
    },
    /// The nodes run different versions.
    DifferentVersions(Vec<String>),
    /// Messages are not accepted.
    MailFailing {
        /// Messages that were given up within a day.
        failed: usize,
        /// Messages that wait though they were tried three times.
        retried: usize,
    },
    /// Far more tries than usual failed or were throttled within an hour.
    FailedTries {
        /// The start of the hour.
        from: Timestamp,
        /// How many.
        tries: i64,
        /// How many a usual hour has.
        usual: i64,
    },
}

/// Finds what is odd: about the owners and addresses of the newest sessions, the nodes, the mail.
pub(super) fn find(
    newest: &[(UserId, Option<String>)],
    nodes: &[Node],
    mail: &MailFigures,
) -> Vec<Oddity> {
    let versions: BTreeSet<&str> = nodes.iter().map(|node| node.version.as_str()).collect();
    let off = nodes
        .iter()
        .filter(|node| node.clock_offset_ms.unsigned_abs() > ODD_OFFSET_MS)
        .map(|node| Oddity::ClockOff {
            node: format!("{} ({})", node.name, node.listen),
            offset_ms: node.clock_offset_ms,
        });
    let mut found: Vec<Oddity> = shared_address(newest).into_iter().chain(off).collect();
    if versions.len() > 1 {
        let versions = versions.into_iter().map(str::to_owned).collect();
        found.push(Oddity::DifferentVersions(versions));
    }
    if mail.failed > 0 || mail.retried > 0 {
        found.push(Oddity::MailFailing {
            failed: mail.failed,
            retried: mail.retried,
        });
    }
    found
}

fn shared_address(newest: &[(UserId, Option<String>)]) -> Option<Oddity> {
    let mut by_address: BTreeMap<&str, (usize, BTreeSet<UserId>)> = BTreeMap::new();
    for (user, ip) in newest {
        if let Some(ip) = ip {
            let (sessions, people) = by_address.entry(ip).or_default();
            *sessions += 1;
            people.insert(*user);
        }
    }
    let (ip, (sessions, people)) = by_address
        .into_iter()
        .max_by_key(|(_, (sessions, _))| *sessions)?;
    let is_odd = sessions * 100 >= newest.len() * ODD_SHARE
        && sessions >= ODD_SESSIONS
        && people.len() >= ODD_PEOPLE;
    is_odd.then(|| Oddity::SharedAddress {
        ip: ip.to_owned(),
        percent: sessions * 100 / newest.len(),
        compared: newest.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(n: u8) -> Vec<UserId> {
        (0..n).map(|n| UserId::from_bytes([n; 16])).collect()
    }

    fn sessions(shared: usize, people: u8, others: usize) -> Vec<(UserId, Option<String>)> {
        let users = users(people);
        let shared = (0..shared).map(|n| (users[n % users.len()], Some("172.19.0.1".into())));
        let other = |n| (users[n % users.len()], Some(format!("203.0.113.{n}")));
        shared.chain((0..others).map(other)).collect()
    }

    #[test]
    fn an_address_that_most_sessions_of_several_people_share_is_odd() {
        let found = shared_address(&sessions(49, 5, 1));
        assert_eq!(
            found,
            Some(Oddity::SharedAddress {
                ip: "172.19.0.1".into(),
                percent: 98,
                compared: 50
            })
        );
        assert!(shared_address(&sessions(80, 5, 20)).is_some());
        assert!(shared_address(&sessions(79, 5, 21)).is_none(), "too few");
        assert!(shared_address(&sessions(20, 5, 0)).is_some());
        assert!(
            shared_address(&sessions(19, 5, 0)).is_none(),
            "a small service"
        );
        assert!(
            shared_address(&sessions(90, 4, 0)).is_none(),
            "one household"
        );
        assert!(shared_address(&[]).is_none());
    }
}

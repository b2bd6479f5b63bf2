//! The sample people and the devices they are signed in on.

use crate::error::Result;
use crate::geo::{Location, Place, Point};
use crate::http::app_state::SamplePerson;
use crate::people::{EmailTrust, FullName, NewAccount, NewPassword, Role};

/// A sample person.
pub(super) struct Person {
    pub(super) email: &'static str,
    pub(super) name: &'static str,
    pub(super) role: Role,
    /// What the account shows, for people who try the demo.
    pub(super) about: &'static str,
    pub(super) devices: &'static [Device],
}

impl Person {
    /// Returns their account, as it is created.
    pub(super) fn account(&self, password: &NewPassword) -> Result<NewAccount> {
        Ok(NewAccount {
            email: self.email.parse()?,
            trust: EmailTrust::Vouched,
            full_name: FullName::parse(self.name)?,
            password: password.clone(),
            role: self.role,
        })
    }

    /// Returns the person as the sign-in page shows them.
    pub(super) fn sample(&self, password: &NewPassword) -> Result<SamplePerson> {
        Ok(SamplePerson {
            account: self.account(password)?,
            about: self.about,
        })
    }
}

/// One sign-in of a sample person. Times are minutes before now.
pub(super) struct Device {
    pub(super) user_agent: &'static str,
    pub(super) ip: &'static str,
    /// The name that its owner chose for it.
    pub(super) given_name: Option<&'static str>,
    pub(super) signed_in: u32,
    pub(super) last_used: u32,
    pub(super) outcome: Outcome,
}

/// The places of the sample addresses: prefix, city, country, latitude and longitude. The addresses
/// are reserved for documentation and benchmarks (RFC 5737, RFC 3849, RFC 2544).
const PLACES: [(&str, &str, &str, f64, f64); 9] = [
    ("203.0.113.24", "Lisbon", "Portugal", 38.72, -9.14),
    ("203.0.113.7", "Lisbon", "Portugal", 38.72, -9.14),
    ("198.18.0.66", "Oslo", "Norway", 59.91, 10.75),
    ("198.51.100.", "Porto", "Portugal", 41.15, -8.61),
    ("2001:db8:4a:", "São Paulo", "Brazil", -23.55, -46.63),
    ("203.0.113.90", "Madrid", "Spain", 40.42, -3.7),
    ("203.0.113.201", "Kyoto", "Japan", 35.01, 135.77),
    ("203.0.113.55", "Lagos", "Nigeria", 6.45, 3.39),
    ("203.0.113.140", "Lyon", "France", 45.76, 4.84),
];

impl Device {
    /// Returns the location of the device.
    pub(super) fn location(&self) -> Location {
        let known = PLACES.iter().find(|place| self.ip.starts_with(place.0));
        let place = known.map(|(_, city, country, north, east)| Place {
            city: Some((*city).to_owned()),
            country: Some((*country).to_owned()),
            point: Point::new(*north, *east),
        });
        Location {
            ip: Some(self.ip.to_owned()),
            place: place.unwrap_or_default(),
        }
    }
}

/// The outcome of a session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Live,
    /// Signed out on the device, that many minutes before now.
    SignedOut(u32),
    /// Signed out from another device, that many minutes before now.
    SignedOutRemotely(u32),
    /// Opened without "Keep me signed in", and not used for longer than the idle limit.
    Expired,
}

const HOUR: u32 = 60;
const DAY: u32 = 24 * HOUR;

pub(super) const CHROME_MAC: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
pub(super) const SAFARI_MAC: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15";
pub(super) const SAFARI_IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1";
pub(super) const SAFARI_IPAD: &str = "Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1";
pub(super) const FIREFOX_WINDOWS: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0";
pub(super) const EDGE_WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0";
pub(super) const CHROME_WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
pub(super) const FIREFOX_UBUNTU: &str =
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
pub(super) const CHROME_ANDROID: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36";
const SAMSUNG_TABLET: &str = "Mozilla/5.0 (Linux; Android 14; SM-X710) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 Chrome/125.0.0.0 Safari/537.36";
pub(super) const LG_TV: &str = "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/108.0.5359.211 Safari/537.36 WebAppManager";
const PLAYSTATION: &str = "Mozilla/5.0 (PlayStation; PlayStation 5/8.20) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.4 Safari/605.1.15";
const CHROMEBOOK: &str = "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
const WATCH: &str = "RollcallNotes/2.4 (Apple Watch; watchOS 11.2; Scale/2.00)";
pub(super) const CURL: &str = "curl/8.14.1";
pub(super) const PYTHON: &str = "python-requests/2.32.5";
const INSTAGRAM: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/22F76 Instagram 385.0.0.30.75 (iPhone15,3; iOS 18_5; en_US; en; scale=3.00; 1290x2796; 745261345)";
const UNKNOWN: &str = "KitchenDisplay (firmware 3)";

const fn live(
    user_agent: &'static str,
    ip: &'static str,
    signed_in: u32,
    last_used: u32,
) -> Device {
    Device {
        user_agent,
        ip,
        given_name: None,
        signed_in,
        last_used,
        outcome: Outcome::Live,
    }
}

const fn named(name: &'static str, device: Device) -> Device {
    Device {
        given_name: Some(name),
        ..device
    }
}

const fn ended(device: Device, outcome: Outcome) -> Device {
    Device { outcome, ..device }
}

/// The device of the intruder.
pub(super) static INTRUDER: Device = live(EDGE_WINDOWS, "198.18.0.66", 0, 0);

pub(super) static PEOPLE: [Person; 8] = [
    Person {
        email: "ana@example.org",
        name: "Ana Ribeiro",
        role: Role::Person,
        about: "12 devices of every kind, and a stranger who signs in a moment after you",
        devices: &[
            live(CHROME_MAC, "203.0.113.24", 40 * DAY, 25),
            named(
                "Ana’s phone",
                live(SAFARI_IPHONE, "198.51.100.7", 150 * DAY, 2 * HOUR),
            ),
            live(FIREFOX_WINDOWS, "203.0.113.7", 3 * HOUR, 3 * HOUR),
            live(SAMSUNG_TABLET, "203.0.113.24", 90 * DAY, 21 * DAY),
            live(CURL, "10.0.0.12", 30 * DAY, DAY),
            named(
                "Living room",
                live(LG_TV, "203.0.113.24", 160 * DAY, 4 * DAY),
            ),
            live(PLAYSTATION, "203.0.113.24", 120 * DAY, 9 * DAY),
            live(SAFARI_MAC, "203.0.113.24", 12 * DAY, 6 * HOUR),
            live(WATCH, "198.51.100.7", 60 * DAY, 5 * HOUR),
            live(SAFARI_IPAD, "2001:db8:4a::19", 200 * DAY, 100 * DAY),
            live(UNKNOWN, "192.168.1.44", 20 * DAY, 2 * DAY),
            live(INSTAGRAM, "198.51.100.7", 130 * DAY, 95 * DAY),
            ended(
                live(EDGE_WINDOWS, "203.0.113.90", 30 * DAY, 5 * DAY),
                Outcome::SignedOutRemotely(2 * DAY),
            ),
            ended(
                live(CHROME_ANDROID, "198.51.100.61", 70 * DAY, 26 * DAY),
                Outcome::SignedOut(26 * DAY - 5),
            ),
            ended(
                live(CHROME_WINDOWS, "192.0.2.33", 9 * DAY, 9 * DAY),
                Outcome::Expired,
            ),
            ended(
                live(FIREFOX_UBUNTU, "192.0.2.80", 33 * DAY, 33 * DAY),
                Outcome::Expired,
            ),
        ],
    },
    Person {
        email: "admin@example.org",
        name: "Adam Novak",
        role: Role::Admin,
        about: "an administrator, who finds and ends the sessions of everybody",
        devices: &[live(FIREFOX_UBUNTU, "192.0.2.10", 14 * DAY, DAY)],
    },
    Person {
        email: "auditor@example.org",
        name: "Audrey Moreau",
        role: Role::Auditor,
        about: "an auditor, who sees all and changes nothing",
        devices: &[live(CHROME_MAC, "203.0.113.140", 9 * DAY, 2 * DAY)],
    },
    Person {
        email: "ben@example.org",
        name: "Ben Okafor",
        role: Role::Person,
        about: "a phone and a Chromebook",
        devices: &[
            live(CHROME_ANDROID, "198.51.100.120", 80 * DAY, 10),
            live(CHROMEBOOK, "203.0.113.55", 45 * DAY, 3 * DAY),
            ended(
                live(CHROME_WINDOWS, "192.0.2.5", 4 * DAY, 4 * DAY),
                Outcome::Expired,
            ),
        ],
    },
    Person {
        email: "chloe@example.org",
        name: "Chloé Martin",
        role: Role::Person,
        about: "signs out when she is done, so only ended sessions are listed",
        devices: &[
            ended(
                live(SAFARI_MAC, "203.0.113.140", 6 * DAY, 6 * DAY - 35),
                Outcome::SignedOut(6 * DAY - 40),
            ),
            ended(
                live(SAFARI_MAC, "203.0.113.140", 2 * DAY, 2 * DAY - 20),
                Outcome::SignedOut(2 * DAY - 25),
            ),
        ],
    },
    Person {
        email: "dmitri@example.org",
        name: "Dmitri Petrov",
        role: Role::Person,
        about: "programs that use the API, and a browser",
        devices: &[
            named(
                "Nightly backup",
                live(PYTHON, "10.0.3.9", 100 * DAY, 8 * HOUR),
            ),
            live(CURL, "10.0.3.9", 7 * DAY, 7 * DAY),
            live(FIREFOX_UBUNTU, "2001:db8:77::2", 50 * DAY, 40),
        ],
    },
    Person {
        email: "emi@example.org",
        name: "Emi Tanaka",
        role: Role::Person,
        about: "two browsers on one laptop",
        devices: &[
            live(EDGE_WINDOWS, "203.0.113.201", 25 * DAY, 20),
            live(CHROME_WINDOWS, "203.0.113.201", 25 * DAY, 2 * DAY),
        ],
    },
    Person {
        email: "farid@example.org",
        name: "Farid Haddad",
        role: Role::Person,
        about: "not signed in anywhere yet",
        devices: &[],
    },
];

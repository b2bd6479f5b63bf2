//! The crowd: a few hundred people with thousands of sessions, so that an administrator has
//! something to find. Everything is worked out from the numbers of people and sessions, and is the
//! same in every demo.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use super::super::domain::Domain;
use super::super::error::Result;
use super::people::{
    CHROME_ANDROID, CHROME_MAC, CHROME_WINDOWS, CURL, EDGE_WINDOWS, FIREFOX_UBUNTU,
    FIREFOX_WINDOWS, LG_TV, PYTHON, SAFARI_IPAD, SAFARI_IPHONE, SAFARI_MAC,
};
use crate::applications::NewApplication;
use crate::clock::Timestamp;
use crate::db::ApplicationId;
use crate::events::Origin;
use crate::geo::{Location, Place, Point};
use crate::people::{
    EmailTrust, ExternalPerson, FullName, HashRequester, NewAccount, NewPassword, Realm, Role, User,
};
use crate::sessions::{
    Client, EndedReason, NewSession, OpenedVia, PastSession, SessionPersistence,
};
use crate::text;
use crate::user_agent::DeviceParser;

/// People with accounts of their own, and those of the application.
const PEOPLE: u64 = 400;
const SHOPPERS: u64 = 40;
const SESSIONS_EACH: u64 = 8;
/// The first of them, who sign in from one address in one night.
const AT_ODD_ADDRESS: u64 = 45;
const ODD_ADDRESS: &str = "198.18.77.7";
/// The person with a stolen token, and the one who travels too fast.
const ROBBED: u64 = 60;
const TRAVELLER: u64 = 61;
const PASSWORD_BYTES: usize = 18;

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;

const FIRST_NAMES: [&str; 20] = [
    "Aisha", "Bruno", "Clara", "Diego", "Elif", "Finn", "Grace", "Hugo", "Ines", "Jun", "Kavita",
    "Liam", "Mei", "Noah", "Olga", "Priya", "Ravi", "Sofia", "Tara", "Yusuf",
];
const LAST_NAMES: [&str; 16] = [
    "Ali", "Campbell", "Chen", "Costa", "Demir", "Dubois", "Hoffmann", "Kim", "Larsen", "Meyer",
    "Murphy", "Nowak", "Patel", "Rossi", "Sharma", "Silva",
];

/// City, country, latitude and longitude. The first is the most frequent.
const PLACES: [(&str, &str, f64, f64); 8] = [
    ("Lisbon", "Portugal", 38.72, -9.14),
    ("Berlin", "Germany", 52.52, 13.41),
    ("Porto", "Portugal", 41.15, -8.61),
    ("Lyon", "France", 45.76, 4.84),
    ("Pune", "India", 18.52, 73.86),
    ("Chicago", "United States", 41.88, -87.63),
    ("São Paulo", "Brazil", -23.55, -46.63),
    ("Kyoto", "Japan", 35.01, 135.77),
];

const AGENTS: [&str; 12] = [
    CHROME_WINDOWS,
    SAFARI_IPHONE,
    CHROME_ANDROID,
    FIREFOX_WINDOWS,
    EDGE_WINDOWS,
    CHROME_MAC,
    SAFARI_MAC,
    FIREFOX_UBUNTU,
    SAFARI_IPAD,
    CURL,
    PYTHON,
    LG_TV,
];

/// How many there are in the crowd. Its text is what an administrator sees of it.
pub(super) struct CrowdSize {
    people: usize,
    sessions: usize,
}

impl fmt::Display for CrowdSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { people, sessions } = self;
        write!(
            f,
            "An administrator sees {sessions} more sessions of {people} more people: \
             {AT_ODD_ADDRESS} of them at one address ({ODD_ADDRESS}), a copied sign-in, \
             changes of country, impossible travel, and two orders that ended many at once."
        )
    }
}

/// Numbers that look random and are the same every time (SplitMix64).
struct Dice(u64);

impl Dice {
    fn new(of: u64) -> Self {
        Self(of.wrapping_mul(0x2545_F491_4F6C_DD1D))
    }

    /// Returns a number less than `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % sides
    }

    /// Returns one of these; the first ones are more frequent.
    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let sides = from.len() as u64;
        let rolled = self.roll(sides).min(self.roll(sides));
        usize::try_from(rolled)
            .ok()
            .and_then(|index| from.get(index))
            .unwrap_or(&from[0])
    }
}

/// Creates the crowd, with sessions until `now`.
pub(super) async fn generate(
    domain: &Domain,
    parser: &DeviceParser,
    now: Timestamp,
) -> Result<CrowdSize> {
    let people = create_people(domain).await?;
    let crowd = Crowd::new(parser, now);
    let mut past = Vec::new();
    for (number, user) in (0..).zip(&people) {
        let sessions = crowd.sessions(number, user)?;
        past.extend(sessions.into_iter().map(|session| (user.clone(), session)));
    }
    let size = CrowdSize {
        people: people.len(),
        sessions: past.len(),
    };
    domain.sessions.insert_past(past).await?;
    Ok(size)
}

async fn create_people(domain: &Domain) -> Result<Vec<User>> {
    // Nobody knows it.
    let password = NewPassword::new("password", text::random::<PASSWORD_BYTES>()?)?;
    let accounts = (0..PEOPLE).map(|number| {
        let (full_name, email) = name(number);
        Ok(NewAccount {
            email: email.parse()?,
            trust: EmailTrust::Vouched,
            full_name: FullName::parse(&full_name)?,
            password: password.clone(),
            role: Role::Person,
        })
    });
    let accounts = accounts.collect::<Result<_>>()?;
    let mut people = domain
        .people
        .create_several(HashRequester::Service, accounts)
        .await?;

    let shop = domain
        .accounts
        .create_application(NewApplication::service("Shop".parse()?), Origin::default())
        .await?;
    let realm = Realm {
        own: shop.id,
        has_earlier: false,
    };
    for number in PEOPLE..PEOPLE + SHOPPERS {
        let (full_name, email) = name(number);
        let person = ExternalPerson {
            subject: format!("customer-{number}").parse()?,
            email: Some(email.parse()?),
            full_name: FullName::parse(&full_name)?,
        };
        people.push(domain.people.find_or_create_external(realm, person).await?);
    }
    Ok(people)
}

/// Returns the name and the e-mail of a person.
fn name(number: u64) -> (String, String) {
    let mut dice = Dice::new(number);
    let (first, last) = (dice.pick(&FIRST_NAMES), dice.pick(&LAST_NAMES));
    let email = format!("{first}.{last}.{number}@example.org").to_lowercase();
    (format!("{first} {last}"), email)
}

/// What the sessions of the crowd are made of.
struct Crowd {
    /// A client of each user agent, at no place yet.
    clients: HashMap<&'static str, Client>,
    now: Timestamp,
}

impl Crowd {
    fn new(parser: &DeviceParser, now: Timestamp) -> Self {
        let client = |agent: &&'static str| {
            let facts = parser.parse(agent);
            (*agent, Client::new(Location::default(), Some(agent), facts))
        };
        Self {
            clients: AGENTS.iter().map(client).collect(),
            now,
        }
    }

    fn ago(&self, seconds: u64) -> Timestamp {
        self.now - Duration::from_secs(seconds)
    }

    /// Returns the sessions of a person: the usual ones, and what is odd.
    fn sessions(&self, number: u64, user: &User) -> Result<Vec<PastSession>> {
        let mut dice = Dice::new(number ^ 0x5EED_0000);
        let home = *dice.pick(&PLACES);
        let address = format!(
            "100.{}.{}.{}",
            64 + number % 64,
            number / 64,
            1 + dice.roll(250)
        );
        let home = at(home, &address);
        let mut sessions = (0..1 + dice.roll(2 * SESSIONS_EACH))
            .map(|nth| self.usual(&mut dice, (number, nth), user.application_id, &home))
            .collect::<Result<Vec<_>>>()?;
        match number {
            0..AT_ODD_ADDRESS => sessions.push(self.at_odd_address(&mut dice)),
            ROBBED => sessions.push(self.robbed(&home)),
            TRAVELLER => sessions.push(self.too_fast(&home)),
            _ => {}
        }
        Ok(sessions)
    }

    /// Returns a session on one of a person's two or three devices.
    fn usual(
        &self,
        dice: &mut Dice,
        (person, nth): (u64, u64),
        application: Option<ApplicationId>,
        home: &Location,
    ) -> Result<PastSession> {
        let device = dice.roll(3);
        let agent = *Dice::new(person * 3 + device).pick(&AGENTS);
        let is_browser = agent.starts_with("Mozilla/") && application.is_none();
        let age = HOUR + nth * 7 * DAY / 2 + dice.roll(5 * DAY);
        let mut new = self.new_session(agent, home);
        if is_browser {
            new.device_id = Some(format!("crowd-{person}-{device}").parse()?);
        } else {
            new.via = application.map_or(OpenedVia::Api, |_| OpenedVia::Application);
        }
        let used = dice.roll(age);
        // Some have changed the country since.
        let place = match dice.roll(60) {
            0 => at(PLACES[4], "198.51.100.77"),
            _ => home.clone(),
        };
        let end = match dice.roll(10) {
            0..3 if used > 60 => Some((self.ago(used - 60), EndedReason::SignedOut)),
            3 if used > 60 => Some((self.ago(used - 60), EndedReason::SignedOutRemotely)),
            4 => Some((self.ago(used / 2), EndedReason::Replaced)),
            5 => {
                new.persistence = SessionPersistence::Standard;
                None
            }
            _ => None,
        };
        Ok(past(new, self.ago(age), (self.ago(used), place), end))
    }

    /// Returns a session of last night, from the address that many people share.
    fn at_odd_address(&self, dice: &mut Dice) -> PastSession {
        let signed_in = 7 * HOUR + dice.roll(3 * HOUR);
        let place = at(PLACES[6], ODD_ADDRESS);
        let new = self.new_session(PYTHON, &place);
        let used = self.ago(signed_in - 60);
        past(new, self.ago(signed_in), (used, place), None)
    }

    /// Returns a session that was ended nine days ago, since its token had been stolen.
    fn robbed(&self, home: &Location) -> PastSession {
        let new = self.new_session(SAFARI_MAC, home);
        let end = (self.ago(9 * DAY), EndedReason::ReuseDetected);
        let used = (self.ago(9 * DAY + HOUR), home.clone());
        PastSession {
            copy_used: Some(at(PLACES[7], "203.0.113.202")),
            ..past(new, self.ago(30 * DAY), used, Some(end))
        }
    }

    /// Returns a session that was used in Kyoto forty minutes after it had been used at home.
    fn too_fast(&self, home: &Location) -> PastSession {
        let new = self.new_session(SAFARI_IPHONE, home);
        let kyoto = at(PLACES[7], "203.0.113.201");
        let signed_in = 5 * HOUR;
        past(
            new,
            self.ago(signed_in),
            (self.ago(signed_in - 40 * 60), kyoto),
            None,
        )
    }

    fn new_session(&self, agent: &'static str, location: &Location) -> NewSession {
        let client = &self.clients[agent];
        NewSession {
            client: Client {
                location: location.clone(),
                ..client.clone()
            },
            device_id: None,
            device_name: None,
            via: match agent.starts_with("Mozilla/") {
                true => OpenedVia::Browser,
                false => OpenedVia::Api,
            },
            persistence: SessionPersistence::Remembered,
            replaces: None,
            application: None,
        }
    }
}

fn past(
    new: NewSession,
    at: Timestamp,
    last_use: (Timestamp, Location),
    end: Option<(Timestamp, EndedReason)>,
) -> PastSession {
    PastSession {
        new,
        at,
        last_use,
        end,
        copy_used: None,
    }
}

fn at((city, country, north, east): (&str, &str, f64, f64), ip: &str) -> Location {
    Location {
        ip: Some(ip.to_owned()),
        place: Place {
            city: Some(city.to_owned()),
            country: Some(country.to_owned()),
            point: Point::new(north, east),
        },
    }
}

//! The device cookie: the id of the browser, and the last people who signed in with it. It is sealed,
//! so it proves that they did, and that the id is this browser's own or a copy of its cookies has it; a device
//! id in a request of the API proves nothing. A bare id, which every session of a person can read, is none.

use actix_web::cookie::Cookie;
use actix_web::dev::ServiceRequest;
use actix_web::{HttpMessage, HttpRequest};

use super::app_state::{AppState, app_state};
use super::cookies::{self, MAX_AGE, OwnCookie};
use super::received_cookies::ReceivedCookies;
use crate::devices::DeviceId;
use crate::error::{Error, Failure, Result};
use crate::people::User;
use crate::throttles::{KnownDevice, KnownPerson, MAX_PEOPLE};

/// Returns the device of the request's cookies, if one is good: the first that is sealed.
pub(super) fn received(request: &ServiceRequest, app: &AppState) -> Option<KnownDevice> {
    let received = ReceivedCookies::of(request.request());
    let values = received.first_values(OwnCookie::Device);
    let name = app.cookies.name(OwnCookie::Device);
    values.iter().find_map(|value| {
        let opened = app.device_seal.open_received(name, value)?;
        parse(opened.value())
    })
}

/// Returns the device of the request, as the middleware found or created it.
///
/// # Errors
/// [`Error::Internal`] on a route without that middleware.
pub fn known_device(request: &HttpRequest) -> Result<KnownDevice> {
    let found = request.extensions().get::<KnownDevice>().cloned();
    found.ok_or_else(|| Error::Internal(Failure::because("this route has no device cookie")))
}

/// Has the browser remember that the person gave their password, or has just set it. The response
/// then sets the cookie.
///
/// # Errors
/// As [`known_device`].
pub fn remember(request: &HttpRequest, user: &User) -> Result<()> {
    let device = known_device(request)?.with(user.as_known());
    set(request, app_state(request)?, &device);
    request.extensions_mut().insert(device);
    Ok(())
}

/// Has the response set the cookie.
pub(super) fn set(request: &HttpRequest, app: &AppState, device: &KnownDevice) {
    let cookie: Cookie<'static> = app
        .cookies
        .build(OwnCookie::Device, to_text(device))
        .max_age(MAX_AGE)
        .finish();
    cookies::add(request, app.device_seal.seal(cookie));
}

/// Returns the content of a cookie: the id in the first line, then a line for each person.
fn to_text(device: &KnownDevice) -> String {
    let mut lines = vec![device.id.clone()];
    let people = device.people.iter();
    lines.extend(people.map(|person| format!("{} {}", person.user, person.password_version)));
    lines.join("\n")
}

fn parse(text: &str) -> Option<KnownDevice> {
    let mut lines = text.split('\n');
    let id: DeviceId = lines.next()?.parse().ok()?;
    let people = lines.take(MAX_PEOPLE).filter_map(|line| {
        let (user, password_version) = line.split_once(' ')?;
        Some(KnownPerson {
            user: user.parse().ok()?,
            password_version: password_version.parse().ok()?,
        })
    });
    Some(KnownDevice {
        id: id.as_str().to_owned(),
        people: people.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::UserId;

    #[test]
    fn a_family_of_five_is_remembered_and_the_sixth_drops_the_oldest() {
        let person = |number: u8| KnownPerson {
            user: UserId::from_bytes([number; 16]),
            password_version: i64::MAX - i64::from(number),
        };
        let mut device = KnownDevice::new("x".repeat(255));
        for number in [1, 2, 3, 4, 5, 1, 6] {
            device = device.with(person(number));
        }
        let order: Vec<KnownPerson> = [6, 1, 5, 4, 3].map(person).to_vec();
        assert_eq!(device.people, order);
        let text = to_text(&device);
        assert_eq!(parse(&text), Some(device));
        // Sealed and encoded it is a third longer, and what browsers take is 4,096 bytes.
        assert!(text.len() < 600, "{}", text.len());
        let other = KnownPerson {
            password_version: 0,
            ..person(6)
        };
        assert!(!parse(&text).is_some_and(|device| device.knows(other)));
    }
}

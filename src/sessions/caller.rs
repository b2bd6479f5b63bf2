//! The caller of a request: a claim to a session, and the person and session that it resolves to.

use super::bound::CookieProof;
use super::impossible_travel::Waypoint;
use super::network::NetworkDigest;
use super::store::Session;
use super::values::{Jti, JtiDigest};
use crate::alerts::AlertContext;
use crate::clock::Timestamp;
use crate::db::{ApplicationId, SessionId, UserId};
use crate::events::Origin;
use crate::geo::Location;
use crate::people::{HashRequester, User};

/// The session that a genuine cookie or access token names. Whether it is live depends on its row.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The session's owner.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// What names it.
    pub credential: Credential,
}

/// What names a session.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A session cookie.
    Cookie {
        /// Its JTI.
        jti: Jti,
        /// What the bound cookie beside it proves.
        proof: CookieProof,
    },
    /// A cookie of forward-auth.
    ForwardCookie {
        /// When the password was last set by then, in microseconds since the Unix epoch.
        password_version: i64,
    },
    /// An access token.
    AccessToken {
        /// The refresh token that it was issued with.
        issued_with: IssuedWith,
        /// When the password was given that the token is based on (`auth_time`), if one was.
        password_given_at: Option<Timestamp>,
    },
}

/// The refresh token that an access token was issued with.
#[derive(Debug, Clone)]
pub struct IssuedWith {
    /// Its counter.
    pub rotation_count: i32,
    /// The digest of its JTI. An access token of an earlier version has none.
    pub digest: Option<JtiDigest>,
}

impl IssuedWith {
    /// Returns whether it is the session's current one. One that replaced another has the same
    /// counter, and another JTI.
    pub(super) fn is_current(&self, session: &Session) -> bool {
        let is_same = |digest: &JtiDigest| *digest == session.jti().digest();
        self.rotation_count == session.rotation_count && self.digest.as_ref().is_none_or(is_same)
    }
}

/// A genuine refresh token. Whether it is spent depends on the session's row.
#[derive(Debug, Clone)]
pub struct RefreshClaim {
    /// The session's owner.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// The token's id.
    pub jti: Jti,
    /// The token's counter.
    pub rotation_count: i32,
    /// When the password was given that the token is based on (`auth_time`), if one was. Its
    /// successor is based on the same.
    pub password_given_at: Option<Timestamp>,
    /// The application whose key presents it, if one does.
    pub application: Option<ApplicationId>,
}

/// How a caller was authenticated.
#[derive(Debug, Clone)]
pub enum Authentication {
    /// By the session's current cookie.
    Cookie,
    /// By a cookie that was replaced less than the grace period ago. It is for requests that were
    /// on their way, and may read; it passes no step-up.
    ReplacedCookie,
    /// By a cookie of forward-auth, which is good for nothing else.
    ForwardCookie,
    /// By an access token.
    AccessToken {
        /// The refresh token that it was issued with.
        issued_with: IssuedWith,
        /// When the password was given that the token is based on, if one was.
        password_given_at: Option<Timestamp>,
    },
}

/// A person whose session was found live.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The person.
    pub user: User,
    /// The session they call from.
    pub session: Session,
    /// The location of this request, redacted by IP retention.
    pub location: Location,
    /// How they were authenticated.
    pub authentication: Authentication,
    /// Until when what the request opens may stay open, where sessions are bound to browsers.
    pub proven_until: Option<Timestamp>,
    /// The network of this request.
    pub(super) network: NetworkDigest,
}

impl Caller {
    /// Returns the caller as one who has a password hashed: their session's row was found live.
    #[must_use]
    pub fn hash_requester(&self) -> HashRequester {
        HashRequester::Session(self.session.id)
    }

    /// Returns when this caller gave the password, if that is known of the cookie or token itself.
    /// Neither a replaced cookie nor an older token inherits what the session's row says.
    #[must_use]
    pub fn password_given_at(&self) -> Option<Timestamp> {
        match self.authentication {
            Authentication::Cookie => Some(self.session.confirmed_at),
            Authentication::ReplacedCookie | Authentication::ForwardCookie => None,
            Authentication::AccessToken {
                password_given_at, ..
            } => password_given_at,
        }
    }

    /// Returns whether the caller has a cookie, and so must never be sent a token.
    #[must_use]
    pub fn has_cookie(&self) -> bool {
        !matches!(self.authentication, Authentication::AccessToken { .. })
    }

    /// Returns whether the caller may change anything: by the current cookie or an access token.
    #[must_use]
    pub fn may_write(&self) -> bool {
        matches!(
            self.authentication,
            Authentication::Cookie | Authentication::AccessToken { .. }
        )
    }

    /// Returns the caller as the origin of events.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin {
            user: Some(self.user.id),
            session: Some(self.session.id),
            ip: self.location.ip.clone(),
            ..Origin::default()
        }
    }

    /// Returns the session they call from, at the location of this request where the country of that is known:
    /// the last use in its row may be elsewhere.
    #[must_use]
    pub fn session_here(&self) -> Session {
        let (session, Location { ip, place }) = (self.session.clone(), &self.location);
        match place.country.is_some() {
            true => Session {
                ip_address: ip.clone().or(session.ip_address),
                location_city: place.city.clone(),
                location_country: place.country.clone(),
                location_point: place.point,
                ..session
            },
            false => session,
        }
    }

    /// Returns the context of an alert about the caller's action: their session, at the location of
    /// this request.
    #[must_use]
    pub fn alert_context(&self) -> AlertContext {
        AlertContext {
            location: self.location.clone(),
            ..self.session.alert_context()
        }
    }

    /// Returns the context of an alert about the end of the caller's session at `now`, as
    /// [`Caller::alert_context`] does, with where its device was before.
    #[must_use]
    pub fn end_alert_context(&self, now: Timestamp) -> AlertContext {
        let last_use = Waypoint::from_last_use(&self.session);
        AlertContext {
            before: last_use.before(&self.location.place, now),
            location: self.location.clone(),
            ..self.session.end_alert_context()
        }
    }
}

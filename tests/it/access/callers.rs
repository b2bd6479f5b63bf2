//! Everybody who may send a request, and by what.

/// Who sends a request, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Caller {
    /// Somebody without credentials.
    Nobody,
    /// Somebody with credentials that are not, or no longer, good.
    Void(Void, By),
    /// A person who is signed in.
    Person(Who, Step, By),
    /// An application.
    Key(Key),
}

/// Why credentials are not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Void {
    /// One character is exchanged.
    Forged,
    /// Past their time.
    Expired,
    /// Their session was signed out.
    Ended,
    /// Their person is disabled.
    Disabled,
    /// A refresh token in place of an access token.
    Refresh,
    /// An access token that was made for an application.
    Audience,
}

/// A person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// The owner of what the path names, without a role. Where that is for administrators, the person
    /// whom it is about.
    Owner,
    /// Another person, without a role.
    Other,
    /// An auditor.
    Auditor,
    /// An administrator.
    Admin,
}

/// When a person gave their password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Just now.
    Fresh,
    /// Longer ago than step-up allows.
    Stale,
}

/// What a person authenticates by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum By {
    /// An access token.
    Token,
    /// The session cookie, with the CSRF token where the request changes something.
    Cookie,
    /// The session cookie without the CSRF token.
    WithoutCsrf,
    /// The session cookie with the CSRF token of somebody else.
    ForeignCsrf,
    /// The cookie of forward-auth, without the session cookie.
    ForwardCookie,
}

/// An API key. All but the last are of one application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// One character is exchanged.
    Forged,
    /// It was revoked.
    Revoked,
    /// Past its time.
    Expired,
    /// The scope `tokens`.
    Tokens,
    /// The scope `sessions`.
    Sessions,
    /// The scope `admin:read`.
    Read,
    /// The scope `admin:write`.
    Write,
    /// Every scope but those for tokens.
    AllButTokens,
    /// Every scope but `sessions`.
    AllButSessions,
    /// Every scope but `admin:read` and `admin:write`.
    AllButAdmin,
    /// The scopes `tokens`, `sessions` and `admin:write`, of another application.
    Foreign,
}

impl Key {
    pub const ALL: [Self; 11] = [
        Self::Forged,
        Self::Revoked,
        Self::Expired,
        Self::Tokens,
        Self::Sessions,
        Self::Read,
        Self::Write,
        Self::AllButTokens,
        Self::AllButSessions,
        Self::AllButAdmin,
        Self::Foreign,
    ];

    pub fn scopes(self) -> &'static str {
        match self {
            Self::Forged | Self::Revoked | Self::Expired => "tokens:any sessions admin:write",
            Self::Foreign => "tokens sessions admin:write",
            Self::Tokens => "tokens",
            Self::Sessions => "sessions",
            Self::Read => "admin:read",
            Self::Write => "admin:write",
            Self::AllButTokens => "sessions admin:write",
            Self::AllButSessions => "tokens:any admin:write",
            Self::AllButAdmin => "tokens:any sessions",
        }
    }

    pub fn is_void(self) -> bool {
        matches!(self, Self::Forged | Self::Revoked | Self::Expired)
    }
}

impl Who {
    pub const ALL: [Self; 4] = [Self::Owner, Self::Other, Self::Auditor, Self::Admin];
}

impl Caller {
    /// Returns every caller.
    pub fn all() -> Vec<Self> {
        let void = [Void::Forged, Void::Expired, Void::Ended, Void::Disabled];
        let mut all = vec![Self::Nobody];
        for void in void {
            all.extend([By::Token, By::Cookie].map(|by| Self::Void(void, by)));
        }
        all.extend([Void::Refresh, Void::Audience].map(|void| Self::Void(void, By::Token)));
        for who in Who::ALL {
            for step in [Step::Fresh, Step::Stale] {
                all.extend([By::Token, By::Cookie].map(|by| Self::Person(who, step, by)));
            }
            let odd = [By::WithoutCsrf, By::ForeignCsrf, By::ForwardCookie];
            all.extend(odd.map(|by| Self::Person(who, Step::Fresh, by)));
        }
        all.extend(Key::ALL.map(Self::Key));
        all
    }

    /// Returns whether it is a session cookie that is good, with its CSRF token or without.
    pub fn has_session_cookie(self) -> bool {
        let by = match self {
            Self::Person(_, _, by) => by,
            Self::Nobody | Self::Void(..) | Self::Key(_) => return false,
        };
        match by {
            By::Cookie | By::WithoutCsrf | By::ForeignCsrf => true,
            By::Token | By::ForwardCookie => false,
        }
    }

    /// Returns whether it lacks the CSRF token of its cookie.
    pub fn lacks_csrf(self) -> bool {
        matches!(self, Self::Person(_, _, By::WithoutCsrf | By::ForeignCsrf))
    }

    /// Returns whether it is a person who gave the password too long ago.
    pub fn is_stale(self) -> bool {
        matches!(self, Self::Person(_, Step::Stale, _))
    }
}

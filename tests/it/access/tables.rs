//! Every route, by who may call it.

use super::policy::Foreign;
use super::policy::Policy::{
    self, AdminApi, AdminPage, AdminPersonApi, AppSessions, AppTokens, AuditApi, AuditPage, Link,
    OwnApi, OwnPage, Public, PublicForm, Verify, VerifyAdmin,
};
use super::policy::StepUp::{Needed, Needless};
use super::rows::Target as Of;
use super::rows::{Row, form, get, json};

/// Rows of the same policy.
pub type Group = (Policy, &'static [Row]);

const PAGE: &[(&str, &str)] = &[("x-original-url", "https://app.example.org/")];
const FORWARDED: &[(&str, &str)] = &[
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "app.example.org"),
    ("x-forwarded-uri", "/"),
    ("x-forwarded-method", "GET"),
];
const SUBJECT: &[(&str, &str)] = &[("x-subject", "{subject}")];
const REASON: &str = r#"{"reason": "Left us"}"#;
const ACT: &[(&str, &str)] = &[("reason", "Left us"), ("order", "{order}")];
const NEW_ACCOUNT: &[(&str, &str)] = &[
    ("email", "{new}@example.org"),
    ("full_name", ""),
    ("password", "correct horse battery staple"),
];
const NEW_PASSWORD: (&str, &str) = ("new_password", "another battery staple");

#[rustfmt::skip]
pub static PUBLIC: &[Group] = &[
    (Public, &[
        get("/static/{name}").of(Of::Asset),
        get("/favicon.ico").done(&[308]),
        get("/.well-known/jwks.json"),
        get("/.well-known/change-password").done(&[303]),
        get("/health/live"),
        get("/health/ready"),
        get("/").done(&[303]),
        get("/sign-in").done(&[200, 303]),
        get("/sign-up").done(&[200, 303]),
        get("/forgot-password"),
        json("POST", "/auth/bound/register", "").done(&[400]).unseen(),
        json("POST", "/auth/bound/refresh", "").unseen(),
        json("POST", "/api/v1/auth/register", r#"{"email": "{new}@example.org", "password": "correct horse battery staple"}"#).done(&[201]),
        json("POST", "/api/v1/auth/login", r#"{"email": "{email}", "password": "correct horse battery staple"}"#).of(Of::Person),
        json("POST", "/api/v1/auth/refresh", r#"{"refresh_token": "{token}"}"#).of(Of::RefreshToken),
    ]),
    (PublicForm, &[
        form("/sign-in", &[("email", "{email}"), ("password", "correct horse battery staple")]).of(Of::Person),
        form("/sign-up", NEW_ACCOUNT),
        form("/sign-out/clear", &[]).done(&[200]).unseen(),
        form("/forgot-password", &[("email", "{email}")]).of(Of::Person).done(&[200, 303]),
    ]),
    (Link, &[
        get("/not-me/{token}").of(Of::AlertLink),
        form("/not-me/{token}", &[("answer", "not-mine")]).of(Of::AlertLink).done(&[200]),
        form("/not-me/{token}/password", &[("ticket", "{ticket}"), NEW_PASSWORD]).of(Of::Ticket),
        get("/reset-password/{token}").of(Of::ResetLink),
        form("/reset-password/{token}", &[NEW_PASSWORD]).of(Of::ResetLink),
        get("/verify-email/{token}").of(Of::EmailLink),
        form("/verify-email/{token}", &[("answer", "mine"), ("password", "correct horse battery staple")]).of(Of::EmailLink),
    ]),
];

/// Routes that exist while there is no administrator.
#[rustfmt::skip]
pub static SETUP: &[Group] = &[(Link, &[get("/setup/{token}"), form("/setup/{token}", NEW_ACCOUNT)])];

#[rustfmt::skip]
pub static FORWARD_AUTH: &[Group] = &[
    (Verify, &[
        get("/auth/verify").with(PAGE),
        get("/auth/verify/traefik").with(FORWARDED),
        get("/auth/verify/caddy").with(FORWARDED),
    ]),
    (VerifyAdmin, &[
        get("/auth/verify/admin").with(PAGE),
        get("/auth/verify/traefik/admin").with(FORWARDED),
        get("/auth/verify/caddy/admin").with(FORWARDED),
    ]),
];

#[rustfmt::skip]
pub static APPLICATIONS: &[Group] = &[
    (AppTokens, &[
        form("/oauth/introspect", &[("token", "{token}")]).of(Of::AccessToken).done(&[200]).says(r#""active":true"#).unseen(),
        form("/oauth/revoke", &[("token", "{token}")]).of(Of::AccessToken).done(&[200]),
    ]),
    (AppSessions(Foreign::Done), &[
        json("POST", "/api/v1/app/sessions", r#"{"subject": "{new}"}"#).done(&[201]),
    ]),
    (AppSessions(Foreign::InvalidToken), &[
        json("POST", "/api/v1/app/sessions/refresh", r#"{"refresh_token": "{token}"}"#).of(Of::Customer),
    ]),
    (AppSessions(Foreign::Missing), &[
        get("/api/v1/app/sessions").of(Of::Customer).with(SUBJECT).says(r#""total":1"#),
        json("DELETE", "/api/v1/app/sessions", "").of(Of::Customer).with(SUBJECT),
        json("DELETE", "/api/v1/app/sessions/{id}", "").of(Of::Customer).with(SUBJECT).done(&[204]),
    ]),
];

#[rustfmt::skip]
pub static OWN_API: &[Group] = &[
    (OwnApi(Needless), &[
        get("/api/v1/me"),
        get("/api/v1/alerts"),
        get("/api/v1/sessions/me"),
        get("/api/v1/sessions/current"),
        get("/api/v1/sessions/history"),
        json("PATCH", "/api/v1/sessions/{id}", r#"{"device_name": "Laptop"}"#).of(Of::Session),
        json("POST", "/api/v1/alerts/{id}", r#"{"answer": "not_mine"}"#).of(Of::Alert).done(&[204]),
        json("POST", "/api/v1/auth/confirm", r#"{"password": "correct horse battery staple"}"#),
        json("POST", "/api/v1/auth/logout", "").done(&[204]),
        json("DELETE", "/api/v1/sessions/expired", "").unseen(),
    ]),
    (OwnApi(Needed), &[
        json("DELETE", "/api/v1/sessions/{id}", "").of(Of::Session).done(&[204]),
        json("DELETE", "/api/v1/sessions/others", "").of(Of::Session),
        json("POST", "/api/v1/auth/logout-all", ""),
    ]),
];

#[rustfmt::skip]
pub static OWN_PAGES: &[Group] = &[
    (OwnPage(Needless), &[
        get("/confirm"),
        get("/unsent-form").done(&[303]),
        get("/devices"),
        get("/devices/sign-out-others"),
        get("/devices/sign-out-selected").of(Of::Session).query("?device={session}").done(&[200, 400]),
        get("/devices/sign-out-everywhere"),
        get("/account/delete"),
        get("/devices/changes").query("?since=0"),
        get("/devices/{id}").of(Of::Session),
        get("/account"),
        form("/confirm", &[("password", "correct horse battery staple")]),
        form("/sign-out", &[]),
        form("/unsent-form", &[]).unseen(),
        form("/devices/{id}/rename", &[("device_name", "Laptop")]).of(Of::Session),
        form("/alerts/{id}/yes", &[]).of(Of::Alert).missing(303),
        form("/alerts/{id}/no", &[]).of(Of::Alert).missing(303),
        form("/alerts/{id}/read", &[]).of(Of::Notice).missing(303),
        form("/alerts/{id}/steps/email/confirm", &[]).of(Of::Reported).missing(303),
        form("/alerts/{id}/steps/email/skip", &[]).of(Of::Reported).missing(303),
        form("/alerts/{id}/steps/others/skip", &[]).of(Of::Reported).missing(303),
        form("/alerts/{id}/steps/password/skip", &[]).of(Of::Reported).missing(303),
        form("/account/name", &[("full_name", "Somebody else")]),
        form("/account/email/cancel", &[]).of(Of::EmailChange),
        form("/account/email/link", &[]).unseen(),
        form("/account/password", &[("current_password", "correct horse battery staple"), NEW_PASSWORD]),
        form("/account/idle-limit", &[("idle_limit", "week")]),
        form("/account/time-zone", &[("time_zone", "Europe/Lisbon")]),
    ]),
    (OwnPage(Needed), &[
        get("/account/export"),
        form("/devices/{id}/sign-out", &[]).of(Of::Session),
        form("/devices/sign-out-others", &[]).of(Of::Session),
        form("/devices/sign-out-selected", &[("device", "{session}")]).of(Of::Session),
        form("/devices/sign-out-everywhere", &[]),
        form("/account/email", &[("email", "{new}@example.org")]),
        form("/account/alerts", &[]),
        form("/account/addresses", &[("addresses", "shortened")]),
        form("/account/delete", &[("typed", "{own}")]),
        form("/devices/{id}/when-unused", &[("when_unused", "stays-signed-in")]).of(Of::Device),
    ]),
];

#[rustfmt::skip]
pub static ADMIN_API: &[Group] = &[
    (AuditApi, &[
        get("/api/v1/admin/overview"),
        get("/api/v1/admin/applications"),
        get("/api/v1/admin/events"),
        get("/api/v1/admin/events/export"),
        get("/api/v1/admin/jobs"),
        get("/api/v1/admin/jobs/{id}").of(Of::Job),
        get("/api/v1/admin/sessions"),
        get("/api/v1/admin/sessions/export"),
        get("/api/v1/admin/sessions/{id}").of(Of::Session),
        get("/api/v1/admin/users"),
        get("/api/v1/admin/users/{id}").of(Of::Person),
    ]),
    (AdminApi(Foreign::Done), &[
        json("POST", "/api/v1/admin/sessions/end", r#"{"ids": ["{session}"], "reason": "Left us"}"#).of(Of::Session),
        json("DELETE", "/api/v1/admin/sessions/{id}", "").of(Of::Session).done(&[204]),
        json("DELETE", "/api/v1/admin/users/{id}/sessions", "").of(Of::Person),
        json("POST", "/api/v1/admin/users/{id}/disable", REASON).of(Of::Person),
    ]),
    (AdminApi(Foreign::Missing), &[
        json("POST", "/api/v1/admin/jobs/{id}/stop", "").of(Of::Job),
    ]),
    (AdminPersonApi, &[
        json("POST", "/api/v1/admin/users", r#"{"email": "{new}@example.org", "password": "correct horse battery staple"}"#).done(&[201]),
        json("PATCH", "/api/v1/admin/users/{id}", r#"{"role": "auditor", "full_name": "Eve", "reason": "x"}"#).of(Of::Person),
        json("DELETE", "/api/v1/admin/users/{id}", r#"{"email": "{email}"}"#).of(Of::Person).done(&[204]),
        json("POST", "/api/v1/admin/users/{id}/enable", "{}").of(Of::Disabled),
        json("POST", "/api/v1/admin/users/{id}/lift-delay", REASON).of(Of::Person).unseen(),
        json("POST", "/api/v1/admin/users/{id}/verify-email", "").of(Of::Unverified),
        json("POST", "/api/v1/admin/users/{id}/reset-link", "").of(Of::Person).done(&[201]),
        json("POST", "/api/v1/admin/users/{id}/invite", "").of(Of::Invited).done(&[201]),
        json("POST", "/api/v1/admin/users/{id}/export", "").of(Of::Person).unseen(),
    ]),
];

#[rustfmt::skip]
pub static ADMIN_PAGES: &[Group] = &[
    (AuditPage, &[
        get("/admin"),
        get("/admin/").done(&[303]),
        get("/admin/addresses").query("?ip=127.0.0.1"),
        get("/admin/api-keys").done(&[303]),
        get("/admin/applications"),
        get("/admin/events"),
        get("/admin/events/export"),
        get("/admin/events/{id}").of(Of::Event),
        get("/admin/jobs"),
        get("/admin/jobs/{id}").of(Of::Job),
        get("/admin/sessions"),
        get("/admin/sessions/export"),
        get("/admin/sessions/{id}").of(Of::Session),
        get("/admin/users"),
        get("/admin/users/{id}").of(Of::Person),
    ]),
    (AdminPage, &[
        get("/admin/sessions/end").of(Of::Session).query("?session={session}"),
        get("/admin/users/new"),
        get("/admin/users/invite"),
        get("/admin/users/{id}/edit").of(Of::Person),
        get("/admin/users/{id}/lift-delay").of(Of::Person),
        get("/admin/users/{id}/verify-email").of(Of::Unverified),
        get("/admin/users/{id}/role").of(Of::Person),
        get("/admin/users/{id}/reset-link").of(Of::Person),
        get("/admin/users/{id}/invite").of(Of::Invited),
        get("/admin/users/{id}/end-sessions").of(Of::Person),
        get("/admin/users/{id}/disable").of(Of::Person),
        get("/admin/users/{id}/enable").of(Of::Disabled),
        get("/admin/users/{id}/delete").of(Of::Person),
        get("/admin/api-keys/{id}/revoke").of(Of::ApiKey),
        get("/admin/applications/{id}/delete").of(Of::Application),
        form("/admin/sessions/end", &[("session", "{session}"), ("stated_reason", "Left us"), ("order", "{order}")]).of(Of::Session),
        form("/admin/jobs/{id}/stop", &[]).of(Of::Job),
        form("/admin/users/new", &[("email", "{new}@example.org"), ("role", "admin"), NEW_PASSWORD]),
        form("/admin/users/invite", &[("email", "{new}@example.org"), ("role", "person")]),
        form("/admin/users/{id}/name", &[("full_name", "Eve")]).of(Of::Person),
        form("/admin/users/{id}/email", &[("email", "{new}@example.org"), ("reason", "Married")]).of(Of::Person),
        form("/admin/users/{id}/lift-delay", ACT).of(Of::Person).unseen(),
        form("/admin/users/{id}/verify-email", &[]).of(Of::Unverified),
        form("/admin/users/{id}/role", &[("role", "auditor"), ("reason", "New job")]).of(Of::Person),
        form("/admin/users/{id}/reset-link", &[("order", "")]).of(Of::Person).done(&[200]),
        form("/admin/users/{id}/invite", &[]).of(Of::Invited),
        form("/admin/users/{id}/end-sessions", ACT).of(Of::Person),
        form("/admin/users/{id}/disable", ACT).of(Of::Person),
        form("/admin/users/{id}/enable", ACT).of(Of::Disabled),
        form("/admin/users/{id}/export", &[]).of(Of::Person).done(&[200]).unseen(),
        form("/admin/users/{id}/delete", &[("typed", "{email}"), ("reason", "Left us")]).of(Of::Person),
        form("/admin/applications", &[("name", "{new}"), ("kind", "service")]),
        form("/admin/applications/{id}", &[("name", "{new}"), ("kind", "website")]).of(Of::Application),
        form("/admin/applications/{id}/delete", &[]).of(Of::Application),
        form("/admin/api-keys", &[("name", "{new}"), ("tokens", "on"), ("expires", "never")]).done(&[200]),
        form("/admin/api-keys/{id}/revoke", &[]).of(Of::ApiKey),
    ]),
];

/// Returns every table.
pub fn all() -> [&'static [Group]; 8] {
    [
        PUBLIC,
        SETUP,
        FORWARD_AUTH,
        APPLICATIONS,
        OWN_API,
        OWN_PAGES,
        ADMIN_API,
        ADMIN_PAGES,
    ]
}

/// Returns the rows of a table, each with the policy of its group.
pub fn rows(table: &'static [Group]) -> impl Iterator<Item = Row> {
    table
        .iter()
        .flat_map(|(policy, rows)| rows.iter().map(|row| row.for_(*policy)))
}

//! `/admin/users/{id}/reset-link` and `/admin/users/{id}/invite`: links by which a person sets a
//! password. One that is handed over stands on the page that is the response to the form, and
//! nowhere else: in no address and no log.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::act_page::{Act, ActPage};
use super::back::{Back, List};
use super::gone::{find_person, gone};
use super::person::PersonHead;
use super::quantity;
use super::user_acts::to_person;
use crate::account::{EventFilter, EventLogQuery, INVITATION_LIFETIME, Invitation, InvitationLink};
use crate::db::{ResetId, UserId};
use crate::error::{Error, Result};
use crate::events::EventKind;
use crate::http::admin_caller::{AdminCaller, AdminForm};
use crate::http::app_state::AppState;
use crate::http::forms::EmptyForm;
use crate::http::layout::{Layout, NavItem, page};
use crate::http::notice::PersonNotice;
use crate::people::User;
use crate::sessions::Caller;

const EXTERNAL: &str = "An application signs them in itself, so they have no password here.";
const DISABLED: &str = "The account is disabled, so no link can set its password. Enable it first.";
const HAS_PASSWORD: &str =
    "They have set a password already, or need another link than an invitation.";
const TOO_MANY: &str = "Several links were sent to their address recently. Try again in an hour.";

#[derive(Template)]
#[template(path = "pages/admin/user_link.html")]
struct LinkPage {
    layout: Layout,
    head: PersonHead,
    /// The address of the person's page.
    person: String,
    title: &'static str,
    words: &'static str,
    /// The link, which is shown only this once.
    link: String,
    /// What it does, a sentence each.
    lines: Vec<String>,
}

/// Shows what a link for a new password means.
///
/// # Errors
/// [`Error::NotFound`] when there is no such person, as for each below.
pub async fn show_reset(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminCaller(caller): AdminCaller,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    let user = app.people.get(*id).await?;
    let page = reset_page(&app, &request, (&caller, &user)).await?;
    page.with_refusal(refusal(&user).map(str::to_owned))
        .respond()
}

/// The form of `POST /admin/users/{id}/reset-link`.
#[derive(Deserialize)]
pub struct ResetForm {
    /// The last link that was made before its page.
    #[serde(default)]
    order: String,
}

/// Creates a link for a new password, and shows it. The same form again creates none.
pub async fn create_reset(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminForm(caller, form): AdminForm<ResetForm>,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    let Some(user) = find_person(&app, *id).await? else {
        return Ok(gone(&request, &caller, *id));
    };
    if let Some(refusal) = refusal(&user) {
        let page = reset_page(&app, &request, (&caller, &user)).await?;
        return page.respond_refused(refusal);
    }
    if form.order != last_link(&app, *id).await? {
        return Ok(to_person(
            &request,
            &caller,
            *id,
            PersonNotice::LinkMadeBefore,
        ));
    }
    let reset = app.accounts.create_reset(*id, caller.origin()).await?;
    let template = LinkPage {
        title: "The link for a new password",
        words: "The link is created. It is shown only once:",
        lines: reset_lines(app.accounts.reset_lifetime()),
        ..LinkPage::new(&app, &request, (&caller, &user), reset).await?
    };
    page(StatusCode::OK, &template)
}

/// Shows what another invitation means.
pub async fn show_invite(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminCaller(caller): AdminCaller,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    let user = app.people.get(*id).await?;
    let refusal = refusal(&user).or((!user.is_invited()).then_some(HAS_PASSWORD));
    let page = invite_page(&app, &request, (&caller, &user)).await?;
    page.with_refusal(refusal.map(str::to_owned)).respond()
}

/// Invites a person again: sends them a link, or shows it where no mail is sent.
pub async fn invite(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminForm(caller, _): AdminForm<EmptyForm>,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    let Some(user) = find_person(&app, *id).await? else {
        return Ok(gone(&request, &caller, *id));
    };
    let refusal = match app.accounts.invite_again(*id, caller.origin()).await {
        Ok(invitation) => {
            let notice = PersonNotice::InvitedAgain;
            return show_invitation(&app, &request, &caller, (invitation, notice)).await;
        }
        Err(Error::NotFound) => refusal(&user).unwrap_or(HAS_PASSWORD),
        Err(Error::Busy { .. }) => TOO_MANY,
        Err(err) => return Err(err),
    };
    let page = invite_page(&app, &request, (&caller, &user)).await?;
    page.respond_refused(refusal)
}

/// Returns the response to an invitation: the person's page with the notice where the link was sent,
/// else a page with the link.
pub(super) async fn show_invitation(
    app: &AppState,
    request: &HttpRequest,
    caller: &Caller,
    (invitation, notice): (Invitation, PersonNotice),
) -> Result<HttpResponse> {
    let user = invitation.user;
    match invitation.link {
        InvitationLink::Sent => Ok(to_person(request, caller, user.id, notice)),
        InvitationLink::HandOver(reset) => {
            let template = LinkPage {
                title: "The invitation",
                words: "The invitation link is created. It is shown only once:",
                lines: invitation_lines(),
                ..LinkPage::new(app, request, (caller, &user), reset).await?
            };
            page(StatusCode::OK, &template)
        }
    }
}

impl LinkPage {
    async fn new(
        app: &AppState,
        request: &HttpRequest,
        (caller, user): (&Caller, &User),
        reset: ResetId,
    ) -> Result<Self> {
        Ok(Self {
            layout: Layout::for_caller(request, caller, NavItem::Administration)?,
            head: PersonHead::load(app, user, caller).await?,
            person: Back::of(request, List::People).from(format!("/admin/users/{}", user.id)),
            title: "",
            words: "",
            link: app.links.reset_password(reset),
            lines: Vec::new(),
        })
    }
}

/// Returns why no link can be made for a person, if so.
fn refusal(user: &User) -> Option<&'static str> {
    match (user.is_external(), user.is_active) {
        (true, _) => Some(EXTERNAL),
        (false, false) => Some(DISABLED),
        (false, true) => None,
    }
}

fn reset_lines(lifetime: Duration) -> Vec<String> {
    vec![
        "Anybody who opens it can set the password and sign in: give it to nobody else.".into(),
        format!("It works once, for {}.", describe(lifetime)),
        "When it is used, all their sessions end.".into(),
    ]
}

fn invitation_lines() -> Vec<String> {
    vec![
        "Anybody who opens it can set the password and sign in: give it to nobody else.".into(),
        format!("It works once, for {}.", describe(INVITATION_LIFETIME)),
    ]
}

/// Returns a span of time in whole days, hours or minutes.
fn describe(span: Duration) -> String {
    const UNITS: [(u64, &str); 3] = [(24 * 60 * 60, "day"), (60 * 60, "hour"), (60, "minute")];

    let seconds = span.as_secs();
    let whole = UNITS
        .into_iter()
        .find(|(unit, _)| seconds >= *unit && seconds.is_multiple_of(*unit));
    let (n, name) = match whole {
        Some((unit, name)) => (seconds / unit, name),
        None => (seconds, "second"),
    };
    quantity::counted(n, name)
}

async fn reset_page(
    app: &AppState,
    request: &HttpRequest,
    (caller, user): (&Caller, &User),
) -> Result<ActPage> {
    let head = PersonHead::load(app, user, caller).await?;
    let mut words = vec!["You see a link, once, and pass it on yourself. They can see in their activity that it was created.".to_owned()];
    words.extend(reset_lines(app.accounts.reset_lifetime()));
    let act = Act {
        title: ("Create a link for a new password of", ""),
        path: "reset-link",
        words,
        button: "Create the link",
        is_danger: false,
    };
    let last = last_link(app, user.id).await?;
    Ok(ActPage::new(request, caller, head, act)?.with_last_link(last))
}

/// Returns the id of the event of the last link that was made for a person; empty for none.
async fn last_link(app: &AppState, id: UserId) -> Result<String> {
    let query = EventLogQuery {
        filter: EventFilter {
            user: Some(id.to_string()),
            kind: Some(EventKind::ResetLinkCreated.into()),
            ..EventFilter::default()
        },
        cursor: None,
        limit: 1,
    };
    let found = app.accounts.search_events(&query).await?;
    let last = found.events.first();
    Ok(last.map_or_else(String::new, |logged| logged.event.id.to_string()))
}

async fn invite_page(
    app: &AppState,
    request: &HttpRequest,
    (caller, user): (&Caller, &User),
) -> Result<ActPage> {
    let head = PersonHead::load(app, user, caller).await?;
    let way = match app.accounts.sends_mail() {
        true => format!("An e-mail with a link is sent to {}.", user.email),
        false => {
            "You see a link, once, and pass it on yourself: this service sends no e-mail.".into()
        }
    };
    let act = Act {
        title: ("Invite", " again"),
        path: "invite",
        words: vec![
            way,
            "They set their first password with it.".into(),
            format!(
                "It works once, for {}. Earlier links no longer work.",
                describe(INVITATION_LIFETIME)
            ),
        ],
        button: "Invite again",
        is_danger: false,
    };
    ActPage::new(request, caller, head, act)
}

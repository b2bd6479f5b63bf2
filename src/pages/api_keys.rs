//! `/admin/api-keys`: applications and their keys, for administrators.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::notices;
use super::words::TimeView;
use crate::applications::{ApiKey, ApplicationSummary, Expiry, KeyOwner, KeyState, NewKey, Scope};
use crate::clock::Timestamp;
use crate::db::{ApiKeyId, ApplicationId};
use crate::error::{Error, Result};
use crate::http::admin_caller::{AdminCaller, AdminForm};
use crate::http::app_state::AppState;
use crate::http::forms::EmptyForm;
use crate::http::layout::{Layout, NavItem, page, see_other};
use crate::http::notice::{self, AccountNotice, Notice};
use crate::sessions::Caller;
use crate::text;

/// What a key may be used for: the field, and its words.
const SCOPES: [(Scope, &str, &str); 5] = [
    (
        Scope::Tokens,
        "tokens",
        "Asking about tokens that were made for the application, and revoking them",
    ),
    (
        Scope::TokensAny,
        "tokens_any",
        "Asking about every token, and revoking it",
    ),
    (
        Scope::Sessions,
        "sessions",
        "Sessions of people whom the application signs in itself",
    ),
    (
        Scope::AdminRead,
        "admin_read",
        "Reading everybody's sessions and what happened, as an administrator does",
    ),
    (
        Scope::AdminWrite,
        "admin_write",
        "Ending anybody's sessions and disabling people",
    ),
];
/// When a key may expire: the value of the field, and its words.
const EXPIRIES: [(&str, &str); 4] = [
    ("never", "never"),
    ("30d", "in 30 days"),
    ("90d", "in 90 days"),
    ("365d", "in a year"),
];

#[derive(Template)]
#[template(path = "pages/api_keys.html")]
struct ApiKeysPage {
    layout: Layout,
    notice: Option<String>,
    /// The key that was just created; its secret is shown only once.
    created: Option<CreatedKey>,
    form: FormView,
    error: Option<&'static str>,
    applications: Vec<ApplicationView>,
}

struct CreatedKey {
    id: String,
    name: String,
    secret: String,
}

/// The form for a new key, as it was filled in.
struct FormView {
    applications: Vec<Choice>,
    name: String,
    scopes: Vec<Choice>,
    expiries: Vec<Choice>,
}

struct Choice {
    value: String,
    words: String,
    is_chosen: bool,
}

struct ApplicationView {
    id: String,
    name: String,
    people: String,
    is_earlier: bool,
    keys: Vec<KeyView>,
}

struct KeyView {
    id: String,
    name: String,
    scopes: String,
    created: TimeView,
    last_used: Option<TimeView>,
    revoked: Option<TimeView>,
    expires: Option<TimeView>,
    is_expired: bool,
}

/// The form of `POST /admin/api-keys`.
#[derive(Deserialize, Default)]
pub struct NewKeyForm {
    #[serde(default)]
    application: String,
    #[serde(default)]
    name: String,
    tokens: Option<String>,
    tokens_any: Option<String>,
    sessions: Option<String>,
    admin_read: Option<String>,
    admin_write: Option<String>,
    #[serde(default)]
    expires: String,
}

/// Shows the keys and the form for a new one.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminCaller(caller): AdminCaller,
) -> Result<HttpResponse> {
    let mut template = load_page(&app, &request, &caller, &NewKeyForm::default()).await?;
    template.notice = notices::take(&app, &request, Some(&caller)).await?.words;
    page(StatusCode::OK, &template)
}

/// Creates a key and shows its secret.
pub async fn create(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminForm(caller, form): AdminForm<NewKeyForm>,
) -> Result<HttpResponse> {
    let created = match form.parse() {
        Ok(new) => app.applications.create_key(new).await.map_err(refusal),
        Err(refusal) => Err(refusal),
    };
    match created {
        Ok((key, secret)) => {
            let mut template = load_page(&app, &request, &caller, &NewKeyForm::default()).await?;
            let (id, name) = (key.id.to_string(), key.name);
            template.created = Some(CreatedKey {
                id,
                name,
                secret: secret.expose_secret().to_owned(),
            });
            page(StatusCode::OK, &template)
        }
        Err(Refusal::Words(words)) => {
            let mut template = load_page(&app, &request, &caller, &form).await?;
            template.error = Some(words);
            page(StatusCode::BAD_REQUEST, &template)
        }
        Err(Refusal::Failed(err)) => Err(err),
    }
}

/// Revokes a key.
///
/// # Errors
/// [`Error::NotFound`] when there is no such key.
pub async fn revoke(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminForm(caller, _): AdminForm<EmptyForm>,
    id: web::Path<ApiKeyId>,
) -> Result<HttpResponse> {
    match app.applications.revoke_key(*id).await {
        Err(Error::NotFound) => require_revoked(&app, *id).await?,
        revoked => revoked?,
    }
    let outcome = Notice::Account(caller.user.id, AccountNotice::ApiKeyRevoked);
    notice::put(&request, outcome);
    Ok(see_other("/admin/api-keys"))
}

/// Why no key was created.
enum Refusal {
    /// The form has to be filled in otherwise.
    Words(&'static str),
    Failed(Error),
}

fn refusal(err: Error) -> Refusal {
    match err {
        Error::ApplicationExists => Refusal::Words(
            "There is an application with that name already. Choose it in the list to make another key for it.",
        ),
        // It was deleted while the form was open.
        Error::NotFound => Refusal::Words("Choose an application from the list."),
        err => Refusal::Failed(err),
    }
}

/// Verifies that the key was revoked before: the button was pressed twice.
async fn require_revoked(app: &AppState, id: ApiKeyId) -> Result<()> {
    match app.applications.is_revoked(id).await? {
        true => Ok(()),
        false => Err(Error::NotFound),
    }
}

impl NewKeyForm {
    fn parse(&self) -> Result<NewKey, Refusal> {
        const NAME: Refusal = Refusal::Words(
            "Give the application a name of at most 255 characters. An id can't be a name.",
        );

        let is_new = self.application.is_empty();
        let name = match text::clean(&self.name).as_str() {
            "" if !is_new => None,
            name => Some(name.parse().map_err(|_| NAME)?),
        };
        let (owner, name) = match (is_new, name) {
            (true, Some(name)) => (KeyOwner::New(name), None),
            (true, None) => return Err(NAME),
            (false, name) => {
                let id = self
                    .application
                    .parse()
                    .map_err(|_| Refusal::Words("Choose an application from the list."))?;
                (KeyOwner::Existing(id), name)
            }
        };
        let scopes: Vec<Scope> = SCOPES
            .iter()
            .filter(|(scope, ..)| self.has(*scope))
            .map(|(scope, ..)| *scope)
            .collect();
        if scopes.is_empty() {
            return Err(Refusal::Words(
                "Choose at least one thing that the key may be used for.",
            ));
        }
        Ok(NewKey {
            owner,
            name,
            scopes,
            expiry: self.expiry()?,
        })
    }

    fn has(&self, scope: Scope) -> bool {
        match scope {
            Scope::Tokens => self.tokens.is_some(),
            Scope::TokensAny => self.tokens_any.is_some(),
            Scope::Sessions => self.sessions.is_some(),
            Scope::AdminRead => self.admin_read.is_some(),
            Scope::AdminWrite => self.admin_write.is_some(),
        }
    }

    fn expiry(&self) -> Result<Expiry, Refusal> {
        let chosen = match self.expires.as_str() {
            "" => return Ok(Expiry::Never),
            chosen => EXPIRIES.iter().find(|(value, _)| *value == chosen),
        };
        chosen
            .and_then(|(value, _)| value.parse().ok())
            .ok_or(Refusal::Words("Choose when the key expires."))
    }
}

async fn load_page(
    app: &AppState,
    request: &HttpRequest,
    caller: &Caller,
    form: &NewKeyForm,
) -> Result<ApiKeysPage> {
    let now = app.clock.now();
    let applications = app.applications.list().await?;
    Ok(ApiKeysPage {
        layout: Layout::for_caller(request, caller, NavItem::None)?,
        notice: None,
        created: None,
        form: FormView::new(form, &applications),
        error: None,
        applications: applications
            .into_iter()
            .map(|application| ApplicationView::new(application, now))
            .collect(),
    })
}

impl FormView {
    fn new(form: &NewKeyForm, applications: &[ApplicationSummary]) -> Self {
        let choice = |value: String, words: &str, is_chosen| Choice {
            value,
            words: words.to_owned(),
            is_chosen,
        };
        let applications = applications.iter().map(|summary| &summary.application);
        Self {
            applications: applications
                .filter(|application| application.id != ApplicationId::EARLIER)
                .map(|application| {
                    let id = application.id.to_string();
                    let is_chosen = id == form.application;
                    choice(id, &application.name, is_chosen)
                })
                .collect(),
            name: form.name.clone(),
            scopes: SCOPES
                .iter()
                .map(|(scope, field, words)| choice((*field).into(), words, form.has(*scope)))
                .collect(),
            expiries: EXPIRIES
                .iter()
                .map(|(value, words)| choice((*value).into(), words, *value == form.expires))
                .collect(),
        }
    }
}

impl ApplicationView {
    fn new(summary: ApplicationSummary, now: Timestamp) -> Self {
        let ApplicationSummary {
            application,
            keys,
            people,
        } = summary;
        Self {
            id: application.id.to_string(),
            name: application.name,
            people: match people {
                1 => "1 person".into(),
                people => format!("{people} people"),
            },
            is_earlier: application.id == ApplicationId::EARLIER,
            keys: keys.into_iter().map(|key| KeyView::new(key, now)).collect(),
        }
    }
}

impl KeyView {
    fn new(key: ApiKey, now: Timestamp) -> Self {
        let ago = |at| TimeView::ago(at, now);
        Self {
            is_expired: key.state(now) == KeyState::Expired,
            id: key.id.to_string(),
            name: key.name,
            scopes: key.scopes.replace(' ', ", "),
            created: ago(key.created_at),
            last_used: key.last_used_at.map(ago),
            revoked: key.revoked_at.map(ago),
            expires: key.expires_at.map(TimeView::day),
        }
    }
}

//! `/admin/api-keys`: the keys of applications, for administrators.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use askama::Template;
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::notices;
use super::words::TimeView;
use crate::applications::{ApiKey, Scope};
use crate::clock::Timestamp;
use crate::db::ApiKeyId;
use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::http::caller::{AdminCaller, AdminForm};
use crate::http::forms::EmptyForm;
use crate::http::layout::{Layout, NavItem, page, see_other};
use crate::http::notice::{self, AccountNotice, Notice};
use crate::sessions::Caller;

#[derive(Template)]
#[template(path = "pages/api_keys.html")]
struct ApiKeysPage {
    layout: Layout,
    notice: Option<String>,
    /// The key that was just created; its secret is shown only once.
    created: Option<CreatedKey>,
    name_typed: String,
    error: Option<String>,
    keys: Vec<KeyView>,
}

struct CreatedKey {
    id: String,
    name: String,
    secret: String,
}

struct KeyView {
    id: String,
    name: String,
    scopes: String,
    created: TimeView,
    last_used: Option<TimeView>,
    revoked: Option<TimeView>,
}

/// The form of `POST /admin/api-keys`.
#[derive(Deserialize)]
pub struct NewKeyForm {
    name: String,
    tokens: Option<String>,
    sessions: Option<String>,
}

/// Shows the keys and the form for a new one.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminCaller(caller): AdminCaller,
) -> Result<HttpResponse> {
    let mut template = load_page(&app, &request, &caller).await?;
    template.notice = notices::take(&app, &request, Some(&caller)).await?.words;
    page(StatusCode::OK, &template)
}

/// Creates a key and shows its secret.
pub async fn create(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminForm(caller, form): AdminForm<NewKeyForm>,
) -> Result<HttpResponse> {
    let scopes = form.scopes();
    let created = match scopes.is_empty() {
        true => Err(Error::field("scopes", "must be at least one")),
        false => app.api_keys.create_key(&form.name, &scopes).await,
    };
    let mut template = load_page(&app, &request, &caller).await?;
    match created {
        Ok((key, secret)) => {
            let (id, name) = (key.id.to_string(), key.name);
            template.created = Some(CreatedKey {
                id,
                name,
                secret: secret.expose_secret().to_owned(),
            });
            page(StatusCode::OK, &template)
        }
        Err(err @ Error::Invalid(_)) => {
            template.name_typed = form.name;
            template.error = Some(err.detail());
            page(err.status_code(), &template)
        }
        Err(err) => Err(err),
    }
}

/// Revokes a key.
pub async fn revoke(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminForm(caller, _): AdminForm<EmptyForm>,
    id: web::Path<ApiKeyId>,
) -> Result<HttpResponse> {
    match app.api_keys.revoke_key(*id).await {
        // A key that was revoked before, or doesn't exist, is no longer usable either.
        Ok(()) | Err(Error::NotFound) => {
            let outcome = Notice::Account(caller.user.id, AccountNotice::ApiKeyRevoked);
            notice::put(&request, outcome);
            Ok(see_other("/admin/api-keys"))
        }
        Err(err) => Err(err),
    }
}

impl NewKeyForm {
    fn scopes(&self) -> Vec<Scope> {
        let tokens = self.tokens.as_ref().map(|_| Scope::Tokens);
        let sessions = self.sessions.as_ref().map(|_| Scope::Sessions);
        tokens.into_iter().chain(sessions).collect()
    }
}

async fn load_page(app: &AppState, request: &HttpRequest, caller: &Caller) -> Result<ApiKeysPage> {
    let now = app.clock.now();
    let keys = app.api_keys.list_keys().await?;
    Ok(ApiKeysPage {
        layout: Layout::for_caller(request, caller, NavItem::None)?,
        notice: None,
        created: None,
        name_typed: String::new(),
        error: None,
        keys: keys.into_iter().map(|key| KeyView::new(key, now)).collect(),
    })
}

impl KeyView {
    fn new(key: ApiKey, now: Timestamp) -> Self {
        let ago = |at| TimeView::ago(at, now);
        Self {
            id: key.id.to_string(),
            name: key.name,
            scopes: key.scopes.replace(' ', ", "),
            created: ago(key.created_at),
            last_used: key.last_used_at.map(ago),
            revoked: key.revoked_at.map(ago),
        }
    }
}

//! `/admin/api-keys`: the keys of applications, for administrators.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use askama::Template;
use serde::Deserialize;

use super::sign_out::Nothing;
use super::words::TimeView;
use crate::api_keys::{ApiKey, Scope};
use crate::db::{ApiKeyId, Timestamp};
use crate::error::{Error, Result};
use crate::http::app::App;
use crate::http::caller::AdminCaller;
use crate::http::forms::Form;
use crate::http::layout::{Layout, Place, page, see_other};
use crate::sessions::Caller;

#[derive(Template)]
#[template(path = "pages/api_keys.html")]
struct ApiKeysPage {
    layout: Layout,
    notice: Option<&'static str>,
    /// The secret of a key that was just made: shown this once.
    made: Option<Made>,
    name_typed: String,
    error: Option<String>,
    keys: Vec<KeyView>,
}

struct Made {
    id: String,
    name: String,
    secret: String,
}

struct KeyView {
    id: String,
    name: String,
    scopes: String,
    made: TimeView,
    last_used: Option<TimeView>,
    revoked: Option<TimeView>,
}

/// `GET /admin/api-keys`
#[derive(Deserialize)]
pub struct Arrival {
    done: Option<String>,
}

/// `POST /admin/api-keys`
#[derive(Deserialize)]
pub struct NewKey {
    name: String,
    tokens: Option<String>,
    sessions: Option<String>,
}

/// The keys, and the form for another.
pub async fn show(
    app: web::Data<App>,
    request: HttpRequest,
    AdminCaller(caller): AdminCaller,
    web::Query(arrival): web::Query<Arrival>,
) -> Result<HttpResponse> {
    let mut template = draw(&app, &request, &caller).await?;
    template.notice = (arrival.done.as_deref() == Some("revoked")).then_some("The key is revoked.");
    page(StatusCode::OK, &template)
}

/// Makes a key, and shows its secret.
pub async fn add(
    app: web::Data<App>,
    request: HttpRequest,
    AdminCaller(caller): AdminCaller,
    Form(form): Form<NewKey>,
) -> Result<HttpResponse> {
    let scopes = form.scopes();
    let made = match scopes.is_empty() {
        true => Err(Error::field("scopes", "must be at least one")),
        false => app.api_keys.create(&form.name, &scopes).await,
    };
    let mut template = draw(&app, &request, &caller).await?;
    match made {
        Ok((key, secret)) => {
            let (id, name) = (key.id.to_string(), key.name);
            template.made = Some(Made { id, name, secret });
            page(StatusCode::OK, &template)
        }
        Err(fault @ Error::Invalid(_)) => {
            template.name_typed = form.name;
            template.error = Some(fault.detail());
            page(fault.status_code(), &template)
        }
        Err(fault) => Err(fault),
    }
}

/// Ends the use of a key.
pub async fn revoke(
    app: web::Data<App>,
    _: AdminCaller,
    id: web::Path<ApiKeyId>,
    _: Form<Nothing>,
) -> Result<HttpResponse> {
    match app.api_keys.revoke(*id).await {
        // Revoked before: it is as it should be.
        Ok(()) | Err(Error::NotFound) => Ok(see_other("/admin/api-keys?done=revoked")),
        Err(fault) => Err(fault),
    }
}

impl NewKey {
    fn scopes(&self) -> Vec<Scope> {
        let tokens = self.tokens.as_ref().map(|_| Scope::Tokens);
        let sessions = self.sessions.as_ref().map(|_| Scope::Sessions);
        tokens.into_iter().chain(sessions).collect()
    }
}

async fn draw(app: &App, request: &HttpRequest, caller: &Caller) -> Result<ApiKeysPage> {
    let now = app.clock.now();
    let keys = app.api_keys.all().await?;
    Ok(ApiKeysPage {
        layout: Layout::of(request, caller, Place::Elsewhere)?,
        notice: None,
        made: None,
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
            made: ago(key.created_at),
            last_used: key.last_used_at.map(ago),
            revoked: key.revoked_at.map(ago),
        }
    }
}

//! The extractors of those who administer: administrators and auditors in a browser, and in the API
//! also applications with a key for it. For everybody else what they guard does not exist.

use std::future::Future;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;

use super::api_client::has_api_key;
use super::app_state::app_state;
use super::caller::{ApiCaller, Extraction, page_caller};
use super::client::location;
use super::forms::Form;
use super::json::Json;
use super::refusals;
use crate::applications::{ApiClient, Scope};
use crate::db::UserId;
use crate::error::{Error, Result};
use crate::events::Origin;
use crate::people::Role;
use crate::sessions::Caller;

/// Extracts an administrator or an auditor signed in in this browser, who reads. For any other person
/// the error is [`Error::NotFound`]. A cookie that was replaced reads nothing here: it may be a copy.
pub struct AuditCaller(pub Caller);

/// Extracts an administrator signed in in this browser, on a device that is not in doubt, after step-up. For
/// any other person the error is [`Error::NotFound`].
pub struct AdminCaller(pub Caller);

/// Extracts an administrator and the form they submitted. The caller is verified first: to others,
/// an error in the form would show that the route exists.
pub struct AdminForm<T>(pub Caller, pub T);

/// Extracts who changes something with the administrator's API, as [`AdminApiCaller`], and the JSON
/// body. The caller is verified first, as with [`AdminForm`].
pub struct AdminJson<T>(pub ApiAdmin, pub T);

/// Who calls the administrator's API.
#[derive(Debug, Clone)]
pub enum ApiAdmin {
    /// A person.
    Person(Box<Caller>),
    /// An application with an API key.
    Application {
        /// The application and its key.
        client: Box<ApiClient>,
        /// The address that it calls from, in canonical text.
        ip: Option<String>,
    },
}

/// Extracts who reads with the administrator's API: an administrator, an auditor, or an application
/// whose key has the scope `admin:read`. For others the error is [`Error::NotFound`].
pub struct AuditApiCaller(pub ApiAdmin);

/// Extracts who changes something with the administrator's API: an administrator after step-up, or an
/// application whose key has the scope `admin:write`. For others the error is [`Error::NotFound`], or
/// [`Error::InsufficientScope`] for a key that may read.
pub struct AdminApiCaller(pub ApiAdmin);

/// Extracts an administrator who changes with the API what no application may, after step-up. For
/// others the error is [`Error::NotFound`].
pub struct AdminPersonCaller(pub Caller);

impl ApiAdmin {
    /// Returns the caller as the origin of events.
    #[must_use]
    pub fn origin(&self) -> Origin {
        match self {
            Self::Person(caller) => caller.origin(),
            Self::Application { client, ip } => Origin {
                application: Some(client.application.id),
                key: Some(client.key.id),
                ip: ip.clone(),
                ..Origin::default()
            },
        }
    }

    /// Returns the person, if it is one.
    #[must_use]
    pub fn person(&self) -> Option<&Caller> {
        match self {
            Self::Person(caller) => Some(caller),
            Self::Application { .. } => None,
        }
    }

    /// Returns the id of the person, if it is one.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        self.person().map(|caller| caller.user.id)
    }
}

impl FromRequest for AuditCaller {
    type Error = Error;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = page_caller(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let caller = caller.await?;
            require_auditor(&request, &caller)?;
            record_refusals(&request).await?;
            Ok(Self(caller))
        })
    }
}

impl FromRequest for AdminCaller {
    type Error = Error;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = page_caller(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let caller = caller.await?;
            require_admin(&request, &caller).await?;
            Ok(Self(caller))
        })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for AdminForm<T> {
    type Error = Error;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = AdminCaller::from_request(request, payload);
        let form = Form::from_request(request, payload);
        Box::pin(async move {
            // The form is read first, so that the page for step-up can send it again. Whether it is
            // valid is for an administrator only.
            let form = form.await;
            let AdminCaller(caller) = caller.await?;
            let Form(form) = form?;
            Ok(Self(caller, form))
        })
    }
}

impl FromRequest for AuditApiCaller {
    type Error = Error;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let admin = api_admin(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let admin = admin.await?;
            if let Some(caller) = admin.person() {
                require_auditor(&request, caller)?;
            }
            record_refusals(&request).await?;
            Ok(Self(admin))
        })
    }
}

impl FromRequest for AdminApiCaller {
    type Error = Error;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let admin = api_admin(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let admin = admin.await?;
            match &admin {
                ApiAdmin::Person(caller) => require_admin(&request, caller).await?,
                ApiAdmin::Application { client, .. } => client.require(Scope::AdminWrite)?,
            }
            Ok(Self(admin))
        })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for AdminJson<T> {
    type Error = Error;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let admin = AdminApiCaller::from_request(request, payload);
        let body = Json::from_request(request, payload);
        Box::pin(async move {
            let AdminApiCaller(admin) = admin.await?;
            let Json(body) = body.await?;
            Ok(Self(admin, body))
        })
    }
}

impl FromRequest for AdminPersonCaller {
    type Error = Error;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let admin = api_admin(request, payload);
        let request = request.clone();
        Box::pin(async move {
            match admin.await? {
                ApiAdmin::Person(caller) => {
                    require_admin(&request, &caller).await?;
                    Ok(Self(*caller))
                }
                ApiAdmin::Application { .. } => {
                    refusals::observe_admin(&request);
                    Err(Error::NotFound)
                }
            }
        })
    }
}

/// Resolves the caller of the administrator's API. To a key without a scope for it, it does not exist.
fn api_admin(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Result<ApiAdmin>> + use<> {
    let is_key = request
        .headers()
        .get(header::AUTHORIZATION)
        .is_some_and(has_api_key);
    let client = is_key.then(|| ApiClient::from_request(request, payload));
    let caller = (!is_key).then(|| ApiCaller::from_request(request, payload));
    let request = request.clone();
    async move {
        if let Some(caller) = caller {
            let ApiCaller(caller) = caller.await?;
            return Ok(ApiAdmin::Person(Box::new(caller)));
        }
        let Some(client) = client else {
            return Err(Error::Unauthenticated);
        };
        let client = client.await?;
        if !client.has(Scope::AdminRead) {
            refusals::observe_admin(&request);
            return Err(Error::NotFound);
        }
        let ip = location(&request, app_state(&request)?).ip;
        Ok(ApiAdmin::Application {
            client: Box::new(client),
            ip,
        })
    }
}

/// Verifies that a person may at least as much as `least`.
///
/// # Errors
/// [`Error::NotFound`] when they may not.
pub(super) fn require_role(request: &HttpRequest, caller: &Caller, least: Role) -> Result<()> {
    match caller.user.role() >= least {
        true => Ok(()),
        false => {
            refusals::observe_admin(request);
            Err(Error::NotFound)
        }
    }
}

/// Records what this node refused until now: who watches reads it at once.
async fn record_refusals(request: &HttpRequest) -> Result<()> {
    app_state(request)?.refusals.record_before_reading().await;
    Ok(())
}

fn require_auditor(request: &HttpRequest, caller: &Caller) -> Result<()> {
    require_role(request, caller, Role::Auditor)?;
    app_state(request)?.sessions.require_write(caller)
}

/// Verifies that somebody who changes something is an administrator on a device that is not in doubt, after
/// step-up: who has just signed in with an administrator's password passes that, too.
async fn require_admin(request: &HttpRequest, caller: &Caller) -> Result<()> {
    require_role(request, caller, Role::Admin)?;
    let app = app_state(request)?;
    app.accounts.require_confirmed(caller).await?;
    app.sessions.require_step_up(caller)
}

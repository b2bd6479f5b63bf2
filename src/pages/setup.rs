//! `/setup/{token}`: the first administrator, by the one-time link from the log.

use actix_web::{HttpRequest, HttpResponse, web};

use super::new_account::{self, FIRST_ADMIN, NewAccountForm};
use super::sign_in;
use crate::error::Result;
use crate::http::app::App;
use crate::http::client::RequestClient;
use crate::http::forms::Form;
use crate::http::layout::see_other;
use crate::http::target::HOME;
use crate::people::Role;
use crate::sessions::Stay;

/// The form.
pub async fn show(
    app: web::Data<App>,
    request: HttpRequest,
    token: web::Path<String>,
) -> Result<HttpResponse> {
    app.setup.check(&token)?;
    new_account::empty(&request, FIRST_ADMIN)
}

/// Makes the administrator, signs them in, and closes the link for good.
pub async fn submit(
    app: web::Data<App>,
    request: HttpRequest,
    token: web::Path<String>,
    RequestClient(client): RequestClient,
    Form(typed): Form<NewAccountForm>,
) -> Result<HttpResponse> {
    app.setup.check(&token)?;
    let registered = match typed.account(Role::Admin) {
        Ok(account) => app.people.register_first_admin(account).await,
        Err(fault) => Err(fault),
    };
    match registered {
        Ok(user) => {
            app.setup.close();
            sign_in::open(&app, &request, &user, client, Stay::Brief, None).await?;
            Ok(see_other(HOME))
        }
        Err(fault) => new_account::refused(&request, FIRST_ADMIN, &typed, fault),
    }
}

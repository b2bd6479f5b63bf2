//! `/sign-up`, where it is switched on.

use actix_web::{HttpRequest, HttpResponse, web};

use super::new_account::{self, NewAccountForm, SIGN_UP};
use super::sign_in;
use crate::error::Result;
use crate::http::app::App;
use crate::http::caller::MaybeCaller;
use crate::http::client::RequestClient;
use crate::http::forms::Form;
use crate::http::layout::see_other;
use crate::http::target::HOME;
use crate::people::Role;
use crate::sessions::Stay;

/// The form.
pub async fn show(request: HttpRequest, MaybeCaller(caller): MaybeCaller) -> Result<HttpResponse> {
    match caller {
        Some(_) => Ok(see_other(HOME)),
        None => new_account::empty(&request, SIGN_UP),
    }
}

/// Makes the account and signs it in.
pub async fn submit(
    app: web::Data<App>,
    request: HttpRequest,
    RequestClient(client): RequestClient,
    MaybeCaller(before): MaybeCaller,
    Form(typed): Form<NewAccountForm>,
) -> Result<HttpResponse> {
    let registered = match typed.account(Role::Person) {
        Ok(account) => app.people.register(account).await,
        Err(fault) => Err(fault),
    };
    match registered {
        Ok(user) => {
            let before = before.map(|caller| caller.session);
            sign_in::open(&app, &request, &user, client, Stay::Brief, before).await?;
            Ok(see_other(HOME))
        }
        Err(fault) => new_account::refused(&request, SIGN_UP, &typed, fault),
    }
}

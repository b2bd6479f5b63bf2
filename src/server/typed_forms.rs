//! That every form that is shown again is one of the routes.

use actix_web::http::Method;

use super::routes::{PAGES, Route};
use crate::http::typed_forms::TYPED_FORMS;

#[test]
fn every_form_that_is_shown_again_has_its_route() {
    for form in TYPED_FORMS {
        let is_its = |route: &&Route| route.method == Method::POST && route.path == form.path;
        assert!(PAGES.iter().any(|route| is_its(&route)), "{}", form.path);
    }
}

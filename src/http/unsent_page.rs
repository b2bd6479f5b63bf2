//! The page with a form that was refused because its page was outdated, and what was typed into it.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::layout::{Layout, page};
use super::target::page_of_form;
use super::typed_forms::{Control, TypedField, UnsentForm};
use crate::error::Result;

/// The page.
#[derive(Template)]
#[template(path = "pages/unsent_form.html")]
pub struct UnsentFormPage {
    layout: Layout,
    /// The CSRF token of the form.
    csrf: String,
    form: UnsentForm,
    /// The person or the device that it is about, where it is known.
    subject: Option<String>,
    state: UnsentState,
    /// The page that the form is from.
    origin: String,
}

/// How the form can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnsentState {
    /// It can be sent from the page.
    Ready,
    /// Only this page has it: it is too long to be stored. Nobody is signed in.
    SignedOut,
}

impl UnsentFormPage {
    /// Returns a response with the page.
    ///
    /// # Errors
    /// [`Error::Internal`](crate::Error::Internal) when it can't be rendered.
    pub fn respond(
        (mut layout, csrf): (Layout, String),
        form: UnsentForm,
        subject: Option<String>,
        state: UnsentState,
    ) -> Result<HttpResponse> {
        layout.is_failed = true;
        let template = Self {
            layout,
            csrf,
            origin: page_of_form(&form.path),
            form,
            subject,
            state,
        };
        page(StatusCode::OK, &template)
    }

    fn title(&self) -> &'static str {
        self.form.form.title
    }

    fn is_ready(&self) -> bool {
        self.state == UnsentState::Ready
    }

    /// Returns what was typed into a field.
    fn value(&self, field: &TypedField) -> &str {
        let mut fields = self.form.fields.iter();
        let found = fields.find(|(name, _)| name == field.name);
        found.map_or("", |(_, value)| value)
    }

    /// Returns the fields that nobody typed.
    fn hidden(&self) -> Vec<&(String, String)> {
        let typed = self.form.form.fields;
        let is_typed = |name: &str| typed.iter().any(|field| field.name == name);
        let fields = self.form.fields.iter();
        fields.filter(|(name, _)| !is_typed(name)).collect()
    }
}

/// Returns the page for a form that is too long to be stored: it has all of it.
///
/// # Errors
/// [`Error::Internal`](crate::Error::Internal) when it can't be rendered.
pub(super) fn respond_unstored(
    request: &HttpRequest,
    form: UnsentForm,
    csrf: String,
    state: UnsentState,
) -> Result<HttpResponse> {
    UnsentFormPage::respond((Layout::anonymous(request)?, csrf), form, None, state)
}

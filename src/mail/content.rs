//! The content of a message, of whatever topic, and its plain and HTML forms.

use askama::Template;

use super::EmailMessage;
use crate::error::{Error, Failure, Result};

/// The width of the plain form, in characters. A link may be longer.
const WIDTH: usize = 72;

/// The content of a message. Its subject is a fixed sentence, so that no text from outside gets
/// into a header.
pub(crate) struct MessageContent {
    /// The subject, which is also the heading.
    pub(crate) subject: &'static str,
    /// What happened.
    pub(crate) lead: String,
    /// Facts about it: a label and a value.
    pub(crate) facts: Vec<(&'static str, String)>,
    /// A list of what happened, if it was several things.
    pub(crate) items: Vec<String>,
    /// What to do if it was the reader, or if there is nothing to do.
    pub(crate) advice: String,
    /// What the link does, and until when.
    pub(crate) link_text: String,
    /// The label of the link.
    pub(crate) link_label: &'static str,
    /// The link.
    pub(crate) link: String,
    /// The URL of *Your devices*, where the reader can sign in.
    pub(crate) devices: Option<String>,
    /// Why the reader gets it.
    pub(crate) reason: &'static str,
}

#[derive(Template)]
#[template(path = "mail/message.txt")]
struct Plain<'a> {
    it: &'a MessageContent,
}

#[derive(Template)]
#[template(path = "mail/message.html")]
struct Html<'a> {
    it: &'a MessageContent,
}

impl MessageContent {
    /// Returns the message with this content.
    ///
    /// # Errors
    /// [`Error::Internal`] when a template can't be rendered.
    pub(crate) fn render(&self) -> Result<EmailMessage> {
        Ok(EmailMessage {
            subject: self.subject.to_owned(),
            plain: render(&Plain { it: self })?,
            html: render(&Html { it: self })?,
        })
    }

    /// Returns a fact on one line of the plain form, in two columns.
    fn line(label: &str, value: &str) -> String {
        format!("  {:<10}{value}", format!("{label}:"))
    }
}

/// Returns `text` in lines of at most [`WIDTH`] characters, where its words allow it.
fn wrap(text: &str) -> String {
    let mut wrapped = String::new();
    let mut width = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        let is_full = width + 1 + length > WIDTH;
        if width > 0 {
            wrapped.push(if is_full { '\n' } else { ' ' });
        }
        width = match width {
            0 => length,
            _ if is_full => length,
            before => before + 1 + length,
        };
        wrapped.push_str(word);
    }
    wrapped
}

fn render(template: &impl Template) -> Result<String> {
    template
        .render()
        .map_err(|err| Error::Internal(Failure::new("a message could not be rendered", err)))
}

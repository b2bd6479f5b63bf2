//! The content of a message, of whatever topic, and its plain and HTML forms.

use askama::Template;

use super::EmailMessage;
use crate::error::{Error, Failure, Result};
use crate::settings::color::Color;
use crate::settings::{LogoFormat, Site};

/// The width of the plain form, in characters. A link may be longer.
const WIDTH: usize = 72;

/// The accent color of a service without its own: `--accent` of the stylesheet, light and dark.
const ACCENT: (Color, Color) = (Color::of(0x0b_6b_4f), Color::of(0x5f_d3_a6));
/// Text on it.
const ACCENT_INK: (Color, Color) = (Color::WHITE, Color::of(0x06_24_1a));
/// Stands for the name of the service, in a subject and a reason.
pub(crate) const SITE: &str = "{site}";

/// The content of a message. Its subject is a fixed sentence, in which `{site}` stands for the name of
/// the service, so that no text from outside gets into a header.
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
    /// Whether all that its page takes is a report; for the color of its button.
    pub(crate) is_report: bool,
    /// The link.
    pub(crate) link: String,
    /// The URL of *Your devices*, where the reader can sign in.
    pub(crate) devices: Option<String>,
    /// Why the reader gets it; `{site}` stands for the name of the service.
    pub(crate) reason: &'static str,
}

#[derive(Template)]
#[template(path = "mail/message.txt")]
struct Plain<'a> {
    it: &'a MessageContent,
    page: Surroundings<'a>,
}

#[derive(Template)]
#[template(path = "mail/message.html")]
struct Html<'a> {
    it: &'a MessageContent,
    page: Surroundings<'a>,
}

/// The mailbox that a message is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recipient<'a> {
    /// Its address.
    pub(crate) email: &'a str,
    /// The name of the person, where the mailbox is known to be theirs: anybody can sign up with a
    /// stranger's address, and a name of their choice.
    pub(crate) name: Option<&'a str>,
    /// Whether the address is the e-mail of the account.
    pub(crate) is_account: bool,
}

/// What is around the content of every message.
struct Surroundings<'a> {
    subject: String,
    greeting: String,
    /// Why the reader gets it.
    reason: String,
    /// For which account, or at which address.
    account: String,
    site: &'a str,
    has_logo: bool,
    accent: (Color, Color),
    ink: (Color, Color),
}

impl<'a> Surroundings<'a> {
    fn new(content: &MessageContent, site: &'a Site, to: Recipient<'_>) -> Self {
        let accent = site.accent.map(|accent| (accent.light, accent.dark));
        Self {
            subject: content.subject.replace(SITE, &site.name),
            greeting: match to.name {
                Some(name) => format!("Hello {name},"),
                None => "Hello,".into(),
            },
            reason: content.reason.replace(SITE, &site.name),
            account: match to.is_account {
                true => format!("Your account: {}", to.email),
                false => format!("Sent to {}", to.email),
            },
            site: &site.name,
            has_logo: inline_logo(site).is_some(),
            accent: accent.map_or(ACCENT, |(light, dark)| (light.color, dark.color)),
            ink: accent.map_or(ACCENT_INK, |(light, dark)| (light.ink, dark.ink)),
        }
    }
}

/// Returns the logo, if mail programs show its format: its bytes and its media type.
pub(super) fn inline_logo(site: &Site) -> Option<(&[u8], &'static str)> {
    let logo = site.logo.as_ref()?;
    let is_shown = logo.format != LogoFormat::Svg;
    is_shown.then(|| (logo.bytes.as_slice(), logo.format.media_type()))
}

impl MessageContent {
    /// Returns the message with this content.
    ///
    /// # Errors
    /// [`Error::Internal`] when a template can't be rendered.
    pub(crate) fn render(&self, site: &Site, to: Recipient<'_>) -> Result<EmailMessage> {
        let page = || Surroundings::new(self, site, to);
        Ok(EmailMessage {
            subject: site.subject(&page().subject),
            plain: render(&Plain {
                it: self,
                page: page(),
            })?,
            html: render(&Html {
                it: self,
                page: page(),
            })?,
        })
    }

    /// Returns a fact in the plain form, in two columns.
    fn line(label: &str, value: &str) -> String {
        /// Wide enough for the longest label, with a space after it.
        const COLUMN: usize = 14;

        let lines = wrap_at(value, WIDTH - COLUMN);
        let value = lines.replace('\n', &format!("\n{:COLUMN$}", ""));
        format!("{:COLUMN$}{value}", format!("  {label}:"))
    }
}

/// Returns `text` in lines of at most [`WIDTH`] characters, where its words allow it.
fn wrap(text: &str) -> String {
    wrap_at(text, WIDTH)
}

fn wrap_at(text: &str, limit: usize) -> String {
    let mut wrapped = String::new();
    let mut width = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        let is_full = width + 1 + length > limit;
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

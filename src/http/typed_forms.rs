//! The forms whose text is shown again where they were refused because their page was outdated.

/// A form whose fields somebody types text into.
#[derive(Debug)]
pub struct TypedForm {
    /// The pattern of the path that it is posted to, with `{id}` for a variable segment.
    pub path: &'static str,
    /// What it is for: the heading of its page.
    pub title: &'static str,
    /// The label of its button.
    pub button: &'static str,
    /// The typed fields.
    pub fields: &'static [TypedField],
}

/// A form that was not carried out, for the person whose it is.
pub struct UnsentForm {
    /// What it is for.
    pub form: &'static TypedForm,
    /// The path that it is posted to.
    pub path: String,
    /// Its fields, in their order, without passwords.
    pub fields: Vec<(String, String)>,
}

/// A field that somebody types text into.
#[derive(Debug)]
pub struct TypedField {
    /// Its name.
    pub name: &'static str,
    /// Its label.
    pub label: &'static str,
    /// What it is on the page.
    pub control: Control,
    /// The most characters.
    pub max: u16,
    /// Whether it has to be filled in.
    pub is_required: bool,
}

/// What a field is on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// One line.
    Line,
    /// Several lines.
    Lines,
    /// An e-mail address.
    Email,
    /// A password, which is never shown again.
    Password,
}

impl TypedField {
    const fn new((name, label): (&'static str, &'static str), control: Control, max: u16) -> Self {
        Self {
            name,
            label,
            control,
            max,
            is_required: true,
        }
    }

    const fn optional(self) -> Self {
        Self {
            is_required: false,
            ..self
        }
    }
}

const NAME: TypedField = TypedField::new(("full_name", "Name"), Control::Line, 255).optional();
const EMAIL: TypedField = TypedField::new(("email", "E-mail"), Control::Email, 254);
const NEW_EMAIL: TypedField = TypedField::new(("email", "New e-mail"), Control::Email, 254);
const DEVICE: TypedField = TypedField::new(("device_name", "Device name"), Control::Line, 255);
const PASSWORD: TypedField =
    TypedField::new(("new_password", "Password"), Control::Password, 4_096);
const REASON: TypedField = TypedField::new(("reason", "Reason"), Control::Lines, 500);
const STATED: TypedField = TypedField::new(("stated_reason", "Reason"), Control::Lines, 500);
const WHY_STOP: TypedField = TypedField::new(("reason", "Reason"), Control::Line, 500).optional();
const TYPED: TypedField = TypedField::new(("typed", "Their e-mail, typed"), Control::Line, 255);
const APPLICATION: TypedField =
    TypedField::new(("name", "Name of the application"), Control::Line, 255);
const HOSTS: TypedField = TypedField::new(("hosts", "Hosts"), Control::Line, 5_500).optional();
const KEY: TypedField = TypedField::new(("name", "Name"), Control::Line, 255).optional();

/// The forms that are shown again. All others have passwords, a search, or what is typed to confirm an
/// act, which is to be typed anew.
#[rustfmt::skip]
pub static TYPED_FORMS: &[TypedForm] = &[
    TypedForm { path: "/account/name", title: "Your name", button: "Save", fields: &[NAME] },
    TypedForm { path: "/account/email", title: "Your e-mail", button: "Send the link", fields: &[NEW_EMAIL] },
    TypedForm { path: "/devices/{id}/rename", title: "Name of the device", button: "Save", fields: &[DEVICE] },
    TypedForm { path: "/admin/sessions/end", title: "End sessions", button: "Continue", fields: &[STATED] },
    TypedForm { path: "/admin/jobs/{id}/stop", title: "Stop the job", button: "Stop the job", fields: &[WHY_STOP] },
    TypedForm { path: "/admin/users/new", title: "New account", button: "Create the account", fields: &[EMAIL, NAME, PASSWORD] },
    TypedForm { path: "/admin/users/invite", title: "Invitation", button: "Invite", fields: &[EMAIL, NAME] },
    TypedForm { path: "/admin/users/{id}/name", title: "Name of", button: "Save", fields: &[NAME] },
    TypedForm { path: "/admin/users/{id}/email", title: "E-mail of", button: "Set the e-mail", fields: &[NEW_EMAIL, REASON] },
    TypedForm { path: "/admin/users/{id}/lift-delay", title: "Lift the delay of", button: "Lift the delay", fields: &[REASON] },
    TypedForm { path: "/admin/users/{id}/verify-email", title: "Mark as verified: the e-mail of", button: "Mark it as verified", fields: &[REASON] },
    TypedForm { path: "/admin/users/{id}/role", title: "Role of", button: "Change the role", fields: &[REASON] },
    TypedForm { path: "/admin/users/{id}/reset-link", title: "Link for a new password of", button: "Create the link", fields: &[REASON] },
    TypedForm { path: "/admin/users/{id}/invite", title: "Another invitation for", button: "Invite again", fields: &[REASON] },
    TypedForm { path: "/admin/users/{id}/end-sessions", title: "End all sessions of", button: "End all sessions", fields: &[REASON] },
    TypedForm { path: "/admin/users/{id}/disable", title: "Disable", button: "Disable the account", fields: &[REASON] },
    TypedForm { path: "/admin/users/{id}/enable", title: "Enable", button: "Enable the account", fields: &[REASON] },
    TypedForm { path: "/admin/users/{id}/delete", title: "Delete", button: "Delete the account", fields: &[REASON, TYPED] },
    TypedForm { path: "/admin/applications", title: "New application", button: "Add the application", fields: &[APPLICATION, HOSTS] },
    TypedForm { path: "/admin/applications/{id}", title: "Application", button: "Save", fields: &[APPLICATION, HOSTS] },
    TypedForm { path: "/admin/api-keys", title: "New key", button: "Create the key", fields: &[KEY] },
];

/// Returns the form that is posted to `path`, if it is one of them.
pub(super) fn typed_form(path: &str) -> Option<&'static TypedForm> {
    let is_of = |form: &&TypedForm| {
        let (mut pattern, mut segments) = (form.path.split('/'), path.split('/'));
        loop {
            match (pattern.next(), segments.next()) {
                (None, None) => return true,
                (Some("{id}"), Some(id)) if !id.is_empty() => {}
                (Some(pattern), Some(segment)) if pattern == segment => {}
                _ => return false,
            }
        }
    };
    TYPED_FORMS.iter().find(is_of)
}

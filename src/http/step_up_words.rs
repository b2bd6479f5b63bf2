//! The words for what a request that needs step-up is about to do, by its path.

/// What an act is done to; the text is an id from the path.
#[derive(Debug, Clone, Copy)]
pub(super) enum Subject<'a> {
    Unnamed,
    Device(&'a str),
    Alert(&'a str),
    Person(&'a str),
    Application(&'a str),
    ApiKey(&'a str),
    /// An address that is to be the caller's, or of a new account.
    Email(&'a str),
    /// The name of what is to be created.
    Typed(&'a str),
    /// A key that is to be created: the id of its application, and its name.
    NewKey {
        application: &'a str,
        name: &'a str,
    },
}

const EMAIL: &str = "Send a link to change your e-mail";

/// An act before the name of its subject is known; `unnamed` are the words for a subject that isn't
/// found.
pub(super) struct Words<'a> {
    pub(super) before: &'static str,
    pub(super) subject: Subject<'a>,
    pub(super) after: &'static str,
    pub(super) unnamed: &'static str,
}

const fn plain(words: &'static str) -> Words<'static> {
    Words {
        before: words,
        subject: Subject::Unnamed,
        after: "",
        unnamed: words,
    }
}

const fn with_name<'a>(
    before: &'static str,
    subject: Subject<'a>,
    after: &'static str,
    unnamed: &'static str,
) -> Words<'a> {
    Words {
        before,
        subject,
        after,
        unnamed,
    }
}

/// Finds the words for a request to `path`.
pub(super) fn find_words<'a>(path: &'a str, fields: &'a [(String, String)]) -> Option<Words<'a>> {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    match segments.as_slice() {
        ["devices", rest @ ..] => find_words_for_device(rest, fields),
        ["alerts", id, "no"] => Some(with_name("", Subject::Alert(id), "", "Answer the alert")),
        ["alerts", _, "steps", ..] => Some(plain("Skip this step")),
        ["alerts", ..] => Some(plain("Answer the alert")),
        ["unsent-form"] => Some(plain("Discard what you typed")),
        ["account", rest @ ..] => find_words_for_account(rest, fields),
        ["admin", "users", rest @ ..] => find_words_for_person(rest, fields),
        ["admin", rest @ ..] => find_words_for_administration(rest, fields),
        _ => None,
    }
}

fn find_words_for_device<'a>(
    segments: &[&'a str],
    fields: &[(String, String)],
) -> Option<Words<'a>> {
    let is_for_one = fields.iter().any(|(name, _)| name == "only");
    let signs_out = fields
        .iter()
        .any(|(name, value)| name == "when_unused" && value == "signs-out");
    Some(match segments {
        ["sign-out-others"] => plain("Sign out your other devices"),
        ["sign-out-selected"] => plain("Sign out the selected devices"),
        ["sign-out-everywhere"] => plain("Sign out everywhere"),
        [id, "sign-out"] if is_for_one => with_name(
            "End one session on ",
            Subject::Device(id),
            "",
            "End a session",
        ),
        [id, "sign-out"] => with_name("Sign out ", Subject::Device(id), "", "Sign out a device"),
        [id, "rename"] => with_name(
            "Change the name of ",
            Subject::Device(id),
            "",
            "Change the name of a device",
        ),
        [id, "when-unused"] if signs_out => with_name(
            "Let ",
            Subject::Device(id),
            " sign out after some time without use",
            "Let a device sign out after some time without use",
        ),
        [id, "when-unused"] => with_name(
            "Keep ",
            Subject::Device(id),
            " signed in",
            "Keep a device signed in",
        ),
        _ => return None,
    })
}

fn find_words_for_account<'a>(
    segments: &[&'a str],
    fields: &'a [(String, String)],
) -> Option<Words<'a>> {
    let email = fields.iter().find(|(name, _)| name == "email");
    let email_alerts = fields.iter().any(|(name, _)| name == "alert_emails");
    Some(plain(match segments {
        ["name"] => "Change your name",
        ["email"] => {
            return Some(match email {
                Some((_, email)) => with_name("Send a link to ", Subject::Email(email), "", EMAIL),
                None => plain(EMAIL),
            });
        }
        ["email", "cancel"] => "Cancel the change of your e-mail",
        ["email", "link"] => "Send the link again",
        ["password"] => "Change your password",
        ["idle-limit"] => "Change how long unused devices stay signed in",
        ["alerts"] if email_alerts => "Turn on e-mails about new sign-ins",
        ["alerts"] => "Turn off e-mails about new sign-ins",
        ["addresses"] => describe_addresses(fields),
        ["time-zone"] => "Change your time zone",
        ["export"] => "Download your data",
        ["delete"] => "Delete your account",
        _ => return None,
    }))
}

fn describe_addresses(fields: &[(String, String)]) -> &'static str {
    match fields.iter().find(|(name, _)| name == "addresses") {
        Some((_, chosen)) if chosen == "none" => "Delete your stored IP addresses",
        Some((_, chosen)) if chosen == "shortened" => "Shorten your stored IP addresses",
        _ => "Change how addresses are stored",
    }
}

fn find_words_for_person<'a>(
    segments: &[&'a str],
    fields: &'a [(String, String)],
) -> Option<Words<'a>> {
    let (before, id, after, unnamed) = match segments {
        [one] => return find_words_for_new_person(one, value(fields, "email")),
        [id, "edit"] => ("Change the name or e-mail of ", id, "", "Edit a person"),
        [id, "name"] => ("Change the name of ", id, "", "Change a name"),
        [id, "email"] => ("Change the e-mail of ", id, "", "Change an e-mail"),
        [id, "lift-delay"] => ("Lift the delay for ", id, "", "Lift a delay"),
        [id, "verify-email"] => (
            "Mark the e-mail of ",
            id,
            " as verified",
            "Mark an e-mail as verified",
        ),
        [id, "role"] => ("Change the role of ", id, "", "Change a role"),
        [id, "reset-link"] => (
            "Create a link for a new password for ",
            id,
            "",
            "Create a link for a new password",
        ),
        [id, "invite"] => ("Invite ", id, " again", "Invite a person again"),
        [id, "end-sessions"] => (
            "End all sessions of ",
            id,
            "",
            "End all sessions of a person",
        ),
        [id, "disable"] => ("Disable ", id, "", "Disable an account"),
        [id, "enable"] => ("Enable ", id, "", "Enable an account"),
        [id, "export"] => ("Export what is stored about ", id, "", "Export an account"),
        [id, "delete"] => ("Delete ", id, "", "Delete an account"),
        _ => return None,
    };
    Some(with_name(before, Subject::Person(id), after, unnamed))
}

/// Finds the words for an account that is to be created for an e-mail.
fn find_words_for_new_person<'a>(how: &str, email: &'a str) -> Option<Words<'a>> {
    let email = Subject::Email(email);
    match how {
        "new" => Some(with_name(
            "Create the account for ",
            email,
            "",
            "Add a person",
        )),
        "invite" => Some(with_name("Invite ", email, "", "Invite a person")),
        _ => None,
    }
}

fn value<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    let found = fields.iter().find(|(field, _)| field == name);
    found.map_or("", |(_, value)| value)
}

fn find_words_for_administration<'a>(
    segments: &[&'a str],
    fields: &'a [(String, String)],
) -> Option<Words<'a>> {
    Some(match segments {
        ["sessions", "end"] => plain("End the chosen sessions"),
        ["jobs", _, "stop"] => plain("Stop the job that ends sessions"),
        ["applications"] => with_name(
            "Add the application ",
            Subject::Typed(value(fields, "name")),
            "",
            "Add an application",
        ),
        ["applications", id] => with_name(
            "Change the application ",
            Subject::Application(id),
            "",
            "Change an application",
        ),
        ["applications", id, "delete"] => with_name(
            "Delete the application ",
            Subject::Application(id),
            "",
            "Delete an application",
        ),
        ["api-keys"] => words_for_key(value(fields, "application"), value(fields, "name")),
        ["api-keys", id, "revoke"] => with_name(
            "Revoke the API key ",
            Subject::ApiKey(id),
            "",
            "Revoke an API key",
        ),
        _ => return None,
    })
}

/// Returns the words for a new key, by the id of its application, which may be a new one of that name.
fn words_for_key<'a>(application: &'a str, name: &'a str) -> Words<'a> {
    const UNNAMED: &str = "Create an API key";

    let subject = Subject::NewKey { application, name };
    match (application, name.trim()) {
        ("", _) => with_name(
            "Create an API key for the new application ",
            Subject::Typed(name),
            "",
            UNNAMED,
        ),
        (_, "") => with_name("Create an API key ", subject, "", UNNAMED),
        _ => with_name("Create the API key ", subject, "", UNNAMED),
    }
}

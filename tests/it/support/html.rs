//! The parts of HTML that the tests read: the text of a page and its forms.

/// A form on a page.
#[derive(Debug)]
pub struct Form {
    pub action: String,
    /// Its hidden fields: name and value.
    pub hidden: Vec<(String, String)>,
}

impl Form {
    /// Returns a form with the same hidden fields, for another path.
    pub fn aimed_at(&self, action: &str) -> Self {
        Self {
            action: action.into(),
            hidden: self.hidden.clone(),
        }
    }
}

/// Returns every form on the page that is posted.
pub fn forms(page: &str) -> Vec<Form> {
    between(page, "<form", "</form>")
        .filter(|text| method(text).eq_ignore_ascii_case("post"))
        .filter_map(form)
        .collect()
}

/// Returns every form on the page that goes to `action`, posted or not.
pub fn forms_to(page: &str, action: &str) -> Vec<Form> {
    between(page, "<form", "</form>")
        .filter_map(form)
        .filter(|form| form.action == action)
        .collect()
}

/// Returns the address that a form which is not posted goes to, with these fields.
pub fn address(action: &str, fields: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    format!("{action}?{query}")
}

fn method(text: &str) -> String {
    let tag = text.split('>').next().unwrap_or_default();
    attribute(tag, "method").unwrap_or_default()
}

fn form(text: &str) -> Option<Form> {
    let (tag, body) = text.split_once('>')?;
    let hidden = between(body, "<input", ">")
        .filter(|input| attribute(input, "type").as_deref() == Some("hidden"))
        .filter_map(|input| {
            Some((
                attribute(input, "name")?,
                attribute(input, "value").unwrap_or_default(),
            ))
        })
        .collect();
    Some(Form {
        action: attribute(tag, "action").unwrap_or_default(),
        hidden,
    })
}

/// Returns the text on the page, with single spaces between words.
pub fn words(page: &str) -> String {
    let mut text = String::new();
    for piece in page.split('<') {
        text.push_str(piece.split_once('>').map_or(piece, |(_tag, after)| after));
        text.push(' ');
    }
    unescape(&text)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace(" .", ".")
        .replace(" ,", ",")
}

/// Returns the value of each attribute `name="…"` on the page, such as links.
pub fn attributes(page: &str, name: &str) -> Vec<String> {
    between(page, &format!(" {name}=\""), "\"")
        .map(unescape)
        .collect()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let spaced = tag.replace(['\n', '\t'], " ");
    attributes(&spaced, name).into_iter().next()
}

fn between<'a>(text: &'a str, start: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(start)
        .skip(1)
        .filter_map(move |rest| rest.split_once(end).map(|(inside, _)| inside))
}

fn unescape(text: &str) -> String {
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&nbsp;", " "),
    ]
    .iter()
    .fold(text.to_owned(), |text, (escaped, plain)| {
        text.replace(escaped, plain)
    })
    .replace("&#38;", "&")
    .replace("&amp;", "&")
}

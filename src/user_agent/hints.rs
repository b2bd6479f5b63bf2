//! User-agent client hints (WICG "User-Agent Client Hints"): the facts that Chromium-based browsers
//! send beside a frozen user agent. They are untrusted text too.

use sfv::{BareItem, Item, List, ListEntry, Parser};

use super::facts::DeviceKind;
use crate::text;

/// The hints that pages request from browsers: the value of `Accept-CH`.
pub const ACCEPT_CH: &str = "Sec-CH-UA-Full-Version-List, Sec-CH-UA-Platform-Version, Sec-CH-UA-Model, Sec-CH-UA-Form-Factors";

/// Bytes of one hint that are parsed.
const LIMIT: usize = 1_000;
/// Characters a value may have.
const VALUE_LIMIT: usize = 60;
/// Brands or form factors of one hint that are used.
const MAX_MEMBERS: usize = 16;

/// The hints of one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientHints {
    /// The brands with their versions, from `Sec-CH-UA-Full-Version-List`, else from `Sec-CH-UA`.
    pub brands: Vec<Brand>,
    /// The operating system, such as "Windows" or "Android".
    pub platform: Option<String>,
    /// Its version, such as "15.0.0". On Windows it differs from the marketed version.
    pub platform_version: Option<String>,
    /// The model, such as "SM-X710"; desktops have none.
    pub model: Option<String>,
    /// The form factors, such as "Tablet" or "Desktop".
    pub form_factors: Vec<String>,
    /// Whether the browser prefers pages for mobile devices.
    pub is_mobile: Option<bool>,
}

/// A brand of a browser, and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brand {
    /// The brand's name, such as "Microsoft Edge".
    pub name: String,
    /// The version, such as "126.0.2592.87".
    pub version: String,
}

/// The brands of browsers, each with its display name; the first one that was sent wins. Chromium,
/// which they all send, and the decoys that browsers add ("GREASE") are not in it.
const BROWSERS: [(&str, &str); 27] = [
    ("Microsoft Edge", "Edge"),
    ("Microsoft Edge WebView2", "Edge WebView2"),
    ("Opera GX", "Opera GX"),
    ("Opera Mini", "Opera Mini"),
    ("Opera Mini Android", "Opera Mini"),
    ("OperaMobile", "Opera"),
    ("Opera", "Opera"),
    ("Brave", "Brave"),
    ("Vivaldi", "Vivaldi"),
    ("Samsung Internet", "Samsung Internet"),
    ("YaBrowser", "Yandex Browser"),
    ("Yandex", "Yandex Browser"),
    ("DuckDuckGo", "DuckDuckGo"),
    ("Whale", "Whale"),
    ("NAVER Whale", "Whale"),
    ("Avast Secure Browser", "Avast Secure Browser"),
    ("AVG Secure Browser", "AVG Secure Browser"),
    ("CCleaner Browser", "CCleaner Browser"),
    ("Norton Private Browser", "Norton Private Browser"),
    ("CocCoc", "Cốc Cốc"),
    ("Ecosia", "Ecosia"),
    ("Huawei Browser", "Huawei Browser"),
    ("Meta Quest Browser", "Meta Quest Browser"),
    ("Oculus Browser", "Meta Quest Browser"),
    ("HeadlessChrome", "Headless Chrome"),
    ("Android WebView", "Android WebView"),
    ("Google Chrome", "Chrome"),
];

impl ClientHints {
    /// Returns the hints in a request's headers; `header` returns the value of a header by its
    /// name.
    pub fn from_headers(header: impl Fn(&str) -> Option<String>) -> Self {
        let field =
            |name: &str| header(name).map(|value| text::truncate_bytes(&value, LIMIT).to_owned());
        let text = |name: &str| field(name).and_then(|value| string(&value));
        let list = |name: &str| field(name).map(|value| members(&value)).unwrap_or_default();
        let full = list("sec-ch-ua-full-version-list");
        let brands = match full.is_empty() {
            true => list("sec-ch-ua"),
            false => full,
        };
        Self {
            brands: brands.iter().filter_map(brand).collect(),
            platform: text("sec-ch-ua-platform"),
            platform_version: text("sec-ch-ua-platform-version"),
            model: text("sec-ch-ua-model"),
            form_factors: list("sec-ch-ua-form-factors")
                .iter()
                .filter_map(|item| presentable(item.bare_item.as_string()?.as_str()))
                .collect(),
            is_mobile: field("sec-ch-ua-mobile").and_then(|value| boolean(&value)),
        }
    }

    /// Returns the browser's name and its major version, if its brands state them.
    pub(super) fn browser(&self) -> Option<(&'static str, Option<String>)> {
        BROWSERS.iter().find_map(|(brand, name)| {
            let sent = self.brands.iter().find(|sent| sent.name == *brand)?;
            let major = sent.version.split('.').next().unwrap_or_default();
            let is_number = !major.is_empty() && major.bytes().all(|b| b.is_ascii_digit());
            Some((*name, is_number.then(|| major.to_owned())))
        })
    }

    /// Returns the kind of device, if its form factors state one.
    pub(super) fn kind(&self) -> Option<DeviceKind> {
        self.form_factors
            .iter()
            .find_map(|form| match form.as_str() {
                "Tablet" | "EInk" => Some(DeviceKind::Tablet),
                "Mobile" => Some(DeviceKind::Phone),
                "Watch" => Some(DeviceKind::Watch),
                "Desktop" => Some(DeviceKind::Desktop),
                "Automotive" => Some(DeviceKind::Car),
                _ => None,
            })
    }

    /// Returns the operating system's marketed version, such as "11" or "14.5".
    pub(super) fn system_version(&self) -> Option<String> {
        let mut parts = self.platform_version.as_deref()?.split('.');
        let mut number = || parts.next().and_then(|part| part.parse::<u32>().ok());
        let (major, minor) = (number()?, number().unwrap_or_default());
        match (self.platform.as_deref()?, major, minor) {
            // As Microsoft documents the platform versions of Windows.
            ("Windows", 13.., _) => Some("11".into()),
            ("Windows", 1.., _) => Some("10".into()),
            ("Windows", 0, 1) => Some("7".into()),
            ("Windows", 0, 2) => Some("8".into()),
            ("Windows", 0, 3) => Some("8.1".into()),
            ("macOS" | "Android", 1.., 0) => Some(major.to_string()),
            ("macOS" | "Android", 1.., _) => Some(format!("{major}.{minor}")),
            _ => None,
        }
    }

    /// Returns the user agent as it was before Chromium froze it: with Android's version and the
    /// model in it. `None` unless the hints state Android and a model.
    pub(super) fn unfrozen_agent(&self, agent: &str) -> Option<String> {
        let model = self.model.as_deref().map(plain).unwrap_or_default();
        if self.platform.as_deref() != Some("Android") || model.is_empty() {
            return None;
        }
        let version = self.system_version().unwrap_or_else(|| "10".into());
        let (before, rest) = agent.split_once('(')?;
        let (comment, after) = rest.split_once(')')?;
        let view = if comment.contains("; wv") { "; wv" } else { "" };
        Some(format!(
            "{before}(Linux; Android {version}; {model}{view}){after}"
        ))
    }
}

/// Returns a model without the characters that have a meaning in a user agent's comment.
fn plain(model: &str) -> String {
    let plain: String = model
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_+.".contains(*c))
        .collect();
    plain.trim().to_owned()
}

fn brand(item: &Item) -> Option<Brand> {
    let version = item.params.get("v").and_then(BareItem::as_string)?;
    Some(Brand {
        name: presentable(item.bare_item.as_string()?.as_str())?,
        version: presentable(version.as_str())?,
    })
}

/// Parses a string item (RFC 9651).
fn string(value: &str) -> Option<String> {
    let item: Item = Parser::new(value).parse().ok()?;
    presentable(item.bare_item.as_string()?.as_str())
}

fn boolean(value: &str) -> Option<bool> {
    let item: Item = Parser::new(value).parse().ok()?;
    item.bare_item.as_boolean()
}

/// Parses a list, and returns its items, at most [`MAX_MEMBERS`] members (RFC 9651).
fn members(value: &str) -> Vec<Item> {
    let list: List = Parser::new(value).parse().unwrap_or_default();
    let item = |entry| match entry {
        ListEntry::Item(item) => Some(item),
        ListEntry::InnerList(_) => None,
    };
    list.into_iter()
        .take(MAX_MEMBERS)
        .filter_map(item)
        .collect()
}

fn presentable(value: &str) -> Option<String> {
    let cleaned = text::clean(value);
    Some(text::truncate_chars(&cleaned, VALUE_LIMIT).to_owned()).filter(|value| !value.is_empty())
}

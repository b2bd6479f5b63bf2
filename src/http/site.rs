//! The name and the look of the service, as its pages show them.

use std::collections::HashMap;

use super::static_file::{StaticFile, hashed_name, url_of_hashed};
use crate::settings::{Accent, Shade, Site};

/// The look of the service's pages, with the files that it takes.
pub struct SiteLook {
    /// The name of the service.
    pub name: String,
    /// The URL of the stylesheet with its accent color, if it has its own.
    pub css: Option<String>,
    /// The URL of its logo, if it has one.
    pub logo: Option<String>,
    files: HashMap<String, StaticFile>,
}

impl SiteLook {
    /// Returns the look of a site.
    #[must_use]
    pub fn new(site: &Site) -> Self {
        let mut files = HashMap::new();
        let css = site.accent.map(|accent| {
            let file = ("site.css", "text/css", stylesheet(&accent).into_bytes());
            add(&mut files, file)
        });
        let logo = site.logo.as_ref().map(|logo| {
            let name = format!("logo.{}", logo.format.ending());
            let file = (name.as_str(), logo.format.media_type(), logo.bytes.clone());
            add(&mut files, file)
        });
        Self {
            name: site.name.clone(),
            css,
            logo,
            files,
        }
    }

    /// Finds a file by its hashed name.
    pub(super) fn find_file(&self, hashed: &str) -> Option<&StaticFile> {
        self.files.get(hashed)
    }
}

/// Adds a file of this name and media type; returns its URL.
fn add(
    files: &mut HashMap<String, StaticFile>,
    (name, media_type, data): (&str, &str, Vec<u8>),
) -> String {
    let hashed = hashed_name(name, &data);
    let url = url_of_hashed(&hashed);
    files.insert(hashed, StaticFile::new(media_type, data));
    url
}

/// Returns the stylesheet that replaces the accent color; the policy of pages (CSP) allows it, since
/// it is a file.
fn stylesheet(accent: &Accent) -> String {
    let (light, dark) = (tokens(&accent.light), tokens(&accent.dark));
    format!(
        "@media screen {{ :root {{ {light} }} }}\n\
         @media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
    )
}

fn tokens(shade: &Shade) -> String {
    let Shade { color, ink, soft } = shade;
    format!("--accent: {color}; --accent-ink: {ink}; --accent-soft: {soft};")
}

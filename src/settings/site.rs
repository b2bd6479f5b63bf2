//! `[site]`: what the service calls itself, and how it looks, on its pages and in its messages.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::bounds::invalid;
use super::color::{Color, MIN_CONTRAST};
use crate::error::{Error, Failure, Result};
use crate::text;

/// The most characters of the name.
const MAX_NAME_CHARS: usize = 60;
/// The most bytes of the logo. Messages contain it, and pages load it once.
const MAX_LOGO_BYTES: usize = 128 * 1024;

/// What text in the accent color stands on, with light colors: `--ground`, `--surface` and
/// `--surface-sunk` of the stylesheet.
const LIGHT: [Color; 3] = [
    Color::of(0xf4_f6_f8),
    Color::of(0xff_ff_ff),
    Color::of(0xf1_f4_f7),
];
/// Likewise, with dark colors.
const DARK: [Color; 3] = [
    Color::of(0x0e_13_18),
    Color::of(0x16_1d_25),
    Color::of(0x0f_15_1b),
];
/// Text on the accent color, if it isn't white.
const DARK_INK: Color = Color::of(0x06_12_18);
/// How many hundredths of the accent color are in the background of badges, at most.
const SOFT: [u8; 5] = [14, 10, 6, 3, 0];

/// `[site]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SiteSettings {
    /// The name of the service, on its pages and in its messages: 1 to 60 characters.
    pub name: String,
    /// A file with a logo (SVG, PNG or JPEG, up to 128 KiB) that pages show beside the name. Messages
    /// contain a PNG or a JPEG.
    pub logo: Option<PathBuf>,
    /// The color of links and of the main buttons: `#0b6b4f`. Its contrast with the pages has to be
    /// 4.5 or more.
    pub accent: Option<Color>,
    /// Likewise with dark colors, if not a lighter shade of `accent`.
    pub accent_dark: Option<Color>,
}

impl Default for SiteSettings {
    fn default() -> Self {
        Self {
            name: "Rollcall".into(),
            logo: None,
            accent: None,
            accent_dark: None,
        }
    }
}

/// The name and the look of the service, as it is started.
#[derive(Debug, Clone)]
pub struct Site {
    /// Its name.
    pub name: String,
    /// Its accent color, if it has its own.
    pub accent: Option<Accent>,
    /// Its logo.
    pub logo: Option<Logo>,
}

/// The accent color, with light colors and with dark ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accent {
    /// With light colors.
    pub light: Shade,
    /// With dark colors.
    pub dark: Shade,
}

/// A shade of the accent color.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shade {
    /// The color of links, and of the background of the main buttons.
    pub color: Color,
    /// The color of the text on it.
    pub ink: Color,
    /// The background of badges, on which text has the color.
    pub soft: Color,
}

/// An image.
#[derive(Debug, Clone)]
pub struct Logo {
    /// The file.
    pub bytes: Vec<u8>,
    /// What it is.
    pub format: LogoFormat,
}

/// The format of a logo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogoFormat {
    /// SVG, which mail programs don't show.
    Svg,
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
}

impl LogoFormat {
    /// Returns the format that these bytes begin as.
    fn of(bytes: &[u8]) -> Option<Self> {
        let start = String::from_utf8_lossy(bytes.get(..1024).unwrap_or(bytes));
        match bytes {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            _ if start.contains("<svg") => Some(Self::Svg),
            _ => None,
        }
    }

    /// Returns the media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Svg => "image/svg+xml",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
        }
    }

    /// Returns the ending of a file name.
    #[must_use]
    pub fn ending(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Png => "png",
            Self::Jpeg => "jpg",
        }
    }
}

impl Default for Site {
    fn default() -> Self {
        Self {
            name: SiteSettings::default().name,
            accent: None,
            logo: None,
        }
    }
}

impl Site {
    /// Returns the site of these settings, with the logo read.
    ///
    /// # Errors
    /// [`Error::Configuration`] when a setting can't be used.
    pub fn load(settings: &SiteSettings) -> Result<Self> {
        Ok(Self {
            name: settings.name.clone(),
            accent: accent(settings)?,
            logo: settings.logo.as_deref().map(read_logo).transpose()?,
        })
    }

    /// Returns the subject of a message with this heading: after the name of the service, where that is
    /// set and the heading does not say it. No control character is allowed in the name, so it adds no
    /// header.
    #[must_use]
    pub fn subject(&self, heading: &str) -> String {
        let is_said = self.name == SiteSettings::default().name || heading.contains(&self.name);
        match is_said {
            true => heading.to_owned(),
            false => format!("[{}] {heading}", self.name),
        }
    }
}

/// Verifies the name and the colors.
///
/// # Errors
/// [`Error::Configuration`] when one is not allowed.
pub(super) fn check(settings: &SiteSettings) -> Result<()> {
    let name = settings.name.as_str();
    let is_allowed = !name.is_empty()
        && name.chars().count() <= MAX_NAME_CHARS
        && text::clean(name) == name
        && !text::is_invisible(name);
    match is_allowed {
        true => accent(settings).map(drop),
        false => Err(invalid(
            "site.name",
            format!("{name:?}"),
            format!(
                "1 to {MAX_NAME_CHARS} characters, none of them a control character, with no space around them"
            ),
        )),
    }
}

/// Returns the accent color of the settings, if they have one.
fn accent(settings: &SiteSettings) -> Result<Option<Accent>> {
    let Some(light) = settings.accent else {
        return match settings.accent_dark {
            None => Ok(None),
            Some(dark) => Err(invalid("site.accent_dark", dark, "only with site.accent")),
        };
    };
    let dark = settings.accent_dark.unwrap_or_else(|| lighter(light));
    Ok(Some(Accent {
        light: shade("site.accent", light, LIGHT)?,
        dark: shade("site.accent_dark", dark, DARK)?,
    }))
}

/// Returns the darkest tint of a color that can be read on dark surfaces.
fn lighter(color: Color) -> Color {
    (0..=100)
        .step_by(5)
        .map(|share| Color::WHITE.over(color, share))
        .find(|tint| tint.least_contrast(&DARK) >= MIN_CONTRAST)
        .unwrap_or(Color::WHITE)
}

/// Returns the shade with a color, which can be read on these surfaces.
fn shade(key: &str, color: Color, surfaces: [Color; 3]) -> Result<Shade> {
    let contrast = color.least_contrast(&surfaces);
    if contrast < MIN_CONTRAST {
        let least = surfaces
            .into_iter()
            .min_by(|a, b| color.contrast(*a).total_cmp(&color.contrast(*b)));
        let on = least.unwrap_or(Color::WHITE);
        return Err(invalid(
            key,
            format!("{color}, whose contrast with the background {on} is {contrast:.2}"),
            format!("a color whose contrast is {MIN_CONTRAST} or more (WCAG 2.2, 1.4.3)"),
        ));
    }
    let soft = SOFT
        .into_iter()
        .map(|share| color.over(surfaces[1], share))
        .find(|soft| color.contrast(*soft) >= MIN_CONTRAST);
    let white_is_better = color.contrast(Color::WHITE) >= color.contrast(DARK_INK);
    Ok(Shade {
        color,
        ink: if white_is_better {
            Color::WHITE
        } else {
            DARK_INK
        },
        soft: soft.unwrap_or(surfaces[1]),
    })
}

fn read_logo(path: &Path) -> Result<Logo> {
    let bytes = std::fs::read(path).map_err(|err| {
        let message = format!(
            "the configuration is wrong: site.logo is {}, which can't be read; allowed: a file",
            path.display()
        );
        Error::Configuration(Failure::new(message, err))
    })?;
    let format = LogoFormat::of(&bytes).filter(|_| bytes.len() <= MAX_LOGO_BYTES);
    match format {
        Some(format) => Ok(Logo { bytes, format }),
        None => Err(invalid(
            "site.logo",
            format!("{}, of {} bytes", path.display(), bytes.len()),
            format!("an SVG, a PNG or a JPEG of {MAX_LOGO_BYTES} bytes or less"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_accent(accent: &str, dark: Option<&str>) -> SiteSettings {
        SiteSettings {
            accent: accent.parse().ok(),
            accent_dark: dark.and_then(|dark| dark.parse().ok()),
            ..SiteSettings::default()
        }
    }

    #[test]
    fn every_part_of_an_accepted_color_can_be_read() -> Result<()> {
        for color in [
            "#0b6b4f", "#000000", "#6b4fbb", "#b00020", "#1d5fd1", "#6c6c6c",
        ] {
            let accent = accent(&with_accent(color, None))?;
            let accent = accent.ok_or(Error::NotFound)?;
            for (shade, surfaces) in [(accent.light, LIGHT), (accent.dark, DARK)] {
                assert!(
                    shade.color.least_contrast(&surfaces) >= MIN_CONTRAST,
                    "{color}"
                );
                assert!(shade.color.contrast(shade.soft) >= MIN_CONTRAST, "{color}");
                assert!(shade.color.contrast(shade.ink) >= MIN_CONTRAST, "{color}");
            }
        }
        Ok(())
    }

    #[test]
    fn the_surfaces_are_those_of_the_stylesheet() {
        let css = include_str!("../../static/rollcall.css");
        let (light, dark) = css
            .split_once("prefers-color-scheme: dark")
            .unwrap_or_default();
        for (theme, surfaces) in [(light, LIGHT), (dark, DARK)] {
            for (name, color) in ["ground", "surface", "surface-sunk"].iter().zip(surfaces) {
                let token = format!("--{name}: {color};");
                assert!(theme.contains(&token), "{token}");
            }
        }
    }
}

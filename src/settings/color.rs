//! Colors in settings, and their contrast (WCAG 2.2).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

/// The least contrast of text (WCAG 2.2, 1.4.3, level AA).
pub const MIN_CONTRAST: f64 = 4.5;

/// An opaque sRGB color.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Color([u8; 3]);

impl Color {
    /// White.
    pub const WHITE: Self = Self::of(0xff_ff_ff);

    /// Returns the color of a number like `0x0b6b4f`.
    #[must_use]
    pub const fn of(number: u32) -> Self {
        let [_, red, green, blue] = number.to_be_bytes();
        Self([red, green, blue])
    }

    /// Returns the contrast with another color: 1 to 21.
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// Returns the least contrast with any of these.
    #[must_use]
    pub fn least_contrast(self, others: &[Self]) -> f64 {
        others
            .iter()
            .map(|other| self.contrast(*other))
            .fold(f64::INFINITY, f64::min)
    }

    /// Returns this color over another one, of which it covers that many hundredths.
    #[must_use]
    pub fn over(self, other: Self, hundredths: u8) -> Self {
        let share = u32::from(hundredths.min(100));
        let mixed = |index: usize| {
            let (own, below) = (u32::from(self.0[index]), u32::from(other.0[index]));
            let sum = own * share + below * (100 - share);
            u8::try_from((sum + 50) / 100).unwrap_or(u8::MAX)
        };
        Self([mixed(0), mixed(1), mixed(2)])
    }

    /// Returns the relative luminance: 0 to 1.
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            match part <= 0.04045 {
                true => part / 12.92,
                false => ((part + 0.055) / 1.055).powf(2.4),
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

impl FromStr for Color {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix('#').filter(|digits| {
            digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        number.map(Self::of).ok_or_else(|| {
            format!("{text:?} is not allowed; allowed: a color as #rrggbb, like #0b6b4f")
        })
    }
}

impl TryFrom<String> for Color {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl Serialize for Color {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_that_of_wcag() {
        let black = Color::of(0);
        assert!((Color::WHITE.contrast(black) - 21.0).abs() < 0.001);
        assert!((Color::of(0x76_76_76).contrast(Color::WHITE) - 4.54).abs() < 0.01);
        assert!((black.contrast(black) - 1.0).abs() < 0.001);
    }

    #[test]
    fn a_mix_is_between_its_parts() {
        let mixed = Color::of(0).over(Color::WHITE, 50);
        assert_eq!(mixed.to_string(), "#808080");
    }
}

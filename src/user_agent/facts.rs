//! The facts about a device.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantNames};

/// The kind of a device. Its text form is stored, displayed and used as the name of its icon.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Default,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantNames,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum DeviceKind {
    /// A phone.
    Phone,
    /// A tablet.
    Tablet,
    /// A desktop or laptop computer.
    Desktop,
    /// A television, or a device plugged into one.
    Tv,
    /// A games console.
    Console,
    /// A smartwatch.
    Watch,
    /// A car, or what is built into one.
    Car,
    /// A smart speaker.
    Speaker,
    /// A crawler, monitor or other bot that identifies itself as one.
    Bot,
    /// A command-line client or a library.
    Program,
    /// The kind can't be determined.
    #[default]
    Unknown,
}

impl DeviceKind {
    /// Returns the text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The facts that a user agent and its client hints state about a device.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct DeviceFacts {
    /// The browser's name, such as "Firefox", or that of a program or an app.
    pub browser: Option<String>,
    /// Its major version.
    pub browser_version: Option<String>,
    /// The operating system, such as "Windows".
    pub os: Option<String>,
    /// The operating system's version, such as "10" or "17.6".
    pub os_version: Option<String>,
    /// The kind of the device.
    pub kind: DeviceKind,
    /// The brand, such as "Samsung".
    pub brand: Option<String>,
    /// The model, such as "SM-X710".
    pub model: Option<String>,
}

//! The facts known of a device.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr};

/// The kind of a device. Its text form is stored, shown and the name of its icon.
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
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum DeviceKind {
    /// A telephone.
    Phone,
    /// Larger than a telephone, held in the hand.
    Tablet,
    /// A desktop or laptop computer.
    Desktop,
    /// A television, or what is plugged into one.
    Tv,
    /// A games console.
    Console,
    /// Worn on the wrist.
    Watch,
    /// A crawler or monitor that says so.
    Bot,
    /// A command-line client or a library.
    Program,
    /// Not to be told.
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

/// The facts that a user agent states of its device.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct DeviceFacts {
    /// "Firefox"; for a program or an app, its name.
    pub browser: Option<String>,
    /// The major version.
    pub browser_version: Option<String>,
    /// "Windows".
    pub os: Option<String>,
    /// "10", "17.6".
    pub os_version: Option<String>,
    /// What kind of device it is.
    pub kind: DeviceKind,
    /// Who made it: "Samsung".
    pub brand: Option<String>,
    /// Which of its maker's devices it is: "SM-X710".
    pub model: Option<String>,
}

//! What is known of a device.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What kind of device it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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
    const ALL: [Self; 9] = [
        Self::Phone,
        Self::Tablet,
        Self::Desktop,
        Self::Tv,
        Self::Console,
        Self::Watch,
        Self::Bot,
        Self::Program,
        Self::Unknown,
    ];

    /// The name it is kept and shown under; its icon's, too.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Tablet => "tablet",
            Self::Desktop => "desktop",
            Self::Tv => "tv",
            Self::Console => "console",
            Self::Watch => "watch",
            Self::Bot => "bot",
            Self::Program => "program",
            Self::Unknown => "unknown",
        }
    }
}

impl FromStr for DeviceKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("{text:?} is no kind of device"))
    }
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a user agent tells of its device.
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

//! The rules for the label of a device, which is what people would call it.

use super::facts::{DeviceFacts, DeviceKind};

/// The label of a device without any facts.
const UNKNOWN: &str = "Unrecognised browser";

/// Marketing names by the prefix of the model code. The first match wins.
const MARKETING_NAMES: [(&str, &str); 126] = [
    ("SM-S931", "Galaxy S25"),
    ("SM-S936", "Galaxy S25+"),
    ("SM-S938", "Galaxy S25 Ultra"),
    ("SM-S937", "Galaxy S25 Edge"),
    ("SM-S921", "Galaxy S24"),
    ("SM-S926", "Galaxy S24+"),
    ("SM-S928", "Galaxy S24 Ultra"),
    ("SM-S721", "Galaxy S24 FE"),
    ("SM-S911", "Galaxy S23"),
    ("SM-S916", "Galaxy S23+"),
    ("SM-S918", "Galaxy S23 Ultra"),
    ("SM-S711", "Galaxy S23 FE"),
    ("SM-S901", "Galaxy S22"),
    ("SM-S906", "Galaxy S22+"),
    ("SM-S908", "Galaxy S22 Ultra"),
    ("SM-G991", "Galaxy S21"),
    ("SM-G996", "Galaxy S21+"),
    ("SM-G998", "Galaxy S21 Ultra"),
    ("SM-G990", "Galaxy S21 FE"),
    ("SM-G980", "Galaxy S20"),
    ("SM-G981", "Galaxy S20"),
    ("SM-G985", "Galaxy S20+"),
    ("SM-G986", "Galaxy S20+"),
    ("SM-G988", "Galaxy S20 Ultra"),
    ("SM-G780", "Galaxy S20 FE"),
    ("SM-G781", "Galaxy S20 FE"),
    ("SM-G970", "Galaxy S10e"),
    ("SM-G973", "Galaxy S10"),
    ("SM-G975", "Galaxy S10+"),
    ("SM-G960", "Galaxy S9"),
    ("SM-G965", "Galaxy S9+"),
    ("SM-G950", "Galaxy S8"),
    ("SM-G955", "Galaxy S8+"),
    ("SM-G930", "Galaxy S7"),
    ("SM-N980", "Galaxy Note20"),
    ("SM-N981", "Galaxy Note20"),
    ("SM-N985", "Galaxy Note20 Ultra"),
    ("SM-N986", "Galaxy Note20 Ultra"),
    ("SM-N970", "Galaxy Note10"),
    ("SM-N975", "Galaxy Note10+"),
    ("SM-N960", "Galaxy Note9"),
    ("SM-A566", "Galaxy A56"),
    ("SM-A556", "Galaxy A55"),
    ("SM-A546", "Galaxy A54"),
    ("SM-A536", "Galaxy A53"),
    ("SM-A528", "Galaxy A52s"),
    ("SM-A525", "Galaxy A52"),
    ("SM-A526", "Galaxy A52 5G"),
    ("SM-A515", "Galaxy A51"),
    ("SM-A505", "Galaxy A50"),
    ("SM-A725", "Galaxy A72"),
    ("SM-A715", "Galaxy A71"),
    ("SM-A366", "Galaxy A36"),
    ("SM-A356", "Galaxy A35"),
    ("SM-A346", "Galaxy A34"),
    ("SM-A336", "Galaxy A33"),
    ("SM-A325", "Galaxy A32"),
    ("SM-A326", "Galaxy A32 5G"),
    ("SM-A256", "Galaxy A25"),
    ("SM-A245", "Galaxy A24"),
    ("SM-A236", "Galaxy A23 5G"),
    ("SM-A225", "Galaxy A22"),
    ("SM-A217", "Galaxy A21s"),
    ("SM-A155", "Galaxy A15"),
    ("SM-A156", "Galaxy A15 5G"),
    ("SM-A145", "Galaxy A14"),
    ("SM-A146", "Galaxy A14 5G"),
    ("SM-A135", "Galaxy A13"),
    ("SM-A127", "Galaxy A12"),
    ("SM-A125", "Galaxy A12"),
    ("SM-F966", "Galaxy Z Fold7"),
    ("SM-F956", "Galaxy Z Fold6"),
    ("SM-F946", "Galaxy Z Fold5"),
    ("SM-F936", "Galaxy Z Fold4"),
    ("SM-F926", "Galaxy Z Fold3"),
    ("SM-F766", "Galaxy Z Flip7"),
    ("SM-F741", "Galaxy Z Flip6"),
    ("SM-F731", "Galaxy Z Flip5"),
    ("SM-F721", "Galaxy Z Flip4"),
    ("SM-F711", "Galaxy Z Flip3"),
    ("SM-X820", "Galaxy Tab S10+"),
    ("SM-X920", "Galaxy Tab S10 Ultra"),
    ("SM-X710", "Galaxy Tab S9"),
    ("SM-X716", "Galaxy Tab S9"),
    ("SM-X810", "Galaxy Tab S9+"),
    ("SM-X910", "Galaxy Tab S9 Ultra"),
    ("SM-X510", "Galaxy Tab S9 FE"),
    ("SM-X700", "Galaxy Tab S8"),
    ("SM-X706", "Galaxy Tab S8"),
    ("SM-X800", "Galaxy Tab S8+"),
    ("SM-X900", "Galaxy Tab S8 Ultra"),
    ("SM-T870", "Galaxy Tab S7"),
    ("SM-T875", "Galaxy Tab S7"),
    ("SM-T970", "Galaxy Tab S7+"),
    ("SM-T860", "Galaxy Tab S6"),
    ("SM-P610", "Galaxy Tab S6 Lite"),
    ("SM-P615", "Galaxy Tab S6 Lite"),
    ("SM-X210", "Galaxy Tab A9+"),
    ("SM-X110", "Galaxy Tab A9"),
    ("SM-X200", "Galaxy Tab A8"),
    ("SM-X205", "Galaxy Tab A8"),
    ("SM-T500", "Galaxy Tab A7"),
    ("SM-T505", "Galaxy Tab A7"),
    ("SM-T510", "Galaxy Tab A"),
    ("SM-T515", "Galaxy Tab A"),
    ("LE211", "OnePlus 9"),
    ("LE212", "OnePlus 9 Pro"),
    ("IN201", "OnePlus 8"),
    ("IN202", "OnePlus 8 Pro"),
    ("KB200", "OnePlus 8T"),
    ("HD190", "OnePlus 7T"),
    ("GM191", "OnePlus 7 Pro"),
    ("NE221", "OnePlus 10 Pro"),
    ("CPH2447", "OnePlus 11"),
    ("CPH2449", "OnePlus 11"),
    ("CPH2451", "OnePlus 11"),
    ("CPH2581", "OnePlus 12"),
    ("CPH2583", "OnePlus 12"),
    ("CPH2653", "OnePlus 13"),
    ("FP3", "Fairphone 3"),
    ("FP4", "Fairphone 4"),
    ("FP5", "Fairphone 5"),
    ("A063", "Nothing Phone (1)"),
    ("A065", "Nothing Phone (2)"),
    ("A142", "Nothing Phone (2a)"),
    ("KF", "Fire tablet"),
];

/// Returns the label of a device: "Firefox on Windows", "Safari on iPhone", "curl",
/// "Unrecognised browser".
#[must_use]
pub fn device_label(facts: &DeviceFacts) -> String {
    match facts.kind {
        DeviceKind::Bot => facts.browser.clone().unwrap_or_else(|| "A bot".into()),
        DeviceKind::Console | DeviceKind::Tv | DeviceKind::Speaker => appliance(facts),
        DeviceKind::Program => on(facts.browser.as_deref(), facts.os.clone()),
        DeviceKind::Phone | DeviceKind::Tablet | DeviceKind::Watch | DeviceKind::Car => {
            on(facts.browser.as_deref(), handheld(facts))
        }
        DeviceKind::Unknown if facts.model.is_some() => {
            on(facts.browser.as_deref(), handheld(facts))
        }
        DeviceKind::Desktop | DeviceKind::Unknown => on(facts.browser.as_deref(), system(facts)),
    }
}

/// Returns the operating system of a desktop: "macOS", "Windows 11". The user agent of Windows 11
/// states version 10, and only client hints state 11, so version 10 is left out.
fn system(facts: &DeviceFacts) -> Option<String> {
    match (facts.os.as_deref(), facts.os_version.as_deref()) {
        (Some(os @ "Windows"), Some(version @ "11")) => Some(format!("{os} {version}")),
        (os, _) => os.map(str::to_owned),
    }
}

fn on(browser: Option<&str>, device: Option<String>) -> String {
    match (browser, device) {
        (Some(browser), Some(device)) => format!("{browser} on {device}"),
        (Some(browser), None) => browser.to_owned(),
        (None, Some(device)) => device,
        (None, None) => UNKNOWN.into(),
    }
}

/// Returns the label of a console or a television, which leaves out its browser.
fn appliance(facts: &DeviceFacts) -> String {
    match (facts.brand.as_deref(), facts.model.as_deref()) {
        (Some(brand), Some("BRAVIA")) => format!("{brand} TV"),
        (_, Some(model)) if facts.kind == DeviceKind::Console || !is_code(model) => {
            model.to_owned()
        }
        (Some(brand), _) if facts.kind == DeviceKind::Console => format!("{brand} console"),
        (None, _) if facts.kind == DeviceKind::Console => "Games console".into(),
        (Some(brand), _) => format!("{brand} TV"),
        (None, _) => match facts.os.as_deref() {
            Some("Android") => "Android TV".into(),
            _ => "TV".into(),
        },
    }
}

/// Returns the name of a handheld device: "iPhone", "Galaxy Tab S9", "Samsung phone", "Android".
fn handheld(facts: &DeviceFacts) -> Option<String> {
    let model = facts.model.as_deref();
    if let Some(name) = model.and_then(marketing_name) {
        return Some(name.to_owned());
    }
    match (model, facts.brand.as_deref()) {
        (Some(model), _) if !is_code(model) => Some(model.to_owned()),
        (None, Some("Apple")) => facts.os.clone(),
        (_, Some(brand)) => Some(format!("{brand} {}", facts.kind)),
        _ => facts.os.clone(),
    }
}

fn marketing_name(model: &str) -> Option<&'static str> {
    MARKETING_NAMES
        .iter()
        .find(|(code, _)| model.starts_with(code))
        .map(|(_, name)| *name)
}

/// Returns whether a model is a code rather than a name: one word with digits and at most one
/// lower-case letter, or one of Amazon's, which begin with KF.
fn is_code(model: &str) -> bool {
    let small = model.chars().filter(char::is_ascii_lowercase).count();
    !model.contains(' ')
        && small <= 1
        && (model.chars().any(|c| c.is_ascii_digit()) || model.starts_with("KF"))
}

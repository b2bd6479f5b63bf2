//! The devices on *Your devices*: the one that the page is read on, the list of the others, and the map,
//! which lead to each other.

use super::device_list::DeviceList;
use super::device_views::DeviceView;
use super::map::MapView;
use super::map_places::DotDevice;
use super::narrowing::{ListedDevice, Narrowing, Selection};
use super::travel_views::ImpossibleTravels;
use super::used_applications::{FEW, UsedApplications};
use super::views::Reader;
use super::words::TimeView;
use crate::account::Attention;
use crate::devices::{DeviceGroup, group_by_device};
use crate::error::Result;
use crate::geo::Place;
use crate::http::app_state::AppState;
use crate::sessions::{Caller, Session};

/// The devices with impossible travel that the summary leads to; more are counted.
const MAX_LINKS: usize = 5;

/// The devices of the caller.
pub(super) struct OwnDevices {
    /// The one that the page is read on.
    pub(super) this: DeviceView,
    /// The list of the others.
    pub(super) others: DeviceList,
    /// Where they are, if that is known of any.
    pub(super) map: Option<MapView>,
    /// What leads to the first of those with impossible travel that is news.
    pub(super) travels: Vec<TravelLink>,
}

/// A device that the summary leads to.
pub(super) struct TravelLink {
    /// The id of the session that represents it.
    pub(super) id: String,
    /// Its name.
    pub(super) name: String,
    /// Its row on the page, or its own page.
    pub(super) href: String,
}

impl OwnDevices {
    /// Loads the devices of the caller's sessions, which are `live`, by the names of the devices, beside what needs
    /// attention.
    pub(super) async fn load(
        app: &AppState,
        (caller, attention): (&Caller, &Attention),
        live: Vec<Session>,
        (narrowing, selection): (Narrowing, &Selection),
        reader: &Reader,
    ) -> Result<Self> {
        let owner = caller.user.id;
        let travels = app.accounts.list_travels(owner, &live, attention).await?;
        let travels = ImpossibleTravels::of_news(travels);
        let applications = UsedApplications::load(app, owner, &live).await?;
        let devices = group_by_device(live);
        let known = (attention, &travels, &applications);
        let (mut this, mut others) = views(&devices, caller, known, reader);
        let mut map = MapView::new(places(&devices, (caller, attention), reader));
        if let Some(map) = &map {
            let views = others.iter_mut().map(|other| &mut other.view);
            map.link(std::iter::once(&mut this).chain(views));
        }
        let views = others.iter().map(|other| &other.view);
        let mut travels = TravelLink::list(std::iter::once(&this).chain(views));
        let others = DeviceList::new(others, &this.name, narrowing, selection, reader.clock);
        let is_listed = |id: &str| id == this.id || others.lists(id);
        if let Some(map) = &mut map {
            map.is_selectable = others.is_selectable;
            map.lead_to_rows(is_listed);
        }
        TravelLink::lead_to_rows(&mut travels, is_listed);
        Ok(Self {
            this,
            others,
            map,
            travels,
        })
    }
}

impl TravelLink {
    /// Returns the links to those of the devices that have impossible travel.
    pub(super) fn list<'a>(devices: impl IntoIterator<Item = &'a DeviceView>) -> Vec<Self> {
        let travelled = devices.into_iter().filter(|it| it.travel.is_some());
        let link = |device: &DeviceView| Self {
            id: device.id.clone(),
            name: device.name.clone(),
            href: format!("/devices/{}", device.id),
        };
        travelled.map(link).collect()
    }

    /// Leads to the rows of devices that are on the page, by `is_listed`, and counts what is too much
    /// for a sentence.
    pub(super) fn lead_to_rows(links: &mut Vec<Self>, is_listed: impl Fn(&str) -> bool) {
        let more = links.len().saturating_sub(MAX_LINKS);
        links.truncate(MAX_LINKS);
        for link in links.iter_mut().filter(|link| is_listed(&link.id)) {
            link.href = format!("#device-{}", link.id);
        }
        if more > 0 {
            links.push(Self {
                id: String::new(),
                name: format!("{more} more"),
                href: "#other-devices".into(),
            });
        }
    }
}

/// Returns the device that the page is read on, and the others.
fn views(
    devices: &[DeviceGroup<Session>],
    caller: &Caller,
    (attention, travels, applications): (&Attention, &ImpossibleTravels, &UsedApplications),
    reader: &Reader,
) -> (DeviceView, Vec<ListedDevice>) {
    let current = caller.session.id;
    let used = caller.session.clone().with_use_at(reader.clock.now);
    let mut this = DeviceView::new(&used, reader);
    let mut others = Vec::new();
    for device in devices {
        let view = |shown| {
            DeviceView::for_device(device, shown, current, reader)
                .with_travel(device, travels)
                .with_waiting(device, attention, "", reader)
                .with_applications(applications.of(device.iter(), FEW, reader.clock))
        };
        match device.contains(current) {
            true => this = view(&used),
            false => others.push(ListedDevice {
                view: view(device.shown(&attention.doubts.sessions)),
                sessions: device.iter().map(|session| session.id).collect(),
                last_used_at: device.first().last_used_at,
            }),
        }
    }
    (this, others)
}

/// Returns the place of each device, in the reader's language, with what tells it from others. The device
/// that the page is read on comes first.
fn places(
    devices: &[DeviceGroup<Session>],
    (caller, attention): (&Caller, &Attention),
    reader: &Reader,
) -> Vec<(Place, DotDevice)> {
    let located = |session: &Session, is_here| {
        let ip = session.ip_address.as_deref();
        let id = session.id.to_string();
        let device = DotDevice {
            name: session.display_name(),
            is_here,
            last_used: TimeView::moment(session.last_used_at, reader.clock),
            last_use_apart: None,
            number: None,
            link: format!("/devices/{id}"),
            id,
        };
        (reader.place(ip, session.place()), device)
    };
    let this = located(&caller.session, true);
    let others = devices
        .iter()
        .filter(|device| !device.contains(caller.session.id))
        .map(|device| located(device.shown(&attention.doubts.sessions), false));
    std::iter::once(this).chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_for_a_sentence_is_counted() {
        let link = |n: usize| TravelLink {
            id: n.to_string(),
            name: format!("Device {n}"),
            href: String::new(),
        };
        for (devices, last) in [(5, "Device 4"), (6, "1 more"), (8, "3 more")] {
            let mut links: Vec<TravelLink> = (0..devices).map(link).collect();
            TravelLink::lead_to_rows(&mut links, |id| id == "0");
            assert_eq!(links.first().map(|it| it.href.as_str()), Some("#device-0"));
            assert_eq!(links.last().map(|it| it.name.as_str()), Some(last));
        }
    }
}

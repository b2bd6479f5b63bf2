//! Groups what is on one device: everything with the same device id. What has no device id is on a
//! device of its own.

/// What is on a device.
pub trait OnDevice {
    /// Returns the id that the client keeps for its device, if it keeps one.
    fn device_id(&self) -> Option<&str>;
}

/// What is on one device; at least one item.
#[derive(Debug)]
pub struct DeviceGroup<T> {
    first: T,
    rest: Vec<T>,
}

impl<T> DeviceGroup<T> {
    /// Returns the item that came first in the order of the grouped list.
    pub fn first(&self) -> &T {
        &self.first
    }

    /// Returns every item, in the order of the grouped list.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.first).chain(&self.rest)
    }
}

/// Groups `items` by device, in the order of the first item on each.
#[must_use]
pub fn group_by_device<T: OnDevice>(items: Vec<T>) -> Vec<DeviceGroup<T>> {
    let mut groups: Vec<DeviceGroup<T>> = Vec::new();
    for item in items {
        let same_device = |group: &&mut DeviceGroup<T>| {
            item.device_id().is_some() && item.device_id() == group.first.device_id()
        };
        match groups.iter_mut().find(same_device) {
            Some(group) => group.rest.push(item),
            None => groups.push(DeviceGroup {
                first: item,
                rest: Vec::new(),
            }),
        }
    }
    groups
}

//! Groups items by device: those with the same device id are on one device, and each item without
//! one is on a device of its own.

/// An item on a device, such as a session.
pub trait OnDevice {
    /// Returns the id that the client stores for its device, if it stores one.
    fn device_id(&self) -> Option<&str>;
}

/// The items on one device; at least one.
#[derive(Debug)]
pub struct DeviceGroup<T> {
    first: T,
    rest: Vec<T>,
}

impl<T> DeviceGroup<T> {
    /// Returns the first item, in the order of the grouped list.
    pub fn first(&self) -> &T {
        &self.first
    }

    /// Returns the first item alone.
    pub fn into_first(self) -> T {
        self.first
    }

    /// Returns how many items there are.
    pub fn count(&self) -> usize {
        1 + self.rest.len()
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

//! Finds places: in a MaxMind DB file (GeoLite2, DB-IP and their like, City or Country), which is read
//! anew when it changes, and in what a proxy at the edge tells.

use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use maxminddb::{MaxMindDbError, PathElement, Reader};
use serde::Deserialize;

use super::place::{self, Place, Point};

/// A language tag as those files have it, at most.
const LANGUAGE_LIMIT: usize = 12;

/// The file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// It can't be read.
    #[error("it can't be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// It is no such file, or a broken one.
    #[error("it is not a MaxMind DB file, or a broken one: {0}")]
    Broken(#[from] MaxMindDbError),
}

/// Knows where addresses are, if there is a file that tells.
#[derive(Default)]
pub struct Places {
    file: Option<PathBuf>,
    loaded: RwLock<Option<Arc<Loaded>>>,
}

struct Loaded {
    reader: Reader<Vec<u8>>,
    version: Version,
}

/// What tells one version of the file from the next.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Version {
    modified: SystemTime,
    length: u64,
}

/// What is read of an address. GeoLite2 and DB-IP nest it; others are flat.
#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow, default)]
    city: Option<City<'a>>,
    #[serde(borrow, default)]
    country: Option<Nation<'a>>,
    #[serde(default)]
    country_code: Option<&'a str>,
    #[serde(default)]
    location: Option<Coordinates>,
    #[serde(default)]
    latitude: Option<f64>,
    #[serde(default)]
    longitude: Option<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum City<'a> {
    Flat(&'a str),
    Nested {
        #[serde(borrow, default)]
        names: Names<'a>,
    },
}

#[derive(Deserialize)]
struct Nation<'a> {
    #[serde(default)]
    iso_code: Option<&'a str>,
    #[serde(borrow, default)]
    names: Names<'a>,
}

#[derive(Default, Deserialize)]
struct Names<'a> {
    #[serde(borrow, default)]
    en: Option<&'a str>,
}

#[derive(Deserialize)]
struct Coordinates {
    latitude: Option<f64>,
    longitude: Option<f64>,
}

/// The headers in which a proxy at the edge tells where a client is. They count only where that
/// proxy is trusted.
#[derive(Debug, Clone, Default)]
pub struct EdgeHeaders {
    /// The one with the country's code.
    pub country: Option<String>,
    /// The one with the city's name.
    pub city: Option<String>,
}

impl EdgeHeaders {
    /// The place they tell; `header` gives the value of one by its name.
    pub fn place(&self, header: impl Fn(&str) -> Option<String>) -> Place {
        let told = |name: &Option<String>| name.as_deref().and_then(&header);
        told(&self.country)
            .map(|code| Place::of_code(&code, told(&self.city).as_deref()))
            .unwrap_or_default()
    }
}

impl Places {
    /// Places by that file. Read it with [`Places::reload`].
    pub fn new(file: Option<PathBuf>) -> Self {
        Self {
            file,
            loaded: RwLock::default(),
        }
    }

    /// Reads the file if it is another one than before. Answers whether it was.
    ///
    /// # Errors
    /// When it can't be used; then the one before stays.
    pub fn reload(&self) -> Result<bool, PlaceError> {
        let Some(path) = &self.file else {
            return Ok(false);
        };
        let about = fs::metadata(path)?;
        let version = Version {
            modified: about.modified()?,
            length: about.len(),
        };
        if self
            .loaded()
            .is_some_and(|loaded| loaded.version == version)
        {
            return Ok(false);
        }
        let reader = Reader::open_readfile(path)?;
        reader.verify()?;
        let loaded = Some(Arc::new(Loaded { reader, version }));
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(true)
    }

    /// Where `ip` is. Nothing is known of it where the file says nothing.
    pub fn find(&self, ip: IpAddr) -> Place {
        let Some(loaded) = self.loaded() else {
            return Place::default();
        };
        let found = loaded.reader.lookup(ip).ok();
        let record = found.and_then(|found| found.decode::<Record<'_>>().ok().flatten());
        record.map(Place::from).unwrap_or_default()
    }

    /// `place`, where `ip` was found to be, in the first of `languages` that the file has.
    pub fn translate(&self, ip: IpAddr, place: Place, languages: &[String]) -> Place {
        let Some(loaded) = self.loaded() else {
            return place;
        };
        let told = self.find(ip);
        let name = |of: &str| loaded.name(ip, of, languages);
        Place {
            city: match told.city.is_some() && told.city == place.city {
                true => name("city").or(place.city),
                false => place.city,
            },
            country: match told.country.is_some() && told.country == place.country {
                true => name("country").or(place.country),
                false => place.country,
            },
            ..place
        }
    }

    fn loaded(&self) -> Option<Arc<Loaded>> {
        self.loaded
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Loaded {
    /// The name of the city or the country at `ip`, in the first language that the file has.
    fn name(&self, ip: IpAddr, of: &str, languages: &[String]) -> Option<String> {
        let found = self.reader.lookup(ip).ok()?;
        languages
            .iter()
            .filter(|language| language.len() <= LANGUAGE_LIMIT)
            .find_map(|language| {
                let path = [of, "names", language].map(PathElement::Key);
                let name = found.decode_path::<&str>(&path).ok().flatten();
                name.map(crate::text::clean)
            })
    }
}

impl From<Record<'_>> for Place {
    fn from(record: Record<'_>) -> Self {
        let city = record.city.and_then(|city| match city {
            City::Flat(name) => Some(name),
            City::Nested { names } => names.en,
        });
        let nation = record.country;
        let code = nation.as_ref().and_then(|nation| nation.iso_code);
        let country = code.or(record.country_code).and_then(place::country);
        // One name for a country, whoever tells of it.
        let name = country.map(|country| country.name);
        let name = name.or_else(|| nation.and_then(|nation| nation.names.en));
        let told = record.location.as_ref();
        let north = told.and_then(|told| told.latitude).or(record.latitude);
        let east = told.and_then(|told| told.longitude).or(record.longitude);
        let point = north
            .zip(east)
            .and_then(|(north, east)| Point::new(north, east));
        let middle = country.and_then(|country| country.middle);
        Place::new(city, name, point.or(middle))
    }
}

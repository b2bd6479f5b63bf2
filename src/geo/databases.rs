//! Databases of places: MaxMind DB files with cities or countries, such as GeoLite2 and DB-IP. They
//! are read again when they change.

use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use maxminddb::{MaxMindDbError, PathElement, Reader};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::country::find_country;
use super::place::Place;
use super::point::Point;
use crate::text;

/// Bytes of a language tag; longer ones are ignored, since no file has any.
const LANGUAGE_LIMIT: usize = 12;

/// The error of a file that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{} can't be used", path.display())]
pub struct PlaceError {
    path: PathBuf,
    source: FileError,
}

/// The reason why a file can't be used.
#[derive(Debug, thiserror::Error)]
enum FileError {
    /// It can't be read.
    #[error("it can't be read")]
    Unreadable(#[from] std::io::Error),
    /// It is not a MaxMind DB file, or a broken one.
    #[error("it is not a MaxMind DB file, or a broken one")]
    Broken(#[from] MaxMindDbError),
}

/// The databases of places; there may be none.
#[derive(Default)]
pub struct Places {
    /// In the order of precedence.
    files: Vec<PlaceFile>,
}

struct PlaceFile {
    path: PathBuf,
    loaded: RwLock<Option<Arc<Loaded>>>,
}

struct Loaded {
    reader: Reader<Vec<u8>>,
    version: Version,
}

/// The version of a file, by which a changed file is detected.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Version {
    modified: SystemTime,
    length: u64,
}

/// The record of an address. GeoLite2 and DB-IP nest its fields; in other files they are flat. A
/// field of an unexpected shape counts as missing.
#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow, default)]
    city: Option<CityField<'a>>,
    #[serde(borrow, default)]
    country: Option<CountryField<'a>>,
    #[serde(default)]
    country_code: Option<&'a str>,
    #[serde(default)]
    location: Option<Coordinates>,
    #[serde(default)]
    latitude: Option<Degrees>,
    #[serde(default)]
    longitude: Option<Degrees>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum CityField<'a> {
    Flat(&'a str),
    Nested {
        #[serde(borrow, default)]
        names: Names<'a>,
    },
    Other(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum CountryField<'a> {
    Known {
        #[serde(default)]
        iso_code: Option<&'a str>,
        #[serde(borrow, default)]
        names: Names<'a>,
    },
    Other(IgnoredAny),
}

#[derive(Default, Deserialize)]
struct Names<'a> {
    #[serde(borrow, default)]
    en: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Coordinates {
    Known {
        latitude: Degrees,
        longitude: Degrees,
    },
    Other(IgnoredAny),
}

/// A number of any width. The library doesn't convert between widths on its own; the untagged enum
/// makes it deserialize whichever type the file has.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Degrees {
    Known(f64),
    Other(IgnoredAny),
}

impl Degrees {
    fn number(self) -> Option<f64> {
        match self {
            Self::Known(number) => Some(number),
            Self::Other(_) => None,
        }
    }
}

impl Places {
    /// Returns the places in these files, of which the first that has an address takes precedence.
    /// [`Places::reload`] reads them.
    #[must_use]
    pub fn new(files: Vec<PathBuf>) -> Self {
        let file = |path| PlaceFile {
            path,
            loaded: RwLock::default(),
        };
        Self {
            files: files.into_iter().map(file).collect(),
        }
    }

    /// Reads the files that have changed since they were last read. Returns how many were read, and
    /// the errors of those that can't be used; for these, the version read before stays in use.
    #[must_use]
    pub fn reload(&self) -> (usize, Vec<PlaceError>) {
        let mut read = 0;
        let mut errors = Vec::new();
        for file in &self.files {
            match file.reload() {
                Ok(is_new) => read += usize::from(is_new),
                Err(err) => errors.push(PlaceError {
                    path: file.path.clone(),
                    source: err,
                }),
            }
        }
        (read, errors)
    }

    /// Finds the place of `ip`. The place is empty when no file has it.
    #[must_use]
    pub fn find(&self, ip: IpAddr) -> Place {
        let places = self.files.iter().filter_map(|file| file.loaded()?.find(ip));
        places
            .into_iter()
            .find(|place| *place != Place::default())
            .unwrap_or_default()
    }

    /// Returns `place`, the place of `ip`, with its names in the first of `languages` that the
    /// files have. Names that are not from the files stay as they are.
    #[must_use]
    pub fn translate(&self, ip: IpAddr, place: Place, languages: &[String]) -> Place {
        if languages.is_empty() {
            return place;
        }
        let found = self.find(ip);
        let name = |field: &str| {
            let loaded = self.files.iter().filter_map(PlaceFile::loaded);
            loaded
                .into_iter()
                .find_map(|loaded| loaded.name(ip, field, languages))
        };
        Place {
            city: match found.city.is_some() && found.city == place.city {
                true => name("city").or(place.city),
                false => place.city,
            },
            country: match found.country.is_some() && found.country == place.country {
                true => name("country").or(place.country),
                false => place.country,
            },
            ..place
        }
    }
}

impl PlaceFile {
    fn reload(&self) -> Result<bool, FileError> {
        let metadata = fs::metadata(&self.path)?;
        let version = Version {
            modified: metadata.modified()?,
            length: metadata.len(),
        };
        if self
            .loaded()
            .is_some_and(|loaded| loaded.version == version)
        {
            return Ok(false);
        }
        let reader = Reader::open_readfile(&self.path)?;
        probe(&reader)?;
        let loaded = Some(Arc::new(Loaded { reader, version }));
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(true)
    }

    fn loaded(&self) -> Option<Arc<Loaded>> {
        self.loaded
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Verifies that addresses all over the file can be looked up: one in each `/8` of IPv4, and one in
/// each `/16` from `2000::` to `20ff::`. The library's own verification is too strict for files in
/// use: it rejects one without a description.
fn probe(reader: &Reader<Vec<u8>>) -> Result<(), MaxMindDbError> {
    for first in 0..=u8::MAX {
        reader.lookup(IpAddr::from([first, 1, 1, 1]))?;
        if reader.metadata().ip_version == 6 {
            let corner = [0x2000 | u16::from(first), 1, 0, 0, 0, 0, 0, 1];
            reader.lookup(IpAddr::from(corner))?;
        }
    }
    Ok(())
}

impl Loaded {
    fn find(&self, ip: IpAddr) -> Option<Place> {
        let found = self.reader.lookup(ip).ok()?;
        found.decode::<Record<'_>>().ok().flatten().map(Place::from)
    }

    /// Returns the name of the city or the country of `ip`, as `field` says, in the first of
    /// `languages` that the file has.
    fn name(&self, ip: IpAddr, field: &str, languages: &[String]) -> Option<String> {
        let found = self.reader.lookup(ip).ok()?;
        languages
            .iter()
            .filter(|language| language.len() <= LANGUAGE_LIMIT)
            .find_map(|language| {
                let path = [field, "names", language].map(PathElement::Key);
                let name = found.decode_path::<&str>(&path).ok().flatten();
                name.map(text::clean)
            })
    }
}

impl From<Record<'_>> for Place {
    fn from(record: Record<'_>) -> Self {
        let city = record.city.and_then(|city| match city {
            CityField::Flat(name) => Some(name),
            CityField::Nested { names } => names.en,
            CityField::Other(_) => None,
        });
        let (code, english) = match record.country {
            Some(CountryField::Known { iso_code, names }) => (iso_code, names.en),
            Some(CountryField::Other(_)) | None => (None, None),
        };
        let country = code.or(record.country_code).and_then(find_country);
        // The same name for a country in every file.
        let name = country.map(|country| country.name).or(english);
        let (north, east) = match record.location {
            Some(Coordinates::Known {
                latitude,
                longitude,
            }) => (Some(latitude), Some(longitude)),
            Some(Coordinates::Other(_)) | None => (record.latitude, record.longitude),
        };
        let (north, east) = (
            north.and_then(Degrees::number),
            east.and_then(Degrees::number),
        );
        let point = north
            .zip(east)
            .and_then(|(north, east)| Point::new(north, east));
        let middle = country.and_then(|country| country.middle);
        Place::new(city, name, point.or(middle))
    }
}

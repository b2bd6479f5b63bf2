//! Finds places: in a MaxMind DB file (GeoLite2, DB-IP and their like, City or Country), which is read
//! anew when it changes, and in what a proxy at the edge tells.

use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use maxminddb::{MaxMindDbError, PathElement, Reader};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::place::{self, Place, Point};

/// A language tag as those files have it, at most.
const LANGUAGE_LIMIT: usize = 12;

/// A file can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{} {fault}", path.display())]
pub struct PlaceError {
    path: PathBuf,
    fault: FileFault,
}

/// Why a file can't be used.
#[derive(Debug, thiserror::Error)]
enum FileFault {
    /// It can't be read.
    #[error("can't be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// It is no such file, or a broken one.
    #[error("is not a MaxMind DB file, or a broken one: {0}")]
    Broken(#[from] MaxMindDbError),
}

/// Knows where addresses are, if there are files that tell.
#[derive(Default)]
pub struct Places {
    /// In the order in which they are asked.
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

/// What tells one version of a file from the next.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Version {
    modified: SystemTime,
    length: u64,
}

/// What is read of an address. GeoLite2 and DB-IP nest it; others are flat. What is of another shape
/// than expected counts as not told.
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
    latitude: Option<Degrees>,
    #[serde(default)]
    longitude: Option<Degrees>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum City<'a> {
    Flat(&'a str),
    Nested {
        #[serde(borrow, default)]
        names: Names<'a>,
    },
    Other(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Nation<'a> {
    Told {
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
    Told {
        latitude: Degrees,
        longitude: Degrees,
    },
    Other(IgnoredAny),
}

/// A number of either width: the library takes none for the other unless it has to find out.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Degrees {
    Told(f64),
    Other(IgnoredAny),
}

impl Degrees {
    fn number(self) -> Option<f64> {
        match self {
            Self::Told(number) => Some(number),
            Self::Other(_) => None,
        }
    }
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
    /// Places by these files; the first that knows an address tells where it is. Read them with
    /// [`Places::reload`].
    pub fn new(files: Vec<PathBuf>) -> Self {
        let file = |path| PlaceFile {
            path,
            loaded: RwLock::default(),
        };
        Self {
            files: files.into_iter().map(file).collect(),
        }
    }

    /// Reads those files that are others than before. Answers how many, and what can't be used: in
    /// place of that stays what was read before.
    pub fn reload(&self) -> (usize, Vec<PlaceError>) {
        let mut read = 0;
        let mut faults = Vec::new();
        for file in &self.files {
            match file.reload() {
                Ok(is_new) => read += usize::from(is_new),
                Err(fault) => faults.push(PlaceError {
                    path: file.path.clone(),
                    fault,
                }),
            }
        }
        (read, faults)
    }

    /// Where `ip` is. Nothing is known of it where no file says anything.
    pub fn find(&self, ip: IpAddr) -> Place {
        let places = self.files.iter().filter_map(|file| file.loaded()?.find(ip));
        places
            .into_iter()
            .find(|place| *place != Place::default())
            .unwrap_or_default()
    }

    /// `place`, where `ip` was found to be, in the first of `languages` that the files have.
    pub fn translate(&self, ip: IpAddr, place: Place, languages: &[String]) -> Place {
        if languages.is_empty() {
            return place;
        }
        let told = self.find(ip);
        let name = |of: &str| {
            let loaded = self.files.iter().filter_map(PlaceFile::loaded);
            loaded
                .into_iter()
                .find_map(|loaded| loaded.name(ip, of, languages))
        };
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
}

impl PlaceFile {
    fn reload(&self) -> Result<bool, FileFault> {
        let about = fs::metadata(&self.path)?;
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
        let reader = Reader::open_readfile(&self.path)?;
        sample(&reader)?;
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

/// Looks up an address in every corner of the file. The library's own verification is stricter than
/// the files that are there: it refuses one without a description.
fn sample(reader: &Reader<Vec<u8>>) -> Result<(), MaxMindDbError> {
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
            City::Other(_) => None,
        });
        let (code, english) = match record.country {
            Some(Nation::Told { iso_code, names }) => (iso_code, names.en),
            Some(Nation::Other(_)) | None => (None, None),
        };
        let country = code.or(record.country_code).and_then(place::country);
        // One name for a country, whoever tells of it.
        let name = country.map(|country| country.name).or(english);
        let (north, east) = match record.location {
            Some(Coordinates::Told {
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

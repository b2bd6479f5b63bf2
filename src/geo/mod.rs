//! Geography: the place of an address, from databases of places or from a proxy's headers, the
//! distance between points, and the positions of places on a map of the world.

mod country;
mod databases;
mod edge_headers;
mod location;
mod map;
mod place;
mod point;

pub use self::country::{country_name, country_names};
pub use self::databases::{PlaceError, Places};
pub use self::edge_headers::EdgeHeaders;
pub use self::location::Location;
pub use self::map::{MapForm, MapFrame, MapPosition};
pub use self::place::Place;
pub use self::point::Point;

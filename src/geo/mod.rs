//! Geography: where an address is, by databases of places or by a proxy's headers, how far two
//! points are apart, and where places stand on a map of the world.

mod country;
mod databases;
mod edge_headers;
mod location;
mod map;
mod place;
mod point;

pub use self::databases::{PlaceError, Places};
pub use self::edge_headers::EdgeHeaders;
pub use self::location::Location;
pub use self::map::{MapPosition, cluster};
pub use self::place::Place;
pub use self::point::Point;
